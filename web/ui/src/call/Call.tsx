// The call, docked beside the record: voice first, few and large buttons.
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { inStills, ours, seen, theirs } from './because';
import { Bus } from './bus';
import { bars, Call as Client, type Mode, type Participant, type Quality, type Seen, type Snapshot } from './client';
import { camera, devices, microphone, open, problemOf, type Devices, type Local, type MediaProblem } from './media';
import { id as part } from '../api';
import { Door } from '../parts/door';
import { InviteButton } from '../parts/invite';
import { inCall } from '../state/calling';
import { me } from '../state/session';
import { PutOut } from './guests';
import { takeReady } from './ready';
import { paths } from '../router';
import { LinkSign, measures, own, Shape, whose, word, type Sign } from './sign';
import { Modes, Shown, useStill, why as whyStill, type Reason } from './Shown';
import type { Shown as Still } from './stills';
import { w } from './words';
import './call.css';

interface StillsProps { caseId: string; client: Client; bus: Bus; s: Snapshot; local: Local; guest?: boolean }
/** A guest has no case: why the door is shut is asked, and what to do at the end is the page's affair. */
interface Guest { refused: () => Promise<{ code: string; message: string } | undefined>; ended: (error?: { code: string; message: string }) => void }

export default function Call({ caseId, onClose }: { caseId: string; onClose: () => void }) {
  const [round, setRound] = useState(0); // joining again starts a new one
  return <Session key={round} caseId={caseId} onClose={onClose} onAgain={() => setRound(round + 1)} />;
}

