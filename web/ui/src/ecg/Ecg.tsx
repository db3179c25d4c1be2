// An ECG on its paper: 1 and 5 mm squares, speed and gain written, a calibration
// pulse on each row. Filters are off until asked for, and named on the trace.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, problemText } from '../api';
import { lang } from '../i18n';
import { sexAge } from '../lib/age';
import { now } from '../state/now';
import type { Case, Waveform } from '../types';
import { caliper, legend, paper, traces, type Caliper, type Recording } from './draw';
import { filtered, filterNames, section, type FilterName } from './filters';
import { leadName, perMinute, samples, sheet, stretch, type Format } from './layout';
import { onPrint, pages } from './print';
import { w } from './words';
import './ecg.css';

/** load gives the samples: from a DICOM instance, or from an SCP-ECG or aECG file. */
interface Given { caseId: string; load: () => Promise<Waveform>; title: string; owner?: string }

export default function Ecg({ caseId, load, title, owner }: Given) {
  const [about, setAbout] = useState<Case>();
  const [wave, setWave] = useState<Waveform>();
  const [problem, setProblem] = useState('');
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    setProblem('');
    load().then((x) => { if (!gone) setWave(x); }, (e) => { if (!gone) setProblem(problemText(e)); });
    return () => { gone = true; };
  }, [tries]);
  useEffect(() => {
    let gone = false;
    api.case(caseId).then((c) => { if (!gone) setAbout(c); }, () => {}); // only for the head of a printed page
    return () => { gone = true; };
  }, [caseId]);
  if (problem) return <div class="ecg-notice" role="alert"><p>{problem}</p><button type="button" onClick={() => setTries(tries + 1)}>{w('again')}</button></div>;
  if (!wave) return <div class="ecg-notice" role="status"><p>{w('loading')}</p></div>;
  return <Paper wave={wave} title={title} about={about} owner={owner} />;
}

function record(wave: Waveform): Recording {
  const r: Recording = { hz: wave.samplingHz, traces: new Map() };
  for (const lead of wave.leads) {
    if (lead.unit !== 'uV') continue; // a pressure has no millimetres a millivolt
    const name = leadName(lead.name), raw = samples(lead.samples);
    r.traces.set(name, { name, microvolts: Float32Array.from(raw, (v) => (v === -32768 ? NaN : (lead.offset ?? 0) + v * lead.scale)) });
  }
  return r;
}

/** What is drawn: the filters asked for over the recording, and aVR turned over for Cabrera's order. */
function treated(r: Recording, filters: FilterName[]): Recording {
  const out: Recording = { hz: r.hz, traces: new Map() };
  for (const [name, t] of r.traces) out.traces.set(name, { name, microvolts: filtered(t.microvolts, r.hz, filters) });
  const avr = out.traces.get('aVR');
  if (avr && !out.traces.has('-aVR')) out.traces.set('-aVR', { name: '-aVR', microvolts: avr.microvolts.map((v) => -v) });
  return out;
}

const filterWord: Record<FilterName, 'fBaseline' | 'fMuscle' | 'fMains'> = { baseline: 'fBaseline', muscle: 'fMuscle', mains: 'fMains' };

const cssMm = 96 / 25.4; // CSS pixels per millimetre, true only where the screen's density is

