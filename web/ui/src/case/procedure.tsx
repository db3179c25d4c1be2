// The examination asked of a device: what it will read on its worklist, and whether its images came.
import { useSignal } from '@preact/signals';
import { id, json, problemText, wholeCase } from '../api';
import { t, tMaybe } from '../i18n';
import { personName } from '../lib/person';
import { exact } from '../lib/time';
import { Dialog, Notice, say } from '../parts/base';
import { Icon } from '../parts/icon';
import { directory } from '../state/session';
import type { Case } from '../types';
import type { OpenCase } from './model';
import { w } from './words';

const modalities = ['US', 'ECG', 'DX', 'CR', 'CT', 'MR', 'MG', 'XA', 'NM', 'OT'];
const label = (m: string) => `${tMaybe(`modality.${m}`) ?? m} (${m})`;
const path = (c: Case) => `/api/cases/${id(c.id)}/worklist`;

/** A moment as a datetime-local field writes it, to the minute, in the device's own time. */
function localTime(d: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

function Ask({ c, open, onClose }: { c: Case; open: OpenCase; onClose: () => void }) {
  const before = c.procedure && !c.procedure.done ? c.procedure : undefined;
  const modality = useSignal(before?.modality ?? 'US'), device = useSignal(before?.device ?? ''), description = useSignal(before?.description ?? '');
  const at = useSignal(localTime(before ? new Date(before.at) : new Date())), busy = useSignal(false), problem = useSignal('');
  const known = directory.value?.devices ?? [];
  const devices = before?.device && !known.includes(before.device) ? [...known, before.device] : known;
  const kinds = modalities.includes(modality.value) ? modalities : [...modalities, modality.value];
  const run = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    const when = new Date(at.value);
    if (!description.value.trim()) { problem.value = w('lackDescription'); document.getElementById('p-what')?.focus(); return; }
    if (isNaN(+when)) { problem.value = w('lackDate'); document.getElementById('p-at')?.focus(); return; }
    busy.value = true;
    problem.value = '';
    try {
      const r = await json<{ case: Case }>('PUT', path(c), { modality: modality.value, ...(device.value ? { device: device.value } : {}), at: when.toISOString(), description: description.value.trim() });
      open.data.value = wholeCase(r.case);
      say(w('sent'));
      onClose();
    } catch (err) { problem.value = problemText(err); } finally { busy.value = false; }
  };
  return (
    <Dialog title={w('ask')} onClose={onClose} testid="procedure-dialog">
      <form onSubmit={run}>
        <p class="muted">{c.patient.name} · {c.number}. {w('hint')}</p>
        {known.length === 0 && <Notice tone="warn">{w('noDevice', { n: c.number })}</Notice>}
        {before && <p class="muted">{w('replaces')}</p>}
        <div class="field"><label for="p-kind">{w('modality')}</label>
          <select id="p-kind" data-testid="procedure-modality" value={modality.value} onChange={(e) => { modality.value = e.currentTarget.value; }}>{kinds.map((m) => <option key={m} value={m}>{label(m)}</option>)}</select></div>
        <div class="field"><label for="p-what">{w('description')} <span class="req">{t('required')}</span></label>
          <input id="p-what" data-testid="procedure-description" maxLength={64} placeholder={w('descriptionHint')} aria-required="true" value={description.value} onInput={(e) => { description.value = e.currentTarget.value; problem.value = ''; }} /></div>
        <div class="grid">
          <div class="field"><label for="p-device">{w('device')}</label>
            <select id="p-device" data-testid="procedure-device" value={device.value} onChange={(e) => { device.value = e.currentTarget.value; }}><option value="">{w('any')}</option>{devices.map((d) => <option key={d} value={d}>{d}</option>)}</select></div>
          <div class="field"><label for="p-at">{w('at')}</label><input id="p-at" type="datetime-local" data-testid="procedure-at" value={at.value} onInput={(e) => { at.value = e.currentTarget.value; }} /></div>
        </div>
        {problem.value && <Notice tone="bad" testid="procedure-problem">{problem.value}</Notice>}
        <p class="actions end"><button type="button" class="btn big" onClick={onClose}>{t('cancel')}</button>
          <button type="submit" class="btn main big" data-testid="procedure-send" aria-disabled={busy.value}><Icon name="send" size={18} /> {busy.value ? w('sending') : w('send')}</button></p>
      </form>
    </Dialog>
  );
}

function TakeBack({ c, open, onClose }: { c: Case; open: OpenCase; onClose: () => void }) {
  const busy = useSignal(false), problem = useSignal('');
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    try {
      open.data.value = wholeCase((await json<{ case: Case }>('DELETE', path(c))).case);
      say(w('cancelled'));
      onClose();
    } catch (err) { problem.value = problemText(err); } finally { busy.value = false; }
  };
  return (
    <Dialog title={w('sureTitle')} onClose={onClose} testid="procedure-sure">
      <p class="strong">{c.procedure && `${label(c.procedure.modality)} · ${c.procedure.description}`}</p><p>{w('sureText')}</p>
      {problem.value && <Notice tone="bad">{problem.value}</Notice>}
      <p class="actions end"><button type="button" class="btn big" onClick={onClose}>{t('back')}</button>
        <button type="button" class="btn bad big" data-testid="procedure-sure-yes" aria-disabled={busy.value} onClick={() => void run()}>{w('cancel')}</button></p>
    </Dialog>
  );
}

export function Procedure({ c, open }: { c: Case; open: OpenCase }) {
  const doing = useSignal<'ask' | 'cancel' | undefined>(undefined);
  const p = c.procedure, may = c.can.includes('schedule');
  if (!p && !may) return null;
  return (
    <section class="card procedure" aria-labelledby="h-proc" data-testid="procedure" data-state={p ? (p.done ? 'done' : 'waiting') : 'none'}>
      <div class="card-head"><h2 id="h-proc">{w('title')}</h2>
        {may && p && !p.done && <button type="button" class="btn quiet" data-testid="procedure-cancel" onClick={() => { doing.value = 'cancel'; }}><Icon name="trash" size={18} /> {w('cancel')}</button>}
        {may && <button type="button" class="btn quiet" data-testid="procedure-ask" onClick={() => { doing.value = 'ask'; }}><Icon name={p && !p.done ? 'clock' : 'plus'} size={18} /> {!p ? w('ask') : p.done ? w('askOther') : w('change')}</button>}</div>
      {p && <>
        <p><span class="tag mod">{p.modality}</span> <strong>{p.description}</strong> <span class={`tag ${p.done ? 'live' : 'warn'}`} data-testid="procedure-state">{p.done ? <Icon name="check" size={14} /> : <Icon name="clock" size={14} />} {p.done ? w('done') : w('waiting')}</span></p>
        <p class="muted">{[p.device ? w('on', { aet: p.device }) : w('anyDevice'), `${w('planned')} ${exact(p.at)}`, w('by', { who: personName(p.by) })].join(' · ')}</p>
        {!p.done && may && <p class="hint">{w('number', { n: p.accession })}</p>}
      </>}
      {doing.value === 'ask' && <Ask c={c} open={open} onClose={() => { doing.value = undefined; }} />}
      {doing.value === 'cancel' && <TakeBack c={c} open={open} onClose={() => { doing.value = undefined; }} />}
    </section>
  );
}
