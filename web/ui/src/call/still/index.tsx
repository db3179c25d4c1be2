// The picture that all in a call look at: frozen, pointed at, drawn on; and the
// movements of the probe. Loaded when first needed.
import { useEffect, useRef, useState } from 'preact/hooks';
import { problemText, urls } from '../../api';
import { me } from '../../state/session';
import type { Bus, Message } from '../bus';
import type { Call, Snapshot } from '../client';
import type { Local } from '../media';
import { freeze, load, store } from './capture';
import { directions, Gesture, moves, wordOf, type Move } from './gesture';
import { colorOf, colorOfParticipant, Picture, type Mark } from './marks';
import { Pen } from './pen';
import { w } from './words';

interface Still { id: string; hash: string; width: number; height: number; byName: string; ofName: string; received: boolean; src: string }
interface Progress { who?: string; a: number; b: number; state: 'asked' | 'taking' | 'sending' | 'coming' | 'loading' }
type Drawn = Mark & { userId: string };
type Tool = 'show' | 'draw' | 'arrow';
const kB = (n: number): number => Math.round(n / 100) / 10;
const pointerFor = 3000, gestureFor = 4000; // ms

export default function Stills({ caseId, client, bus, s, local, guest }: { caseId: string; client: Call; bus: Bus; s: Snapshot; local: Local; guest?: boolean }) {
  const [still, setStill] = useState<Still>();
  const [marks, setMarks] = useState<Drawn[]>([]);
  const [pending, setPending] = useState<number[]>(); // what is being drawn here
  const [at, setAt] = useState<Map<string, { x: number; y: number; t: number }>>(new Map());
  const [progress, setProgress] = useState<Progress>();
  const [problem, setProblem] = useState('');
  const [tool, setTool] = useState<Tool>('draw');
  const [big, setBig] = useState(true);
  const [guiding, setGuiding] = useState('');
  const [move, setMove] = useState<Move>();
  const [shown, setShown] = useState<{ by: string; move: Move; direction: string }>();
  const [sent, setSent] = useState('');
  const now = useRef({ s, id: '', busy: false });
  now.current.s = s;
  const own = useRef(new Map<string, Blob>()); // what was frozen here need not be fetched
  const svg = useRef<SVGSVGElement>(null);
  const pen = useRef<Pen | undefined>(undefined);
  const name = (id: string): string => now.current.s.participants.find((p) => p.id === id)?.name ?? '';

  async function take(of: string, device?: string): Promise<void> {
    if (now.current.busy) return;
    now.current.busy = true;
    setProblem('');
    let told = 0;
    try {
      setProgress({ state: 'taking', a: 0, b: 0 });
      const source = device ? now.current.s.streams.get(of) : local.video && local.video.readyState === 'live' ? new MediaStream([local.video]) : undefined;
      if (!source) throw new Error('no picture');
      const blob = await freeze(source);
      const step = (n: number): void => {
        const done = Math.min(n, blob.size); // the browser counts headers too
        setProgress({ state: 'sending', a: done, b: blob.size });
        if (Date.now() - told > 500) { told = Date.now(); client.say({ type: 'freezing', sent: done, size: blob.size, failed: false }); }
      };
      step(0);
      const kept = await store(caseId, blob, device, step);
      own.current.set(kept.id, blob);
    } catch (err) {
      setProblem(err instanceof Error && err.message === 'no picture' ? w('failed') : problemText(err) || w('failed'));
      client.say({ type: 'freezing', sent: 0, size: 0, failed: true });
    } finally { now.current.busy = false; setProgress((p) => (p?.state === 'sending' || p?.state === 'taking' ? undefined : p)); }
  }

  async function open(m: Message): Promise<void> {
    const id = String(m.id), hash = String(m.hash);
    setMarks((m.marks as Drawn[]).map((k) => ({ ...k, color: colorOfParticipant(k.by) })));
    if (now.current.id === id) return; // the link was lost, the picture not
    now.current.id = id;
    setProblem('');
    setProgress({ state: 'loading', a: 0, b: 0 });
    try {
      const blob = own.current.get(id) ?? await load(guest ? `/api/guest/stills/${encodeURIComponent(id)}` : `${urls.attachment(caseId, id)}?inline=1`, hash, (a, b) => { if (now.current.id === id) setProgress({ state: 'loading', a, b }); }, () => now.current.id !== id);
      if (!blob || now.current.id !== id) return;
      setStill({ id, hash, width: Number(m.width), height: Number(m.height), byName: String(m.byName), ofName: String(m.ofName), received: m.received === true, src: URL.createObjectURL(blob) });
      setBig(true);
    } catch { if (now.current.id === id) setProblem(w('lost')); }
    if (now.current.id === id) setProgress(undefined);
  }

  function away(): void { now.current.id = ''; setStill(undefined); setMarks([]); setPending(undefined); }

  useEffect(() => {
    const waiting = { gesture: 0, still: 0 };
    let again = false;
    bus.listen((m) => {
      switch (m.type) {
        case 'ask': {
          const p = now.current.s.participants.find((x) => x.id === m.of);
          if (m.of === now.current.s.self) return void take(String(m.of));
          if (p?.via === 'whip') return void take(p.id, p.userId);
          setProblem('');
          setProgress({ state: 'asked', who: p?.name ?? '', a: 0, b: 0 });
          return client.say({ type: 'freeze', of: m.of });
        }
        case 'guide': setSent(''); setMove(undefined); return setGuiding((g) => (g === m.of ? '' : String(m.of)));
        case 'joined': // anew: what was shown comes again if it still is
          clearTimeout(waiting.still);
          waiting.still = window.setTimeout(() => { if (!again) away(); }, 3000);
          again = false;
          return;
        case 'freeze': return void take(now.current.s.self);
        case 'freezing':
          if (m.failed) { setProgress(undefined); return setProblem(w('failedOf', { who: name(String(m.of)) })); }
          return setProgress({ state: 'coming', who: name(String(m.of)), a: Number(m.sent), b: Number(m.size) });
        case 'still': again = true; return void open(m);
        case 'still-closed': if (now.current.id === m.still) away(); return;
        case 'at': {
          const [x, y] = m.at as number[];
          return setAt((old) => new Map(old).set(String(m.by), { x: x!, y: y!, t: Date.now() }));
        }
        case 'draw': {
          if (m.still !== now.current.id) return;
          const mine = (k: Drawn): boolean => k.userId === m.userId;
          if (m.userId === me.value?.id) setPending(undefined);
          if (m.kind === 'full') return setProblem(w('full'));
          setProblem('');
          return setMarks((old) => {
            if (m.kind === 'clear') return old.filter((k) => !mine(k));
            if (m.kind === 'undo') { const last = old.filter(mine).pop(); return old.filter((k) => k !== last); }
            return [...old, { ...(m as unknown as Drawn), color: colorOfParticipant(String(m.by)) }];
          });
        }
        case 'gesture':
          setShown({ by: name(String(m.by)), move: m.move as Move, direction: String(m.direction) });
          clearTimeout(waiting.gesture);
          waiting.gesture = window.setTimeout(() => setShown(undefined), gestureFor);
      }
    });
    const fade = window.setInterval(() => setAt((old) => ([...old.values()].some((p) => Date.now() - p.t > pointerFor) ? new Map([...old].filter(([, p]) => Date.now() - p.t <= pointerFor)) : old)), 500);
    return () => { bus.listen(undefined); clearInterval(fade); clearTimeout(waiting.gesture); clearTimeout(waiting.still); };
  }, []);

  useEffect(() => () => { if (still) URL.revokeObjectURL(still.src); }, [still]);
  useEffect(() => {
    document.documentElement.classList.toggle('still-open', !!still && big);
    return () => document.documentElement.classList.remove('still-open');
  }, [still, big]);
  useEffect(() => {
    if (!still || !svg.current || guest) return; // guests look
    const p = new Pen(svg.current, still, {
      tool: () => toolNow.current, every: () => client.pointEvery, point: (x, y) => client.say({ type: 'at', at: [x, y] }), live: setPending,
      mark: (kind, points) => { setPending(points); client.say({ type: 'draw', still: still.id, kind, points }); },
    });
    pen.current = p;
    return () => p.close();
  }, [still]);
  const toolNow = useRef(tool);
  toolNow.current = tool;

  const self = s.participants.find((p) => p.id === s.self);
  const send = (kind: 'undo' | 'clear'): void => client.say({ type: 'draw', still: still!.id, kind });
  const drawn: Mark[] = pending && self ? [...marks, { by: self.id, name: self.name, kind: tool === 'arrow' ? 'arrow' : 'stroke', points: tool === 'arrow' ? [...pending.slice(0, 2), ...pending.slice(-2)] : pending, color: colorOfParticipant(self.id) }] : marks;
  const unit = still ? Math.max(still.width, still.height) / 160 : 1;
  const target = s.participants.find((p) => p.id === guiding);
  return (
    <>
      {progress && <p class="still-note" role="status" data-testid="still-progress" data-state={progress.state}>{w(progress.state, { who: progress.who ?? '', a: kB(progress.a), b: kB(progress.b) })}</p>}
      {problem && <p class="still-note bad" role="alert" data-testid="still-problem">{problem}</p>}
      {still && (
        <section class={`still ${big ? 'big' : 'small'}`} aria-label={w('title', { of: still.ofName })} data-testid="still-panel">
          <p class="still-head">{w('title', { of: still.ofName })}{still.received && ` · ${w('received', { by: still.byName })}`} · {still.width} × {still.height}{problem && big ? ` · ${problem}` : ''}</p>
          <div class="still-stage">
            <Picture svg={svg} src={still.src} size={still} marks={drawn} alt={w('canvas')} hash={still.hash} tabindex={0} onKeyDown={(e: KeyboardEvent) => pen.current?.key(e)}>
              {[...at].map(([by, p]) => {
                const x = (p.x / 9999) * still.width, y = (p.y / 9999) * still.height;
                return <g key={by} data-testid="still-pointer"><circle cx={x} cy={y} r={unit * 3} fill="none" stroke="#000a" stroke-width={unit * 2} /><circle cx={x} cy={y} r={unit * 3} fill={`${colorOf(colorOfParticipant(by))}55`} stroke={colorOf(colorOfParticipant(by))} stroke-width={unit} />
                  <text x={x + unit * 5} y={y} font-size={unit * 4.5} fill={colorOf(colorOfParticipant(by))} class="still-name">{name(by)} : {w('here')}</text></g>;
              })}
            </Picture>
          </div>
          <div class="still-tools" role="toolbar">
            {!guest && (['show', 'draw', 'arrow'] as Tool[]).map((k) => <button type="button" aria-pressed={tool === k} data-testid={`still-${k}`} onClick={() => setTool(k)}>{w(k)}</button>)}
            {!guest && <button type="button" data-testid="still-undo" onClick={() => send('undo')}>{w('undo')}</button>}
            {!guest && <button type="button" data-testid="still-clear" onClick={() => send('clear')}>{w('clear')}</button>}
            <button type="button" data-testid="still-size" onClick={() => setBig(!big)}>{big ? w('smaller') : w('bigger')}</button>
            {!guest && <button type="button" data-testid="still-close" onClick={() => client.say({ type: 'close-still', still: still.id })}>{w('close')}</button>}
          </div>
        </section>
      )}
      {target && (
        <section class="gesture-pick" aria-label={w('guide', { who: target.name })} data-testid="gesture-pick">
          <p class="still-head">{w('guide', { who: target.name })}</p>
          <div>{moves.map((k) => <button type="button" aria-pressed={move === k} data-testid={`gesture-${k}`} onClick={() => setMove(k)}><Gesture move={k} />{w(k)}</button>)}</div>
          {move && <div>{directions[move].map((d) => (
            <button type="button" data-testid={`gesture-${move}-${d}`} onClick={() => { client.say({ type: 'gesture', to: target.id, move, direction: d }); setSent(w('sent', { what: wordOf(move, d) })); }}><Gesture move={move} direction={d} />{w(d as 'left')}</button>))}</div>}
          <p class="still-head" role="status">{sent}</p>
        </section>
      )}
      {shown && <div class="gesture-shown" role="alert" data-testid="gesture-shown" data-move={shown.move} data-direction={shown.direction}><Gesture move={shown.move} direction={shown.direction} /><strong>{wordOf(shown.move, shown.direction)}</strong><span>{w('gestureBy', { who: shown.by })}</span></div>}
    </>
  );
}
