// The last minutes of a call, drawn: whose link was it, and what was it?
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { lang, tMaybe } from '../i18n';
import { percent } from '../lib/callsum';
import { clock, exact, left } from '../lib/time';
import { Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import { navigate, paths } from '../router';
import { DelayChart, Hatch, RateChart } from './chart';
import { merge, recordApi, rows, type Person, type Row, type View, type Way } from './data';
import { Figures, reasons } from './figures';
import { personOf, share, tenth, w } from './words';
import './record.css';

const every = 4000; // ms between looks; each costs a few hundred bytes

export default function Minutes({ caseId, call }: { caseId?: string; call?: string }) {
  const view = useSignal<View | undefined>(undefined), problem = useSignal(''), heard = useSignal(0), tick = useSignal(0), way = useSignal<Way>('down');
  useEffect(() => {
    let timer = 0, over = false;
    const look = async () => {
      try {
        const after = view.value?.at ?? 0;
        const v = call ? await recordApi.ofCall(call, after) : await recordApi.ofCase(caseId!, after);
        if (over) return;
        // Another call began meanwhile: all of it is new.
        view.value = view.value && view.value.id !== v.id && !call ? merge(undefined, await recordApi.ofCase(caseId!, 0)) : merge(view.value, v);
        problem.value = '';
        heard.value = Date.now();
      } catch (err) { if (!over && !view.value) problem.value = problemText(err); }
      tick.value++;
      if (!over) timer = window.setTimeout(() => void look(), document.visibilityState === 'visible' ? every : 4 * every);
    };
    void look();
    return () => { over = true; clearTimeout(timer); };
  }, [caseId, call]);
  void tick.value;
  const v = view.value, back = call ? paths.admin : paths.case(caseId!), late = Math.round((Date.now() - heard.value) / 1000);
  return (
    <main id="main" class="page record" tabIndex={-1} data-testid="record" data-people={v?.people.length ?? 0}>
      <Hatch />
      <div class="record-head"><button type="button" class="btn quiet square" aria-label={w('back')} onClick={() => navigate(back)}><Icon name="back" /></button>
        <h1>{w('title')}</h1>{v && <p class="muted" data-testid="record-state">{when(v)}</p>}
        {v && <div class="record-ways" role="group">{(['down', 'up'] as const).map((k) => <button type="button" key={k} class={`btn ${way.value === k ? 'on' : ''}`} aria-pressed={way.value === k} data-testid={`record-${k}`} onClick={() => { way.value = k; }}>{w(k === 'down' ? 'wayDown' : 'wayUp')}</button>)}</div>}</div>
      {problem.value && <Notice tone="bad">{problem.value}</Notice>}
      {!v && !problem.value && <p class="loading" role="status">{w('loading')}</p>}
      {v && late > 15 && <Notice tone="warn">{w('lag', { n: late })}</Notice>}
      {v && !v.people.length && <p class="muted">{w('none')}</p>}
      {v?.people.map((p) => <Line key={`${p.user} ${p.via} ${p.joinedAt}`} p={p} v={v} way={way.value} />)}
    </main>
  );
}

function when(v: View): string {
  const d = left(Math.max(1, (+new Date(v.endedAt ?? v.at) - +new Date(v.startedAt)) / 1000));
  return v.endedAt ? w('ended', { at: exact(v.endedAt), d }) : w('since', { d });
}

function Line({ p, v, way }: { p: Person; v: View; way: Way }) {
  const open = useSignal<'' | 'table' | 'figures'>('');
  const who = personOf(p), last = p.samples.at[p.samples.at.length - 1] ?? v.at, to = p.here ? v.at : last, begun = +new Date(v.startedAt), end = p.here ? w('now') : clock(new Date(last));
  const charts = { c: p.samples, way, every: v.everyMs, to, begun, who, end, outages: p.outages };
  const toggle = (k: 'table' | 'figures') => { open.value = open.value === k ? '' : k; };
  return (
    <section class="card record-person" data-testid="record-person" data-user={p.user} aria-label={who}>
      <div class="head"><h2>{who}{p.via ? ` · ${w(p.via)}` : ''}</h2><span class="muted">{[tMaybe(`role.${p.role}`), p.facility].filter(Boolean).join(', ')}</span>
        <strong class={p.sign === 'good' ? 'ok' : p.sign ? 'no' : 'muted'} data-testid="record-sign">{p.here ? w(p.sign ?? 'unknown') : w('gone')}</strong></div>
      <p class="small" data-testid="record-reasons">{p.totals.voice > 0 && `${w('fUsable')} ${percent(p.totals.usable, p.totals.voice)} % · `}<strong>{reasons(p.totals, false)}</strong>{p.received && ` · ${p.received.width}×${p.received.height}, ${p.received.fps}/s`}</p>
      <div class="record-charts"><RateChart {...charts} /><DelayChart {...charts} /></div>
      <div class="record-acts">
        <button type="button" class="btn" aria-expanded={open.value === 'table'} data-testid="record-table-open" onClick={() => toggle('table')}>{w('table')}</button>
        <button type="button" class="btn" aria-expanded={open.value === 'figures'} data-testid="record-figures-open" onClick={() => toggle('figures')}>{w('figures')}</button>
      </div>
      {open.value === 'table' && <Table p={p} />}
      {open.value === 'figures' && <Figures f={p.totals} />}
    </section>
  );
}

/** How large a picture somebody receives, and why not a larger one. */
function picture(r: Row): string {
  const why = r.picture ? w((['pictureSmall', 'pictureOff', 'pictureUnwanted', 'pictureStills'] as const)[r.picture - 1] ?? 'pictureSmall') : '';
  return [r.height > 0 && r.picture < 2 && w('lines', { n: r.height }), why].filter(Boolean).join(', ') || '—';
}

function Table({ p }: { p: Person }) {
  const time = (at: number) => new Date(at).toLocaleTimeString(lang.value === 'en' ? 'en-GB' : 'fr-FR');
  return (
    <div class="record-table" tabIndex={0} role="region" aria-label={w('table')}>
      <p class="hint">{w('tenSeconds')}</p>
      <table data-testid="record-table">
        <thead><tr>{(['time', 'tEstimate', 'tSent', 'tDelivered', 'tVoice', 'tRtt', 'tUp', 'tDown', 'tPicture', 'tNote'] as const).map((k) => <th key={k} scope="col">{w(k)}</th>)}</tr></thead>
        <tbody>{rows(p.samples).map((r) => <tr key={r.at}><td>{time(r.at)}</td><td>{r.estimate || '—'}</td><td>{r.sent}</td><td>{r.delivered}</td><td>{r.voice}</td><td>{r.rttMs || '—'}</td><td>{share(r.lossUp)} %</td><td>{share(r.lossDown)} %</td><td>{picture(r)}</td>
          <td>{[r.cut && w('outage'), r.frozenMs > 0 && `${w('frozen')} ${tenth(r.frozenMs / 1000)} s`].filter(Boolean).join(', ')}</td></tr>)}</tbody>
      </table>
    </div>
  );
}
