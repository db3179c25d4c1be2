// What may be done with a case, beyond writing in it.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { api, Problem, problemText } from '../api';
import { t, tMaybe, type Key } from '../i18n';
import { personName } from '../lib/person';
import { Area, Dialog, Notice, say, When } from '../parts/base';
import { Icon, type IconName } from '../parts/icon';
import { loadCases } from '../state/cases';
import { directory, specialtyLabel } from '../state/session';
import type { AccessEntry, Action, Case } from '../types';
import { event, type OpenCase } from './model';

const outcomes = ['improved', 'stable', 'worsened', 'evacuated', 'deceased', 'lost', 'other'] as const;
export type Doing = 'assign' | 'close' | 'reopen' | 'cancel' | 'export' | 'access';
const needs: Record<Doing, Action> = { assign: 'assign', close: 'close', reopen: 'reopen', cancel: 'cancel', export: 'export', access: 'see-access-log' };
const icons: Record<Doing, IconName> = { assign: 'user', close: 'lock', reopen: 'retry', cancel: 'trash', export: 'download', access: 'eye' };

export const possible = (c: Case): Doing[] => (Object.keys(needs) as Doing[]).filter((d) => c.can.includes(needs[d]) || (d === 'export' && c.can.includes('export-anonymous')));

export function ActionButton({ d, main, onClick, c }: { d: Doing; main?: boolean; onClick: () => void; c: Case }) {
  const label = d === 'assign' && c.assignees.length ? t('do.reassign') : t(`do.${d}` as Key);
  return <button type="button" class={`btn ${main ? 'main' : 'quiet'}`} data-testid={`do-${d}`} onClick={onClick}><Icon name={icons[d]} size={18} /> {label}</button>;
}

export function ActionDialog({ d, c, open, onClose }: { d: Doing; c: Case; open: OpenCase; onClose: () => void }) {
  if (d === 'access') return <AccessLog c={c} onClose={onClose} />;
  if (d === 'export') return <LazyExport c={c} onClose={onClose} />;
  return <Act d={d} c={c} open={open} onClose={onClose} />;
}

/** Fetched when first wanted. */
function LazyExport(props: { c: Case; onClose: () => void }) {
  const part = useSignal<ComponentType<typeof props> | undefined>(undefined), failed = useSignal(false);
  useEffect(() => { import('../export').then((m) => { part.value = m.Export; }, () => { failed.value = true; }); }, []);
  const Part = part.value;
  if (Part) return <Part {...props} />;
  return <Dialog title={t('do.export')} onClose={props.onClose}>{failed.value ? <Notice tone="bad">{t('lazy.failed')}</Notice> : <p class="loading" role="status">{t('lazy.loading')}</p>}</Dialog>;
}

function Act({ d, c, open, onClose }: { d: Exclude<Doing, 'access' | 'export'>; c: Case; open: OpenCase; onClose: () => void }) {
  const choice = useSignal(''), note = useSignal(''), problem = useSignal(''), busy = useSignal(false);
  const experts = (directory.value?.specialists ?? []).filter((s) => s.specialties.includes(c.specialty) && !c.assignees.some((a) => a.id === s.id));
  const made = useSignal(event('', {}));
  const run = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    if ((d === 'assign' || d === 'close') && !choice.value) { problem.value = t(`do.${d}.choose` as Key); return; }
    if ((d === 'reopen' || d === 'cancel') && !note.value.trim()) { problem.value = t('do.reasonNeeded'); return; }
    busy.value = true;
    problem.value = '';
    const id = made.value.id; // the same event when tried again after a cut
    const ev = d === 'assign' ? event('assigned', { to: choice.value, note: note.value.trim() }, id)
      : d === 'close' ? event('closed', { outcome: choice.value, note: note.value.trim() }, id)
        : event(d === 'reopen' ? 'reopened' : 'cancelled', { reason: note.value.trim() }, id);
    try {
      open.data.value = await api.postEvents(c.id, [ev]);
      void loadCases();
      say(t(`do.${d}.done` as Key));
      onClose();
    } catch (err) {
      problem.value = problemText(err);
      if (err instanceof Problem && (err.status === 409 || err.status === 422)) void open.reload();
    } finally { busy.value = false; }
  };
  return (
    <Dialog title={t(`do.${d}.title` as Key)} onClose={onClose} testid={`dialog-${d}`}>
      <form onSubmit={run}>
        <p class="muted">{c.patient.name} · {c.number} · {specialtyLabel(c.specialty)}</p>
        {d === 'assign' && (
          <fieldset class="field choices"><legend>{t('do.assign.who')}</legend>
            {experts.length === 0 && <p class="empty small">{t('do.assign.none')}</p>}
            <div class="choice-col">{experts.map((s) => (
              <label class="choice" key={s.id}><input type="radio" name="expert" data-testid="expert" value={s.id} checked={choice.value === s.id} onChange={() => { choice.value = s.id; }} /><span><strong>{personName(s)}</strong><small>{s.facility}</small></span></label>))}</div>
          </fieldset>)}
        {d === 'close' && (
          <fieldset class="field choices"><legend>{t('do.close.outcome')}</legend>
            <div class="choice-row">{outcomes.map((o) => (
              <label class="choice" key={o}><input type="radio" name="outcome" data-testid={`outcome-${o}`} checked={choice.value === o} onChange={() => { choice.value = o; }} /><span>{t(`outcome.${o}`)}</span></label>))}</div>
          </fieldset>)}
        <div class="field"><label for="do-note">{d === 'reopen' || d === 'cancel' ? t('do.reason') : t('do.note')}</label><Area id="do-note" testid="do-note" value={note.value} maxLength={2000} onInput={(v) => { note.value = v; }} /></div>
        {problem.value && <Notice tone="bad" testid="do-problem">{problem.value}</Notice>}
        <p class="actions end"><button type="button" class="btn big" onClick={onClose}>{t('cancel')}</button>
          <button type="submit" class="btn main big" data-testid="do-confirm" aria-disabled={busy.value}>{t(`do.${d}.confirm` as Key)}</button></p>
      </form>
    </Dialog>
  );
}

function AccessLog({ c, onClose }: { c: Case; onClose: () => void }) {
  const list = useSignal<AccessEntry[] | undefined>(undefined), problem = useSignal('');
  useEffect(() => { api.access(c.id).then((r) => { list.value = r; }, (err) => { problem.value = problemText(err); }); }, []);
  return (
    <Dialog title={t('access.title')} onClose={onClose} testid="access-log">
      <p class="muted">{c.patient.name} · {c.number}</p>
      {problem.value && <Notice tone="bad">{problem.value}</Notice>}
      {!list.value && !problem.value && <p class="loading">{t('show.loading')}</p>}
      {list.value && <table class="log"><thead><tr><th>{t('access.who')}</th><th>{t('access.what')}</th><th>{t('access.when')}</th></tr></thead>
        <tbody>{list.value.map((e, i) => <tr key={i}><td>{personName(e.by)}</td><td>{tMaybe(`access.${e.action}`) ?? e.action}{e.outcome && tMaybe(`access.${e.outcome}`) ? ` (${tMaybe(`access.${e.outcome}`)})` : ''}{e.detail ? ` : ${e.detail}` : ''}</td><td><When at={e.at} /></td></tr>)}</tbody></table>}
    </Dialog>
  );
}
