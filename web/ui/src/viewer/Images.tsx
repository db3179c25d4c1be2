// The screen "Images": dark, edge to edge, the patient always in sight.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, problemText, urls } from '../api';
import { lang } from '../i18n';
import { sexAge } from '../lib/age';
import { paths, route } from '../router';
import { now } from '../state/now';
import { dicomDate, dicomName } from '../lib/text';
import type { Case, SeriesManifest } from '../types';
import { Film } from './Film';
import { calibration } from './measures';
import { onLive } from '../state/live';
import { KeyMark } from './keys';
import { Stack, type Status, type Tool } from './Stack';
import { ctPresets } from './voi';
import { w } from './words';
import './viewer.css';

const tools: [Tool, string, string][] = [['scroll', 'S', 'toolScroll'], ['window', 'W', 'toolWindow'], ['zoom', 'Z', 'toolZoom'], ['pan', 'P', 'toolPan'], ['measure', 'M', 'toolMeasure'], ['angle', 'A', 'toolAngle'], ['region', 'R', 'toolRegion']];

export default function Images({ caseId, series }: { caseId: string; series: string }) {
  const [about, setAbout] = useState<Case>();
  const [manifest, setManifest] = useState<SeriesManifest>();
  const [problem, setProblem] = useState('');
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    setManifest(undefined);
    setProblem('');
    api.series(caseId, series).then((m) => { if (!gone) setManifest(m); }, (e) => { if (!gone) setProblem(problemText(e)); });
    return () => { gone = true; };
  }, [caseId, series, tries]);
  useEffect(() => {
    let gone = false;
    const get = () => api.case(caseId).then((c) => { if (!gone) setAbout((old) => (old && old.seq > c.seq ? old : c)); }, () => {});
    void get();
    const off = onLive((m) => { if (m.type === 'case' && m.id === caseId) void get(); });
    return () => { gone = true; off(); };
  }, [caseId]);
  return (
    <main class="viewer" data-testid="viewer">
      <Heading caseId={caseId} about={about} manifest={manifest} />
      {about?.series.find((s) => s.seriesUID === series)?.warning && <p class="viewer-differs" role="alert" data-testid="viewer-differs">{w('differs', { name: dicomName(manifest?.patient.name ?? '') })}</p>}
      {about && about.series.length > 1 && (
        <nav class="viewer-series" aria-label={w('series')}>
          {about.series.map((s) => (
            <a href={paths.images(caseId, s.seriesUID)} aria-current={s.seriesUID === series ? 'page' : undefined} title={s.description}>
              <b>{s.modality}</b> {s.instances > 1 ? s.instances : s.frames > 1 ? s.frames : ''}
            </a>
          ))}
        </nav>
      )}
      {problem ? <Notice text={problem}><button type="button" onClick={() => setTries(tries + 1)}>{w('again')}</button></Notice>
        : !manifest ? <Notice text={w('loading')} />
          : <Content caseId={caseId} manifest={manifest} about={about} onCase={setAbout} key={manifest.seriesUID} />}
    </main>
  );
}

function Notice({ text, children }: { text: string; children?: preact.ComponentChildren }) {
  return <div class="viewer-notice" role="status"><p>{text}</p>{children}</div>;
}

function Heading({ caseId, about, manifest }: { caseId: string; about?: Case; manifest?: SeriesManifest }) {
  return (
    <header class="viewer-head">
      <a class="viewer-back" href={paths.case(caseId)} data-testid="viewer-back" aria-label={w('back')} title={w('back')}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 5l-7 7 7 7" fill="none" stroke="currentColor" stroke-width="2.5" /></svg>
      </a>
      <div class="viewer-who" data-testid="viewer-patient">
        <strong>{about?.patient.name ?? (manifest ? dicomName(manifest.patient.name) : '')}</strong>
        {about && <span>{sexAge(about.patient, now.value, lang.value)}</span>}
        {about && <span class="viewer-number">{about.number}</span>}
      </div>
      {manifest && <div class="viewer-what">{[manifest.modality, manifest.studyDescription, manifest.description, dicomDate(manifest.studyDate)].filter(Boolean).join(' · ')}</div>}
    </header>
  );
}

/** What a series holds decides what shows it. */
interface Shown { caseId: string; manifest: SeriesManifest; about?: Case; onCase: (c: Case) => void }

