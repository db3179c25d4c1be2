// Somebody without an account is invited to the call: a link that works once, to
// be shown as a code, copied or shared; and taken back.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { generate } from 'lean-qr';
import { id, json, problemText } from '../api';
import { personName } from '../lib/person';
import { exact } from '../lib/time';
import { Dialog, Notice, say } from '../parts/base';
import { doors } from '../state/door';
import type { Guest } from '../types';
import { w } from './words';
import './invite.css';

const at = (caseId: string) => `/api/cases/${id(caseId)}/guests`;

export default function Invite({ caseId, onClose }: { caseId: string; onClose: () => void }) {
  const list = useSignal<Guest[] | undefined>(undefined), made = useSignal<{ guest: Guest; link: string } | undefined>(undefined), problem = useSignal('');
  const load = () => json<{ guests: Guest[] }>('GET', at(caseId)).then((r) => { list.value = r.guests; }, (err) => { problem.value = problemText(err); });
  const door = doors.value[caseId]?.length ?? 0;
  useEffect(() => { void load(); }, [door]);
  const takeBack = async (g: Guest) => {
    try {
      await json('DELETE', `${at(caseId)}/${id(g.id)}`);
      say(w('takenBack'));
      if (made.value?.guest.id === g.id) made.value = undefined;
    } catch (err) { problem.value = problemText(err); }
    void load();
  };
  return (
    <Dialog title={w('title')} onClose={onClose} testid="invite">
      {made.value
        ? <Made {...made.value} onAnother={() => { made.value = undefined; }} />
        : <Form caseId={caseId} onMade={(m) => { made.value = m; void load(); }} />}
      {problem.value && <Notice tone="bad" testid="invite-problem">{problem.value}</Notice>}
      {list.value && list.value.length > 0 && (
        <section class="invite-list"><h3>{w('list')}</h3>
          {list.value.map((g) => (
            <div key={g.id} class="invite-row" data-testid="invite-row" data-state={g.state}>
              <span><strong>{g.name}</strong> · {w(g.state === 'link' ? 'link_state' : g.state)}<small>{w('by', { who: personName(g.by) })} · {w('until', { until: exact(g.expires) })}</small></span>
              <button type="button" class="btn" data-testid="invite-take-back" onClick={() => void takeBack(g)}>{w('takeBack')}</button>
            </div>))}
        </section>)}
    </Dialog>
  );
}

function Form({ caseId, onMade }: { caseId: string; onMade: (m: { guest: Guest; link: string }) => void }) {
  const kind = useSignal<'patient' | 'other'>('patient'), name = useSignal(''), hours = useSignal(24), problem = useSignal(''), busy = useSignal(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    if (kind.value === 'other' && !name.value.trim()) { problem.value = w('nameMissing'); return; }
    busy.value = true;
    problem.value = '';
    try {
      onMade(await json('POST', at(caseId), { kind: kind.value, hours: hours.value, ...(kind.value === 'other' ? { name: name.value.trim() } : {}) }));
    } catch (err) { problem.value = problemText(err); } finally { busy.value = false; }
  };
  return (
    <form onSubmit={submit} data-testid="invite-form">
      <p class="muted">{w('lead')}</p>
      <fieldset class="field choices"><legend>{w('who')}</legend>
        <div class="choice-row">{(['patient', 'other'] as const).map((k) => (
          <label class="choice" key={k}><input type="radio" name="kind" data-testid={`invite-${k}`} checked={kind.value === k} onChange={() => { kind.value = k; }} /><span>{w(k)}</span></label>))}</div>
      </fieldset>
      {kind.value === 'other' && <div class="field"><label for="invite-name">{w('name')}</label>
        <input id="invite-name" data-testid="invite-name" maxLength={80} autoComplete="off" value={name.value} onInput={(e) => { name.value = e.currentTarget.value; }} /><small class="muted">{w('nameHint')}</small></div>}
      <fieldset class="field choices"><legend>{w('life')}</legend>
        <div class="choice-row">{([1, 24, 72] as const).map((h) => (
          <label class="choice" key={h}><input type="radio" name="hours" data-testid={`invite-${h}`} checked={hours.value === h} onChange={() => { hours.value = h; }} /><span>{w(`h${h}`)}</span></label>))}</div>
      </fieldset>
      {problem.value && <Notice tone="bad" testid="invite-problem">{problem.value}</Notice>}
      <p class="actions end"><button type="submit" class="btn main big" data-testid="invite-make" aria-disabled={busy.value}>{busy.value ? w('making') : w('make')}</button></p>
    </form>
  );
}

function Made({ guest, link, onAnother }: { guest: Guest; link: string; onAnother: () => void }) {
  const url = location.origin + link;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => generate(url).toCanvas(canvas.current!, { padX: 3, padY: 3, off: [255, 255, 255] }), [url]);
  const copy = () => (navigator.clipboard?.writeText(url) ?? Promise.reject(new Error('no clipboard'))).then(() => say(w('copied')), () => say(w('noCopy'), undefined, 'bad'));
  return (
    <section class="invite-made" data-testid="invite-made">
      <h3>{w('made', { who: guest.name })}</h3>
      <canvas ref={canvas} class="invite-qr" role="img" aria-label={w('qr')} data-testid="invite-qr" />
      <p>{w('once', { until: exact(guest.expires) })}</p>
      <label class="field">{w('link')}<input readOnly data-testid="invite-link" value={url} onFocus={(e) => e.currentTarget.select()} /></label>
      <p class="actions">
        <button type="button" class="btn main big" data-testid="invite-copy" onClick={() => void copy()}>{w('copy')}</button>
        {'share' in navigator && <button type="button" class="btn big" onClick={() => void navigator.share({ text: w('shareText'), url }).catch(() => {})}>{w('share')}</button>}
        <button type="button" class="btn big" data-testid="invite-another" onClick={onAnother}>{w('another')}</button>
      </p>
      <p class="muted">{w('onlyOnce')}</p>
    </section>
  );
}
