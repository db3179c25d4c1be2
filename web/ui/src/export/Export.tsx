// What leaves a case, to whom, and what a person must look at first.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { bytes } from '../lib/bytes';
import { sexAge } from '../lib/age';
import { lang } from '../i18n';
import { Dialog, Meter, Notice } from '../parts/base';
import { now } from '../state/now';
import type { Case } from '../types';
import { Masks } from './Masks';
import { groupsOf, onLink, order, progress, shotsOf, survey, type Group, type Mode, type Options, type Progress, type Ready, type Survey } from './model';
import { w } from './words';
import './export.css';

const whys = ['whyTeach', 'whyStudy', 'whyOpinion', 'whyOther'] as const;
const keeps = [['patient', 'keepPatient'], ['device', 'keepDevice'], ['institution', 'keepInstitution'], ['descriptions', 'keepDescriptions']] as const;
const dates = [['shifted', 'datesShifted', 'datesShiftedHint'], ['removed', 'datesRemoved', ''], ['kept', 'datesKept', 'datesKeptHint']] as const;

export function Export({ c, onClose }: { c: Case; onClose: () => void }) {
  const modes = (['full', 'anonymous'] as Mode[]).filter((m) => c.can.includes(m === 'full' ? 'export' : 'export-anonymous'));
  const mode = useSignal<Mode>(modes[0] ?? 'full'), what = useSignal<Survey | undefined>(undefined), groups = useSignal<Group[]>([]), opened = useSignal<Group | undefined>(undefined);
  const to = useSignal(''), why = useSignal(''), other = useSignal(''), options = useSignal<Options>({ dates: 'shifted', patient: true, device: false, institution: false, descriptions: true });
  const problem = useSignal(''), busy = useSignal(false), ready = useSignal<Ready | undefined>(undefined), tries = useSignal(0);

  useEffect(() => {
    let gone = false;
    what.value = undefined;
    problem.value = '';
    survey(c.id, mode.value).then((v) => { if (!gone) { what.value = v; groups.value = groupsOf(v.look); } }, (e) => { if (!gone) problem.value = problemText(e); });
    return () => { gone = true; };
  }, [mode.value, tries.value]);

  const decide = (g: Group, change: Partial<Group>) => {
    groups.value = groups.value.map((x) => (x.key === g.key ? { ...x, ...change } : x));
    opened.value = undefined;
  };
  const run = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    const anonymous = mode.value === 'anonymous';
    const purpose = why.value === 'whyOther' ? other.value.trim() : why.value ? w(why.value as 'whyTeach') : '';
    problem.value = !to.value.trim() ? w('needTo') : anonymous && !purpose ? w('needWhy') : anonymous && groups.value.some((g) => g.state === 'look') ? w('needLook') : '';
    if (problem.value) return;
    busy.value = true;
    try {
      ready.value = await order(c.id, !anonymous ? { mode: 'full', recipient: to.value.trim() } : {
        mode: 'anonymous', recipient: to.value.trim(), purpose, options: options.value,
        looked: groups.value.filter((g) => g.state === 'seen').flatMap((g) => g.items.map((i) => ({ sop: i.sop, masks: g.masks }))),
        exclude: groups.value.filter((g) => g.state === 'out').flatMap((g) => g.items.map((i) => i.sop)),
      });
    } catch (err) { problem.value = problemText(err); } finally { busy.value = false; }
  };

  const who = `${c.patient.name}, ${sexAge(c.patient, now.value, lang.value)} · ${c.number}`;
  if (opened.value) {
    const g = opened.value;
    return <Dialog key="masks" title={`${who} · ${w('look')}`} onClose={() => { opened.value = undefined; }} wide dark testid="export-look">
      <Masks caseId={c.id} group={g} onBack={() => { opened.value = undefined; }} onExclude={() => decide(g, { state: 'out' })}
        onDone={(masks) => decide(g, { state: 'seen', masks, seen: new Set(shotsOf(g).map((s) => `${s.sop}/${s.frame}`)) })} />
    </Dialog>;
  }
  const v = what.value;
  return (
    <Dialog key="export" title={w('title')} onClose={onClose} testid="dialog-export">
      <p class="muted">{who}</p>
      {ready.value ? <Fetching ready={ready.value} onClose={onClose} /> : (
        <form onSubmit={run}>
          <fieldset class="field choices" aria-label={w('title')}><div class="choice-col">
            {modes.map((m) => <label class="choice" key={m}><input type="radio" name="mode" data-testid={`export-${m}`} checked={mode.value === m} onChange={() => { mode.value = m; }} />
              <span><strong>{w(m === 'full' ? 'modeFull' : 'modeAnon')}</strong><small>{w(m === 'full' ? 'modeFullHint' : 'modeAnonHint')}</small></span></label>)}
          </div></fieldset>
          {!v && !problem.value && <p class="loading" role="status">{w('loading')}</p>}
          {!v && problem.value && <Notice tone="bad" action={<button type="button" class="btn" onClick={() => { tries.value++; }}>{w('again')}</button>}>{problem.value}</Notice>}
          {v && <>
            <p class="export-holds" data-testid="export-holds">{w(mode.value === 'full' ? 'holds' : 'holdsAnon', { objects: v.objects, others: v.others, size: bytes(v.bytes), time: onLink(v.bytes) })}<br />
              <span class="muted">{[mode.value === 'full' && w('opinions', { n: v.opinions }), w('keys', { n: v.keyImages }), mode.value === 'anonymous' && w('noTexts')].filter(Boolean).join(' · ')}</span></p>
            <div class="field"><label for="export-to">{w('to')}</label>
              <input id="export-to" data-testid="export-to" list="export-known" maxLength={120} autocomplete="off" value={to.value} aria-describedby="export-to-hint" onInput={(e) => { to.value = e.currentTarget.value; }} />
              <datalist id="export-known">{v.recipients.map((r) => <option key={r} value={r} />)}</datalist>
              <small class="muted" id="export-to-hint">{w(mode.value === 'full' ? 'toHint' : 'toAnonHint')}</small></div>
            {mode.value === 'anonymous' && <>
              <div class="field"><label for="export-why">{w('why')}</label>
                <select id="export-why" data-testid="export-why" value={why.value} onChange={(e) => { why.value = e.currentTarget.value; }}><option value="" />{whys.map((x) => <option key={x} value={x}>{w(x)}</option>)}</select>
                {why.value === 'whyOther' && <input aria-label={w('whyOther')} maxLength={120} value={other.value} onInput={(e) => { other.value = e.currentTarget.value; }} />}</div>
              <fieldset class="field choices"><legend>{w('dates')}</legend><div class="choice-row">
                {dates.map(([k, word, hint]) => <label class="choice" key={k}><input type="radio" name="dates" data-testid={`export-dates-${k}`} checked={options.value.dates === k} onChange={() => { options.value = { ...options.value, dates: k }; }} /><span>{w(word)}{hint && <small>{w(hint)}</small>}</span></label>)}
              </div></fieldset>
              <fieldset class="field choices"><legend>{w('keep')}</legend><div class="choice-row">
                {keeps.map(([k, word]) => <label class="choice" key={k}><input type="checkbox" data-testid={`export-keep-${k}`} checked={options.value[k]} onChange={(e) => { options.value = { ...options.value, [k]: e.currentTarget.checked }; }} /><span>{w(word)}</span></label>)}
              </div></fieldset>
              {v.faces > 0 && <Notice tone="warn" testid="export-face">{w('face', { n: v.faces })}</Notice>}
              {groups.value.length > 0 && <section aria-labelledby="export-look-h"><h3 id="export-look-h">{w('look')}</h3><p class="muted small">{w('lookHint')}</p>
                <ul class="plain export-list">{groups.value.map((g) => (
                  <li key={g.key} data-testid="export-group" data-state={g.state}><span class="grow"><span class="tag mod">{g.items[0]!.modality}</span> {w('images', { n: shotsOf(g).length })} · {w('masks', { n: g.proposed.length })}
                    {g.items[0]!.warnings.map((x) => <small class="muted" key={x}> · {w(`warn.${x}` as 'warn.screenshot')}</small>)}</span>
                    <strong class={g.state}>{g.state === 'seen' ? `✓ ${w('seen')}` : g.state === 'out' ? `✕ ${w('out')}` : w('toLook')}</strong>
                    <button type="button" class={`btn ${g.state === 'look' ? 'main' : ''}`} data-testid="export-open" onClick={() => { opened.value = g; }}>{w('open')}</button></li>))}</ul></section>}
            </>}
            {v.left.length > 0 && <details data-testid="export-left" open={v.left.length < 4}><summary>{w('left', { n: v.left.length })}</summary>
              <ul class="plain export-list">{v.left.slice(0, 200).map((l) => <li key={l.attachment}><span class="grow ellipsis">{l.modality && <span class="tag mod">{l.modality}</span>} {l.name}</span><small class="muted">{w(`reason.${l.reason}` as 'reason.pixels')}</small></li>)}</ul></details>}
            {problem.value && <Notice tone="bad" testid="export-problem">{problem.value}</Notice>}
            <p class="actions end"><button type="submit" class="btn main big" data-testid="export-run" aria-disabled={busy.value}>{w(busy.value ? 'preparing' : 'prepare')}</button></p>
          </>}
        </form>)}
    </Dialog>
  );
}