export function Session({ caseId, guest, onClose, onAgain }: { caseId: string; guest?: Guest; onClose: () => void; onAgain: () => void }) {
  const client = useRef<Client | undefined>(undefined), local = useRef<Local>({});
  const [s, setSnapshot] = useState<Snapshot>();
  const [problem, setProblem] = useState<MediaProblem | 'noStill'>();
  const [choosing, setChoosing] = useState(false);
  const [mode, setMode] = useState<Mode>('video');
  const [, redraw] = useState(0);
  const [Stills, setStills] = useState<ComponentType<StillsProps>>();
  const [bus] = useState(() => new Bus(() => void import('./still').then((m) => setStills(() => m.default), () => setProblem('noStill'))));
  useEffect(() => {
    let gone = false, lock: WakeLockSentinel | undefined;
    const begin = () => {
      const ready = guest ? undefined : takeReady(caseId);
      ready?.begin(local.current, setSnapshot, bus.hear);
      client.current = ready ?? new Client(guest ? '/api/guest/call' : `/api/calls/${part(caseId)}`, local.current, setSnapshot, bus.hear, guest?.refused);
    };
    if (!guest) begin(); // while the browser finds, or asks for, microphone and camera
    void open().then(async (found) => {
      if (gone) { found.audio?.stop(); found.video?.stop(); return; }
      setProblem(found.problem);
      if (!found.video) void devices().then((d) => client.current?.equip(d.video.length > 0), () => {});
      if (guest) { local.current = found; begin(); return; }
      if (found.audio) await client.current?.use('audio', found.audio);
      if (found.video) await client.current?.use('video', found.video);
      redraw((n) => n + 1);
    });
    navigator.wakeLock?.request('screen').then((l) => { if (gone) void l.release(); else lock = l; }, () => {});
    return () => { gone = true; client.current?.hangUp(); void lock?.release(); };
  }, [caseId]);

  const phase = s?.phase;
  useEffect(() => { inCall.value = phase === 'joined'; if (phase === 'ended') guest?.ended(s?.error); }, [phase]);

  const others = s?.participants.filter((p) => p.id !== s.self) ?? [];
  const mic = local.current.audio?.enabled === true, cam = !!local.current.video;
  const toggleCamera = async () => {
    try {
      await client.current?.use('video', cam ? undefined : await camera());
      if (problem === 'noCam') setProblem(undefined);
      client.current?.equip(true);
    } catch (err) { setProblem(problemOf(err, 'video')); }
    redraw((n) => n + 1);
  };
  const pick = async (next: Mode) => {
    client.current?.choose(next);
    setMode(next);
    if (next === 'voice' ? cam : mode === 'voice' && !cam) await toggleCamera(); // sound only goes both ways
  };
  const freeze = (of: string) => bus.hear({ type: 'ask', of });
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (guest || phase !== 'joined' || e.key.toLowerCase() !== 'f' || e.ctrlKey || e.metaKey || e.altKey || (e.target as HTMLElement).closest?.('input, textarea, select, [contenteditable]')) return;
      const of = others.find((p) => p.video && !p.guest)?.id ?? (cam ? s?.self : undefined);
      if (of) freeze(of);
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  });
  const why = phase === 'joined' && others.some((p) => p.video) ? ours(s?.quality, mode) : '';
  const mine = own(phase, s?.participants.find((p) => p.id === s.self), s?.quality), blame = phase === 'joined' ? whose(mine, others) : '';
  const hangUp = () => { client.current?.hangUp(); onClose(); };
  return (
    <section class="call" aria-label={w('call')} data-testid="call-panel" data-phase={s?.phase ?? 'connecting'} data-stills={(mode === 'stills' || inStills(s?.quality)) || undefined}>
      <p class="call-status" role="status" data-testid="call-status"><span>{status(s, others)}</span>{phase !== 'waiting' && <Bars q={s?.quality} sign={mine} record={guest ? undefined : paths.record(caseId)} />}</p>
      {phase === 'waiting' && <p class="call-note">{w('doorLead')}</p>}
      {!guest && <Door caseId={caseId} />}
      {blame && <p class="call-note" role="status" data-testid="call-whose">{blame}</p>}
      {problem && <p class="call-problem" role="alert">{w(problem)}</p>}
      {s?.error && s.phase === 'ended' && <p class="call-problem" role="alert">{s.error.code === 'replaced' ? w('replaced') : s.error.message || w('failed')}</p>}
      {why && <p class="call-note" role="status" data-testid="call-picture" data-picture={s?.quality?.picture ?? 'ours'}>{why}</p>}
      <div class="call-tiles" data-count={others.length}>
        {others.map((p) => <Tile key={p.id} p={p} stream={s!.streams.get(p.id)} still={mode === 'voice' || mode === 'send' ? undefined : s!.stills.get(p.id)} unseen={s!.unseen.includes(p.id)} less={seen(s!.quality, p)} wish={mode === 'stills'} onFreeze={phase === 'joined' && !guest && !p.guest ? () => freeze(p.id) : undefined} onGuide={() => bus.hear({ type: 'guide', of: p.id })}>{!guest && p.guest && <PutOut caseId={caseId} p={p} />}</Tile>)}
        {cam && <Mirror track={local.current.video!} every={phase === 'joined' ? s?.sending : undefined} onFreeze={phase === 'joined' && !guest ? () => freeze(s!.self) : undefined} />}
      </div>
      {Stills && s && client.current && <Stills caseId={caseId} client={client.current} bus={bus} s={s} local={local.current} guest={!!guest} />}
      {s?.phase !== 'ended' && (
        <div class="call-buttons">
          {phase !== 'waiting' && <Modes mode={mode} onPick={(m) => void pick(m)} />}
          <button type="button" aria-expanded={choosing} data-testid="call-devices" onClick={() => setChoosing(!choosing)}>{w('devices')}</button>
          {!guest && me.value?.role !== 'dispatcher' && <InviteButton caseId={caseId} plain />}
        </div>
      )}
      {choosing && <Chooser local={local.current} onPick={async (kind, id) => {
        try {
          await client.current?.use(kind, kind === 'audio' ? await microphone(id) : await camera(id));
          setProblem(undefined);
        } catch (err) { setProblem(problemOf(err, kind)); }
        redraw((n) => n + 1);
      }} />}
      <div class="call-buttons call-always">
        {s?.phase === 'ended' ? (
          <>
            <button type="button" class="call-primary" onClick={onAgain}>{w('again')}</button>
            <button type="button" onClick={onClose}>{w('close')}</button>
          </>
        ) : (
          <>
            <button type="button" aria-pressed={!mic} disabled={!local.current.audio} data-testid="call-mute"
              onClick={() => { client.current?.setEnabled('audio', !mic); redraw((n) => n + 1); }}>{mic ? w('mute') : w('unmute')}</button>
            <button type="button" aria-pressed={!cam} data-testid="call-camera" onClick={() => void toggleCamera()}>{cam ? w('cameraOff') : w('cameraOn')}</button>
            <button type="button" class="call-danger" data-testid="call-hangup" onClick={hangUp}>{phase === 'waiting' ? w('leave') : w('hangUp')}</button>
          </>
        )}
      </div>
    </section>
  );
}

function status(s: Snapshot | undefined, others: Participant[]): string {
  switch (s?.phase) {
    case 'joined': return others.length ? w('together', { names: others.map((p) => p.name).join(', ') }) : w('alone');
    case 'lost': return w('lost', { n: s.lostFor });
    case 'ended': return w('ended');
    case 'waiting': return w('door');
    default: return s?.self ? w('back') : w('connecting');
  }
}