function Paper({ wave, title, about, owner }: { wave: Waveform; title: string; about?: Case; owner?: string }) {
  const [speed, setSpeed] = useState(25), [gain, setGain] = useState(10), [format, setFormat] = useState<Format>('3x4');
  const [fit, setFit] = useState(true), [mark, setMark] = useState<Caliper>();
  const box = useRef<HTMLDivElement>(null), canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(900);
  const [start, setStart] = useState(0), [filters, setFilters] = useState<FilterName[]>([]);
  const source = useMemo(() => record(wave), [wave]);
  const recording = useMemo(() => treated(source, filters), [source, filters]);
  const names = [...source.traces.keys()];
  const seconds = Math.max(0, ...[...source.traces.values()].map((t) => t.microvolts.length)) / (wave.samplingHz || 1);
  const page = sheet(format, names, seconds, speed, start);
  const scaleText = w('mm', { speed, gain }), added = filters.map((f) => w(filterWord[f])).join(', ');
  const filterText = added ? w('extra', { f: added }) : w('noExtra');
  const recorded = wave.startedAt && !wave.startedAt.startsWith('0001') ? w('recorded', { d: new Date(wave.startedAt).toLocaleString(lang.value === 'en' ? 'en' : 'fr', { timeZone: 'UTC' }) }) : '';
  const ofDevice = wave.filters?.length ? w('filters', { f: wave.filters.join(', ') }) : w('noFilters');
  const scale = fit ? Math.max(1.6, width / page.width) : cssMm; // CSS pixels per mm
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 900));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const c = canvas.current!, d = Math.min(devicePixelRatio || 1, 3), k = scale * d;
    c.width = Math.round(page.width * k);
    c.height = Math.round(page.height * k);
    const ctx = c.getContext('2d');
    if (!ctx) return;
    paper(ctx, page, k);
    traces(ctx, page, recording, k, gain);
    legend(ctx, page, k, `${scaleText} · ${filterText}`, filters.length > 0);
    if (mark) caliper(ctx, mark, k, page.height, reading(mark, speed, gain));
  });
  const printed = useRef<() => string[]>(() => []);
  printed.current = () => pages(page, recording, gain, {
    lines: [
      [about?.patient.name, about && sexAge(about.patient, now.value, lang.value), about?.number, owner && w('owner', { n: owner })].filter(Boolean).join(' · '),
      [title || w('title'), recorded, wave.device && w('device', { d: wave.device }), seconds > stretch && part].filter(Boolean).join(' · '),
      [scaleText, ofDevice, filterText].join(' · '),
    ], foot: `Sira · ${w('paper')}`, page: (n, of) => w('page', { n, of }),
  });
  useEffect(() => onPrint(() => printed.current()), []);
  const part = w('part', { a: start, b: Math.min(seconds, start + stretch).toFixed(0), of: seconds.toFixed(0) });
  const turn = (by: number) => setStart((s) => Math.max(0, Math.min(s + by * stretch, Math.floor((seconds - 0.01) / stretch) * stretch)));
  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey) return;
    const step = e.shiftKey ? 5 : 0.5, moves: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const by = moves[e.key];
    if (e.key === 'Escape' && mark) setMark(undefined);
    else if (e.key === 'Enter') setMark({ x1: page.width / 2, y1: page.height / 2, x2: page.width / 2 + speed, y2: page.height / 2 });
    else if (by && mark) setMark({ x1: mark.x1 + (e.altKey ? by[0] : 0), y1: mark.y1 + (e.altKey ? by[1] : 0), x2: mark.x2 + by[0], y2: mark.y2 + by[1] });
    else if (e.key === 'PageDown') turn(1);
    else if (e.key === 'PageUp') turn(-1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const at = (e: PointerEvent) => {
    const r = canvas.current!.getBoundingClientRect();
    return { x: ((e.clientX - r.left) / r.width) * page.width, y: ((e.clientY - r.top) / r.height) * page.height };
  };
  const down = (e: PointerEvent) => { canvas.current!.setPointerCapture(e.pointerId); const p = at(e); setMark(grip(mark, p) ?? { x1: p.x, y1: p.y, x2: p.x, y2: p.y }); };
  const move = (e: PointerEvent) => { if (e.buttons && mark) { const p = at(e); setMark({ ...mark, x2: p.x, y2: p.y }); } };
  return (
    <section class="ecg" aria-label={title || w('title')}>
      <div class="ecg-bar">
        <Choice label={w('speed')} value={speed} options={[25, 50]} unit="mm/s" onPick={setSpeed} id="speed" />
        <Choice label={w('gain')} value={gain} options={[5, 10, 20]} unit="mm/mV" onPick={setGain} id="gain" />
        <label>{w('format')} <select value={format} data-testid="ecg-format" onChange={(e) => setFormat(e.currentTarget.value as Format)}>
          <option value="3x4">3×4 + II</option><option value="6x2">6×2</option><option value="12x1">12×1</option><option value="cabrera">Cabrera</option>
        </select></label>
        <label>{w('size')} <select value={fit ? 'fit' : 'real'} onChange={(e) => setFit(e.currentTarget.value === 'fit')}>
          <option value="fit">{w('fit')}</option><option value="real">{w('real')}</option>
        </select></label>
        <fieldset aria-label={w('add')}>
          {filterNames.map((f) => (
            <label><input type="checkbox" data-testid={`ecg-filter-${f}`} checked={filters.includes(f)} disabled={!section(f, wave.samplingHz)}
              onChange={(e) => setFilters(filterNames.filter((n) => (n === f ? e.currentTarget.checked : filters.includes(n))))} /> {w(filterWord[f])}</label>
          ))}
        </fieldset>
        {seconds > stretch + 0.5 && <>
          <button type="button" data-testid="ecg-earlier" disabled={start === 0} onClick={() => turn(-1)}>{w('earlier')}</button>
          <span data-testid="ecg-part">{part}</span>
          <button type="button" data-testid="ecg-later" disabled={start + stretch >= seconds} onClick={() => turn(1)}>{w('later')}</button>
        </>}
        {mark && <button type="button" onClick={() => setMark(undefined)}>{w('clear')}</button>}
        <button type="button" data-testid="ecg-print" onClick={() => print()}>{w('print')}</button>
      </div>
      <div class="ecg-sheet" ref={box}>
        <canvas ref={canvas} data-testid="ecg-canvas" data-leads={names.length} data-hz={wave.samplingHz} data-seconds={seconds.toFixed(2)} data-speed={speed} data-gain={gain} data-start={start} data-filters={filters.join(' ')} data-boxes={page.boxes.map((b) => b.lead).join(' ')}
          tabIndex={0} role="img" aria-label={w('canvas', { n: names.length })} onKeyDown={onKey} style={{ width: `${page.width * scale}px`, height: `${page.height * scale}px` }}
          onPointerDown={down} onPointerMove={move} />
      </div>
      <p class="ecg-foot">
        <strong data-testid="ecg-scale">{scaleText}</strong>
        {mark && <output data-testid="ecg-reading">{reading(mark, speed, gain)}</output>}
        {recorded && <span>{recorded}</span>}
        {wave.device && <span data-testid="ecg-device">{w('device', { d: wave.device })}</span>}
        <span>{ofDevice} · <span class={added && 'ecg-filtered'} data-testid="ecg-filters">{filterText}</span></span>
        {source.traces.size < wave.leads.length && <span>{w('other', { n: wave.leads.length - source.traces.size })}</span>}
        <span>{w('calipers')}</span>
      </p>
    </section>
  );
}

/** A leg of the callipers under the finger is moved; elsewhere new ones begin. */
function grip(m: Caliper | undefined, p: { x: number; y: number }): Caliper | undefined {
  if (!m || Math.min(Math.abs(p.x - m.x1), Math.abs(p.x - m.x2)) > 2) return undefined;
  const near = Math.abs(p.x - m.x2) <= Math.abs(p.x - m.x1);
  return near ? { ...m, x2: p.x, y2: p.y } : { x1: m.x2, y1: m.y2, x2: p.x, y2: p.y };
}

function reading(c: Caliper, speed: number, gain: number): string {
  const s = Math.abs(c.x2 - c.x1) / speed, mv = Math.abs(c.y2 - c.y1) / gain;
  return `${Math.round(s * 1000)} ms · ${Math.round(perMinute(s))}/min · ${mv.toFixed(2)} mV`;
}

function Choice(p: { label: string; value: number; options: number[]; unit: string; id: string; onPick: (v: number) => void }) {
  return (
    <label>{p.label} <select value={p.value} data-testid={`ecg-${p.id}`} onChange={(e) => p.onPick(Number(e.currentTarget.value))}>
      {p.options.map((o) => <option value={o}>{o} {p.unit}</option>)}
    </select></label>
  );
}