/** The browser fetches; how far the server is stands here. */
function Fetching({ ready, onClose }: { ready: Ready; onClose: () => void }) {
  const p = useSignal<Progress | undefined>(undefined);
  useEffect(() => {
    let gone = false, timer = 0;
    const ask = async () => {
      try { const v = await progress(ready.status); if (!gone) p.value = v; } catch { /* the next one tells */ }
      if (!gone) timer = window.setTimeout(ask, p.value?.state === 'done' ? 5000 : 1000);
    };
    document.getElementById('export-file')?.click();
    timer = window.setTimeout(ask, 300);
    return () => { gone = true; clearTimeout(timer); };
  }, []);
  const v = p.value;
  const percent = v?.state === 'done' ? 100 : v && ready.bytes ? Math.min(99, Math.round((v.sent / ready.bytes) * 100)) : 0;
  return (
    <div class="export-run" data-testid="export-progress" data-state={v?.state ?? 'waiting'}>
      <Meter percent={percent} label={w('title')} tone={v?.state === 'done' ? 'good' : undefined} />
      <p class="num" role="status">{!v || v.state === 'waiting' ? w('waiting') : v.state === 'done' ? w('done', { sent: bytes(v.sent) }) : v.state === 'interrupted' ? w('cut') : w('progress', { done: v.done, total: v.total, sent: bytes(v.sent), size: bytes(ready.bytes) })}</p>
      <Notice tone={v?.state === 'interrupted' ? 'warn' : 'info'}>{w('ready')} {w('zip')} {w('journal')}</Notice>
      <p class="actions end"><a id="export-file" class="btn" href={ready.file} download data-testid="export-file">{w('save')}</a><button type="button" class="btn main" data-testid="export-close" onClick={onClose}>{w('close')}</button></p>
    </div>
  );
}