function Content({ caseId, manifest, about, onCase }: Shown) {
  const first = manifest.instances?.find((i) => i.kind !== 'other') ?? manifest.instances?.[0];
  if (!first) return <Notice text={w('empty')} />;
  if (first.kind === 'waveform') return <LazyECG caseId={caseId} sop={first.sop} title={manifest.description} owner={dicomName(manifest.patient.name)} />;
  if (first.kind === 'pdf') return <iframe class="viewer-document" src={urls.document(caseId, first.sop)} title={manifest.description || 'PDF'} />;
  if (first.kind === 'video') return <Film caseId={caseId} inst={first} />;
  if (first.kind !== 'image') return <Notice text={w('empty')}><Original caseId={caseId} sop={first.sop} /></Notice>;
  return <Pictures caseId={caseId} manifest={manifest} about={about} onCase={onCase} />;
}

function LazyECG(props: { caseId: string; sop: string; title: string; owner: string }) {
  const [View, setView] = useState<{ c: typeof import('../ecg').FromInstance }>();
  const [problem, setProblem] = useState(false);
  useEffect(() => { import('../ecg').then((m) => setView({ c: m.FromInstance }), () => setProblem(true)); }, []);
  if (problem) return <Notice text={w('failed')} />;
  return View ? <View.c {...props} /> : <Notice text={w('loading')} />;
}

function Original({ caseId, sop }: { caseId: string; sop: string }) {
  return <a class="viewer-button" href={urls.original(caseId, sop)} download>{w('download')}</a>;
}

function Pictures({ caseId, manifest, about, onCase }: Shown) {
  const host = useRef<HTMLDivElement>(null), canvas = useRef<HTMLCanvasElement>(null), overlay = useRef<HTMLCanvasElement>(null);
  const stack = useRef<Stack | undefined>(undefined);
  const [s, setStatus] = useState<Status>();
  useEffect(() => {
    const made = new Stack(host.current!, canvas.current!, overlay.current!, caseId, manifest, setStatus);
    stack.current = made;
    const keys = (e: KeyboardEvent) => onKey(e, made);
    addEventListener('keydown', keys);
    return () => { removeEventListener('keydown', keys); made.close(); };
  }, [caseId, manifest]);
  // An address may name one image: that of a key image in the case.
  const wanted = route.value.name === 'images' ? route.value.image : undefined;
  useEffect(() => {
    const i = wanted && stack.current ? stack.current.frames.findIndex((f) => `${f.inst.sop}/${f.frame}` === wanted) : -1;
    if (i >= 0) stack.current!.go(i);
  }, [wanted, manifest]);
  const inst = stack.current?.current?.inst;
  return (
    <div class="viewer-body">
      <div class="viewer-stage" ref={host}>
        <canvas ref={canvas} data-testid="viewer-canvas" />
        <canvas ref={overlay} class="viewer-overlay" data-testid="viewer-overlay" tabIndex={0} role="img"
          aria-label={s ? w('canvas', { n: s.index + 1, total: s.count }) : w('image')} title={w('keys')} />
        {s && <Corners s={s} manifest={manifest} />}
        {s && <KeyMark about={about} frame={stack.current?.frames[s.index]} onCase={onCase} />}
        {s?.state === 'unsupported' && inst && <Notice text={w('notShown', { syntax: inst.syntax })}><Original caseId={caseId} sop={inst.sop} /></Notice>}
        {s?.state === 'failed' && <Notice text={w('failed')}><button type="button" onClick={() => stack.current?.retry()}>{w('again')}</button></Notice>}
        {s && s.count > 1 && (
          <input class="viewer-slider" type="range" min={1} max={s.count} value={s.index + 1} aria-label={w('position')} data-testid="viewer-slider"
            onInput={(e) => stack.current?.go(Number(e.currentTarget.value) - 1)} />
        )}
      </div>
      {s && stack.current && <Strip s={s} stack={stack.current} manifest={manifest} />}
    </div>
  );
}

function onKey(e: KeyboardEvent, stack: Stack): void {
  if (e.ctrlKey || e.metaKey || e.altKey || (e.target as Element).closest?.('input:not([type=range]), textarea, select')) return;
  const key = e.key.toLowerCase();
  const tool = tools.find(([, k]) => k.toLowerCase() === key);
  const acts: Record<string, () => void> = {
    arrowup: () => stack.step(-1), arrowdown: () => stack.step(1), pageup: () => stack.step(-10), pagedown: () => stack.step(10),
    home: () => stack.go(0), end: () => stack.go(Infinity), i: () => stack.toggleInvert(), c: () => stack.togglePlay(), ' ': () => stack.togglePlay(),
    o: () => stack.toggleOverlays(), '0': () => stack.reset(), delete: () => stack.dropMeasure(), backspace: () => stack.dropMeasure(), '+': () => stack.zoomBy(1.25), '-': () => stack.zoomBy(0.8),
  };
  const act = tool ? () => stack.choose(tool[0]) : acts[key];
  if (!act || (key === ' ' && (e.target as Element).closest?.('button, a'))) return;
  e.preventDefault();
  act();
}