function Tile({ p, stream, still, unseen, less, wish, onFreeze, onGuide, children }: { p: Participant; stream?: MediaStream; still?: Still; unseen: boolean; less?: Seen; wish: boolean; onFreeze?: () => void; onGuide: () => void; children?: ComponentChildren }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const v = video.current;
    if (v && v.srcObject !== (stream ?? null)) { v.srcObject = stream ?? null; void v.play().catch(() => {}); }
  });
  const shown = useStill(video, p.video ? still : undefined);
  const reason: Reason = wish ? 'wish' : less?.why === 'choice' ? 'choice' : less ? 'other' : 'link';
  const initials = p.name.split(/\s+/).filter((x) => /^\p{Lu}/u.test(x)).slice(-2).map((x) => x[0]).join('');
  return (
    <div class="call-person"><figure class="call-tile" data-testid="call-tile" data-participant={p.userId} data-away={p.away || undefined}>
      <video ref={video} autoplay playsInline data-testid="call-remote-video" hidden={!p.video || unseen} />
      {shown && <Shown still={shown} name={p.name} />}
      {(!p.video || unseen) && <span class="call-initials" aria-hidden="true">{initials}</span>}
      <figcaption>{!p.away && <LinkSign link={p.link} who={p.name} />}{p.name}{p.guest && ` · ${w('guest')}`}{p.away && ` · ${w('away')}`}{p.via && ` · ${w(p.via)}`}{!p.via && !p.audio && ` · ${w('micOff')}`}{!p.via && !p.video && ` · ${w(p.noCamera ? 'camNone' : 'camOff')}`}</figcaption>
    </figure>
      {shown ? <p class="call-still-why" data-testid="call-still-why">{whyStill(shown, reason, p.name)}</p> : p.video && !unseen && theirs(less, p) && <p class="call-still-why" role="status" data-testid="call-their-picture" data-why={less!.why}>{theirs(less, p)}</p>}
      {p.video && unseen && <p class="call-still-why" role="status" data-testid="call-no-codec">{w('noCodec', { who: p.name })}</p>}
      {onFreeze && p.via !== 'whep' && p.video && <button type="button" data-testid="call-freeze" aria-keyshortcuts="f" title={w('freezeTitle', { who: p.name })} onClick={onFreeze}>{w('freeze')}</button>}
      {onFreeze && p.via !== 'whep' && <button type="button" data-testid="call-guide" onClick={onGuide}>{w('guide')}</button>}
      {children}
    </div>
  );
}

function Mirror({ track, every, onFreeze }: { track: MediaStreamTrack; every?: number; onFreeze?: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    video.current!.srcObject = new MediaStream([track]);
    void video.current!.play().catch(() => {});
  }, [track]);
  return <div class="call-person call-self"><figure class="call-tile"><video ref={video} autoplay playsInline muted data-testid="call-self-video" /><figcaption>{every ? <span data-testid="call-seen-in-stills">{w('seenInStills', { n: Math.round(every) })}</span> : w('you')}</figcaption></figure>{onFreeze && <button type="button" data-testid="call-freeze-own" onClick={onFreeze}>{w('freezeOwn')}</button>}</div>;
}

function Bars({ q, sign, record }: { q?: Quality; sign: Sign; record?: string }) {
  const [open, setOpen] = useState(false);
  const n = bars(q);
  const pct = (x: number) => (100 * x).toFixed(x < 0.1 ? 1 : 0);
  const why = q ? w('why', { rtt: Math.round(q.rttMs), up: pct(q.lossUp), down: pct(q.lossDown), kup: Math.round(q.kbpsUp), kdown: Math.round(q.kbpsDown) }) : '';
  const says = w(n === 3 ? 'q3' : n === 2 ? 'q2' : n === 1 ? 'q1' : 'q0');
  return (
    <span class="call-quality">
      <button type="button" aria-expanded={open} aria-label={`${w('quality')}. ${word(sign)}. ${says}`} title={says} data-testid="call-quality" data-bars={n} data-link={sign} onClick={() => setOpen(!open)}>
        <Shape sign={sign} /><span class="call-link-word">{word(sign)}</span>
      </button>
      {open && <span class="call-why" role="status">{says}. {why} {record && <a href={record} data-testid="call-record" onClick={() => setOpen(false)}>{measures()}</a>}</span>}
    </span>
  );
}

function Chooser({ local, onPick }: { local: Local; onPick: (kind: 'audio' | 'video', id: string) => void }) {
  const [all, setAll] = useState<Devices>({ audio: [], video: [] });
  useEffect(() => {
    const read = () => void devices().then(setAll, () => {});
    read();
    navigator.mediaDevices?.addEventListener('devicechange', read);
    return () => navigator.mediaDevices?.removeEventListener('devicechange', read);
  }, []);
  return (
    <div class="call-devices">
      {(['audio', 'video'] as const).map((kind) => (
        <label>{w(kind === 'audio' ? 'microphone' : 'camera')}
          <select value={local[kind]?.getSettings().deviceId ?? ''} data-testid={`call-device-${kind}`} onChange={(e) => { if (e.currentTarget.value) onPick(kind, e.currentTarget.value); }}>
            {!local[kind] && <option value="">{w('noDevice')}</option>}
            {all[kind].map((d, i) => <option value={d.deviceId}>{d.label || `${w(kind === 'audio' ? 'microphone' : 'camera')} ${i + 1}`}</option>)}
          </select>
        </label>
      ))}
    </div>
  );
}
