// An ECG on its paper: 1 and 5 mm squares, speed and gain written, a calibration
// pulse on each row. No filter is applied here; those of the device are named.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { problemText } from '../api';
import type { Waveform } from '../types';
import { caliper, paper, traces, type Caliper, type Recording } from './draw';
import { leadName, perMinute, samples, sheet, type Format } from './layout';
import { w } from './words';
import './ecg.css';

/** load gives the samples: from a DICOM instance, or from an SCP-ECG or aECG file. */
export default function Ecg({ load, title }: { load: () => Promise<Waveform>; title: string }) {
  const [wave, setWave] = useState<Waveform>();
  const [problem, setProblem] = useState('');
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    setProblem('');
    load().then((x) => { if (!gone) setWave(x); }, (e) => { if (!gone) setProblem(problemText(e)); });
    return () => { gone = true; };
  }, [tries]);
  if (problem) return <div class="ecg-notice" role="alert"><p>{problem}</p><button type="button" onClick={() => setTries(tries + 1)}>{w('again')}</button></div>;
  if (!wave) return <div class="ecg-notice" role="status"><p>{w('loading')}</p></div>;
  return <Paper wave={wave} title={title} />;
}

function record(wave: Waveform): Recording {
  const r: Recording = { hz: wave.samplingHz, traces: new Map() };
  for (const lead of wave.leads) {
    const name = leadName(lead.name), raw = samples(lead.samples);
    r.traces.set(name, { name, microvolts: Float32Array.from(raw, (v) => (v === -32768 ? NaN : (lead.offset ?? 0) + v * lead.scale)) });
  }
  return r;
}

const cssMm = 96 / 25.4; // CSS pixels per millimetre, true only where the screen's density is

function Paper({ wave, title }: { wave: Waveform; title: string }) {
  const [speed, setSpeed] = useState(25), [gain, setGain] = useState(10), [format, setFormat] = useState<Format>('3x4');
  const [fit, setFit] = useState(true), [mark, setMark] = useState<Caliper>();
  const box = useRef<HTMLDivElement>(null), canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(900);
  const recording = useMemo(() => record(wave), [wave]);
  const names = [...recording.traces.keys()];
  const seconds = Math.max(0, ...[...recording.traces.values()].map((t) => t.microvolts.length)) / (wave.samplingHz || 1);
  const page = sheet(format, names, seconds, speed);
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
    if (mark) caliper(ctx, mark, k, page.height, reading(mark, speed, gain));
  });
  const at = (e: PointerEvent) => {
    const r = canvas.current!.getBoundingClientRect();
    return { x: ((e.clientX - r.left) / r.width) * page.width, y: ((e.clientY - r.top) / r.height) * page.height };
  };
  const down = (e: PointerEvent) => { canvas.current!.setPointerCapture(e.pointerId); const p = at(e); setMark({ x1: p.x, y1: p.y, x2: p.x, y2: p.y }); };
  const move = (e: PointerEvent) => { if (e.buttons && mark) { const p = at(e); setMark({ ...mark, x2: p.x, y2: p.y }); } };
  return (
    <section class="ecg" aria-label={title || w('title')}>
      <div class="ecg-bar">
        <Choice label={w('speed')} value={speed} options={[25, 50]} unit="mm/s" onPick={setSpeed} id="speed" />
        <Choice label={w('gain')} value={gain} options={[5, 10, 20]} unit="mm/mV" onPick={setGain} id="gain" />
        <label>{w('format')} <select value={format} data-testid="ecg-format" onChange={(e) => setFormat(e.currentTarget.value as Format)}>
          <option value="3x4">3×4 + II</option><option value="6x2">6×2</option><option value="12x1">12×1</option>
        </select></label>
        <label>{w('size')} <select value={fit ? 'fit' : 'real'} onChange={(e) => setFit(e.currentTarget.value === 'fit')}>
          <option value="fit">{w('fit')}</option><option value="real">{w('real')}</option>
        </select></label>
        {mark && <button type="button" onClick={() => setMark(undefined)}>{w('clear')}</button>}
        <button type="button" onClick={() => print()}>{w('print')}</button>
      </div>
      <div class="ecg-sheet" ref={box}>
        <canvas ref={canvas} data-testid="ecg-canvas" data-leads={names.length} data-hz={wave.samplingHz} data-seconds={seconds.toFixed(2)} data-speed={speed} data-gain={gain}
          role="img" aria-label={w('canvas', { n: names.length })} style={{ width: `${page.width * scale}px`, height: `${page.height * scale}px` }}
          onPointerDown={down} onPointerMove={move} />
      </div>
      <p class="ecg-foot">
        <strong data-testid="ecg-scale">{w('mm', { speed, gain })}</strong>
        {wave.startedAt && !wave.startedAt.startsWith('0001') && <span>{w('recorded', { d: new Date(wave.startedAt).toLocaleString('fr') })}</span>}
        <span>{wave.filters?.length ? w('filters', { f: wave.filters.join(', ') }) : w('noFilters')} {w('noExtra')}</span>
        <span>{w('calipers')}</span>
      </p>
    </section>
  );
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