function Corners({ s, manifest }: { s: Status; manifest: SeriesManifest }) {
  const p = manifest.patient, size = s.received >= 1e6 ? `${(s.received / 1e6).toFixed(1)} Mo` : `${Math.ceil(s.received / 1e3)} ko`;
  const badge = s.state === 'full' ? w('full') : s.state === 'preview' ? w('preview') : s.state === 'none' ? w('waiting') : '';
  return (
    <>
      <div class="viewer-corner tl">
        <div>{dicomName(p.name)}</div>
        <div>{[p.id, p.sex, p.birthDate && w('born', { d: dicomDate(p.birthDate) })].filter(Boolean).join(' · ')}</div>
      </div>
      <div class="viewer-corner tr">
        {badge && <span class={`viewer-badge ${s.state}`} data-testid="viewer-badge">{badge}</span>}
        {s.any < s.count || s.full < s.count ? <div>{w('received', { done: s.full, total: s.count, size })}</div> : null}
      </div>
      <div class="viewer-corner bl">
        <div data-testid="viewer-slice">{w('slice', { n: s.index + 1, total: s.count })}</div>
        <div data-testid="viewer-window">{s.lut === undefined ? `L ${level(s.window.center, s)} · W ${level(s.window.width, s)}` : s.luts[s.lut] || `LUT ${s.lut + 1}`}</div>
      </div>
      <div class="viewer-corner br"><div>{w('zoom', { n: Math.round(s.zoom * 100) })}</div><div>{calibration(s.spacingKind)}</div></div>
    </>
  );
}

/** Whole numbers, unless the window is so narrow that they would say nothing. */
const level = (v: number, s: Status) => (s.window.width >= 20 ? Math.round(v) : Number(v.toPrecision(3)));

function Strip({ s, stack, manifest }: { s: Status; stack: Stack; manifest: SeriesManifest }) {
  const fromFile = s.windows;
  const pick = (value: string) => {
    if (value === 'auto') stack.setWindow(undefined);
    else if (value.startsWith('l')) stack.setLut(Number(value.slice(1)));
    else if (value.startsWith('f')) stack.setWindow({ ...fromFile[Number(value.slice(1))]! });
    else { const p = ctPresets.find((x) => x.key === value); if (p) stack.setWindow({ center: p.center, width: p.width }); }
  };
  return (
    <div class="viewer-strip" role="toolbar">
      {tools.filter(([name]) => name !== 'scroll' || s.count > 1).map(([name, key, word]) => (
        <button type="button" aria-pressed={s.tool === name} aria-keyshortcuts={key} data-testid={`viewer-tool-${name}`} onClick={() => stack.choose(name)}>
          {w(word as 'toolPan')}<kbd>{key}</kbd>
        </button>
      ))}
      <label class="viewer-preset">{w('presets')}
        <select data-testid="viewer-preset" onChange={(e) => pick(e.currentTarget.value)}>
          <option value="auto">{w(fromFile.length ? 'fromFile' : 'auto')}</option>
          {fromFile.slice(1).map((v, i) => <option value={`f${i + 1}`}>{v.label || `L ${v.center} W ${v.width}`}</option>)}
          {s.luts.map((label, i) => <option value={`l${i}`}>{label || `LUT ${i + 1}`}</option>)}
          {manifest.modality === 'CT' && ctPresets.map((p) => <option value={p.key}>{w(p.key)}</option>)}
        </select>
      </label>
      <button type="button" aria-pressed={s.invert} aria-keyshortcuts="I" data-testid="viewer-invert" onClick={() => stack.toggleInvert()}>{w('invert')}<kbd>I</kbd></button>
      {s.overlays > 0 && <button type="button" aria-pressed={s.overlaysOn} aria-keyshortcuts="O" data-testid="viewer-overlays" onClick={() => stack.toggleOverlays()}>{w('overlays')}<kbd>O</kbd></button>}
      {s.count > 1 && <button type="button" aria-pressed={s.playing} aria-keyshortcuts="C" data-testid="viewer-cine" onClick={() => stack.togglePlay()}>{s.playing ? w('stop') : w('cine')}<kbd>C</kbd></button>}
      {s.measures > 0 && <button type="button" onClick={() => stack.clearMeasures()}>{w('clear')}</button>}
      <button type="button" aria-keyshortcuts="0" data-testid="viewer-reset" onClick={() => stack.reset()}>{w('reset')}<kbd>0</kbd></button>
    </div>
  );
}
