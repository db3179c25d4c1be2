// One call: a WebSocket for words, one peer connection to the server for media.
// docs/signaling.md is the protocol. Comes back by itself after a cut.
import { urls } from '../api';
import type { Local } from './media';

export interface Participant { id: string; userId: string; name: string; role: string; audio: boolean; video: boolean; via?: 'whip' | 'whep' }
export interface Slot { mid: string; participant: string; kind: 'audio' | 'video' }
export interface Quality { connected: boolean; rttMs: number; lossUp: number; lossDown: number; kbpsUp: number; kbpsDown: number; kbpsPath?: number; picture?: 'small' | 'off' | 'unwanted' }
/** How the server wants our picture, for those who receive it; kbps 0: nobody does. */
export interface Target { kbps: number; height: number; fps: number }
export type Phase = 'connecting' | 'joined' | 'lost' | 'ended';
export interface Snapshot { phase: Phase; self: string; participants: Participant[]; streams: Map<string, MediaStream>; quality?: Quality; target?: Target; retryIn: number; error?: { code: string; message: string } }

const slotsAtFirst = 3;
const backoff = [1, 2, 4, 8, 10]; // seconds
const targetAtFirst: Target = { kbps: 130, height: 240, fps: 12 };
const hopeless = new Set(['replaced', 'forbidden', 'room-full']); // coming back by itself would not help

export class Call {
  private ws?: WebSocket;
  private pc?: RTCPeerConnection;
  private self = '';
  private participants: Participant[] = [];
  private slots: Slot[] = [];
  private tracks = new Map<string, MediaStreamTrack>(); // by mid
  private streams = new Map<string, MediaStream>(); // by participant
  private senders: { audio?: RTCRtpSender; video?: RTCRtpSender } = {};
  private quality?: Quality;
  private target?: Target;
  private pictures = true; // of others are wanted
  private phase: Phase = 'connecting';
  private error?: { code: string; message: string };
  private tries = 0;
  private offers = 0;
  private retryAt = 0;
  private timer = 0;
  private watchdog = 0;
  private ended = false;

  constructor(private caseId: string, private local: Local, private changed: (s: Snapshot) => void) {
    addEventListener('online', this.now);
    this.watchdog = window.setInterval(() => this.tick(), 1000);
    void this.connect();
  }

  private async connect(): Promise<void> {
    this.drop();
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc = pc;
    (window as unknown as { __siraCall?: unknown }).__siraCall = { pc };
    pc.ontrack = (e) => { if (e.transceiver.mid) { this.tracks.set(e.transceiver.mid, e.track); this.arrange(); } };
    pc.onicecandidate = (e) => { if (e.candidate) this.send({ type: 'candidate', candidate: e.candidate.toJSON() }); };
    pc.onconnectionstatechange = () => { if (pc === this.pc && pc.connectionState === 'failed') this.lost(); };
    this.senders.audio = pc.addTransceiver(this.local.audio ?? 'audio', { direction: 'sendonly' }).sender;
    this.senders.video = pc.addTransceiver(this.local.video ?? 'video', { direction: 'sendonly', sendEncodings: [{ ...this.encoding(targetAtFirst), scalabilityMode: 'L1T2' } as RTCRtpEncodingParameters] }).sender;
    this.addSlots(slotsAtFirst, slotsAtFirst);
    preferVP9(pc);
    await pc.setLocalDescription();
    if (pc !== this.pc || this.ended) return;
    const ws = new WebSocket(urls.socket(`/api/calls/${encodeURIComponent(this.caseId)}`));
    this.ws = ws;
    ws.onopen = () => this.send({ type: 'join', sdp: pc.localDescription!.sdp, audio: this.on('audio'), video: this.on('video') });
    ws.onmessage = (e) => { if (ws === this.ws) void this.receive(String(e.data)).catch(() => this.lost()); };
    ws.onclose = () => { if (ws === this.ws) this.lost(); };
  }

  private on = (kind: 'audio' | 'video'): boolean => this.local[kind]?.enabled === true && this.local[kind]?.readyState === 'live';

  private addSlots(audio: number, video: number): void {
    const have = { audio: 0, video: 0 };
    for (const t of this.pc!.getTransceivers()) if (t.direction === 'recvonly') have[t.receiver.track.kind as 'audio' | 'video']++;
    for (let i = have.audio; i < audio; i++) this.pc!.addTransceiver('audio', { direction: 'recvonly' });
    for (let i = have.video; i < video; i++) this.pc!.addTransceiver('video', { direction: 'recvonly' });
  }

  private async receive(raw: string): Promise<void> {
    const m = JSON.parse(raw);
    const pc = this.pc!;
    switch (m.type) {
      case 'joined':
        this.self = m.self;
        this.participants = m.participants ?? [];
        this.slots = m.slots ?? [];
        await pc.setRemoteDescription({ type: 'answer', sdp: m.sdp });
        if (m.relay) window.setTimeout(() => this.detour(pc, m.relay), 1500);
        this.phase = 'joined';
        this.tries = 0;
        this.error = undefined;
        if (!this.pictures) this.wish(false);
        break;
      case 'target': this.target = m; await this.encode(); break;
      case 'answer': if (m.id === this.offers) await pc.setRemoteDescription({ type: 'answer', sdp: m.sdp }); break;
      case 'participants': this.participants = m.participants ?? []; break;
      case 'slots': this.slots = m.slots ?? []; break;
      case 'renegotiate': this.addSlots(m.audio ?? 0, m.video ?? 0); await this.offer(); break;
      case 'quality': this.quality = m; break;
      case 'ping': this.send({ type: 'pong', t: m.t }); break;
      case 'error': this.error = { code: m.code, message: m.message }; if (hopeless.has(m.code)) this.finish(); break;
    }
    this.arrange();
  }

  private async offer(iceRestart = false): Promise<void> {
    const pc = this.pc!;
    if (iceRestart) pc.restartIce();
    await pc.setLocalDescription();
    this.send({ type: 'offer', sdp: pc.localDescription!.sdp, id: ++this.offers });
  }

  /** Where no packet passes but HTTPS does: through the server's own TURN. Not before that shows, for a relay costs a slow link a second. */
  private detour(pc: RTCPeerConnection, relay: RTCIceServer): void {
    if (pc !== this.pc || ['connected', 'completed', 'closed'].includes(pc.iceConnectionState)) return;
    pc.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: [relay] });
    void this.offer(true).catch(() => this.lost());
  }

  /** Puts each track into the stream of the person whose slot it is. */
  private arrange(): void {
    const wanted = new Map<string, MediaStreamTrack[]>();
    for (const s of this.slots) {
      const track = this.tracks.get(s.mid);
      if (track && s.participant) wanted.set(s.participant, [...(wanted.get(s.participant) ?? []), track]);
    }
    for (const [id, tracks] of wanted) {
      const stream = this.streams.get(id) ?? new MediaStream();
      for (const t of stream.getTracks()) if (!tracks.includes(t)) stream.removeTrack(t);
      for (const t of tracks) if (!stream.getTracks().includes(t)) stream.addTrack(t);
      this.streams.set(id, stream);
    }
    for (const id of [...this.streams.keys()]) if (!wanted.has(id)) this.streams.delete(id);
    this.tell();
  }

  private lost(): void {
    if (this.ended || this.phase === 'lost') return;
    this.phase = 'lost';
    const wait = backoff[Math.min(this.tries++, backoff.length - 1)]!;
    this.retryAt = Date.now() + wait * 1000;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.reconnect(), wait * 1000);
    this.tell();
  }

  private now = (): void => { if (this.phase === 'lost') this.reconnect(); };

  private reconnect(): void {
    if (this.ended) return;
    clearTimeout(this.timer);
    this.phase = 'connecting';
    this.tell();
    this.timer = window.setTimeout(() => { if (this.phase === 'connecting') this.lost(); }, 15_000);
    void this.connect().catch(() => this.lost());
  }

  /** A link that is gone without a word: media silent for four seconds asks for an ICE restart, twelve for a new connection. */
  private silent = 0;
  private tick(): void {
    if (this.phase === 'lost') { this.tell(); return; }
    const state = this.pc?.iceConnectionState;
    this.silent = this.phase === 'joined' && (state === 'disconnected' || state === 'failed') ? this.silent + 1 : 0;
    if (this.silent === 4) void this.offer(true).catch(() => this.lost());
    if (this.silent >= 12) { this.silent = 0; this.lost(); }
  }

  private send(m: unknown): void { if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(m)); }

  private tell(): void {
    this.changed({ phase: this.phase, self: this.self, participants: this.participants, streams: new Map(this.streams), quality: this.phase === 'joined' ? this.quality : undefined, target: this.target,
      retryIn: Math.max(0, Math.ceil((this.retryAt - Date.now()) / 1000)), error: this.error });
  }

  /** Another microphone or camera, or none: no negotiation needed. */
  async use(kind: 'audio' | 'video', track: MediaStreamTrack | undefined): Promise<void> {
    if (this.local[kind] !== track) this.local[kind]?.stop();
    this.local[kind] = track;
    await this.senders[kind]?.replaceTrack(track ?? null);
    if (kind === 'video') await this.encode(); // its size may differ
    this.announce();
  }

  /** Pictures of others, or sound only. */
  showPictures(on: boolean): void { this.pictures = on; this.wish(on); this.tell(); }
  private wish(video: boolean): void { this.send({ type: 'receive', video }); }

  private encoding(t: Target): RTCRtpEncodingParameters {
    const lines = this.local.video?.getSettings().height ?? 480;
    return { active: t.kbps > 0, maxBitrate: Math.max(t.kbps, 10) * 1000, maxFramerate: t.fps, scaleResolutionDownBy: Math.max(1, lines / t.height) };
  }
  private async encode(): Promise<void> {
    const sender = this.senders.video, p = sender?.getParameters();
    if (!this.target || !p?.encodings?.[0]) return;
    Object.assign(p.encodings[0], this.encoding(this.target));
    await sender!.setParameters(p).catch(() => {}); // an old browser keeps what it had
  }

  setEnabled(kind: 'audio' | 'video', on: boolean): void {
    const t = this.local[kind];
    if (t) t.enabled = on;
    this.announce();
  }
  private announce(): void { this.send({ type: 'state', audio: this.on('audio'), video: this.on('video') }); this.tell(); }

  private drop(): void {
    const ws = this.ws, pc = this.pc;
    this.ws = undefined;
    this.pc = undefined;
    if (ws) { ws.onclose = null; ws.close(); }
    pc?.close();
    this.tracks.clear();
    this.streams.clear();
    this.slots = [];
    this.offers = 0;
    this.target = undefined;
  }

  private finish(): void {
    this.ended = true;
    this.phase = 'ended';
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
    removeEventListener('online', this.now);
    this.drop();
    this.tell();
  }

  hangUp(): void { this.send({ type: 'leave' }); this.finish(); this.local.audio?.stop(); this.local.video?.stop(); }
}

/** VP9 says the same in fewer bytes, and in layers; other codecs stay as a way out. */
function preferVP9(pc: RTCPeerConnection): void {
  const all = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (!all?.length) return;
  const first = (c: { mimeType: string; sdpFmtpLine?: string }) => (/vp9/i.test(c.mimeType) && !/profile-id=[1-9]/.test(c.sdpFmtpLine ?? '') ? 0 : 1);
  const order = [...all].sort((a, b) => first(a) - first(b));
  for (const t of pc.getTransceivers()) if (t.receiver.track.kind === 'video') try { t.setCodecPreferences?.(order); } catch { /* as the browser likes it */ }
}

/** Three bars: what the link allows. 0: not known yet. */
export function bars(q: Quality | undefined): 0 | 1 | 2 | 3 {
  if (!q || !q.connected) return 0;
  const loss = Math.max(q.lossUp, q.lossDown);
  if (q.rttMs > 900 || loss > 0.1) return 1;
  if (q.rttMs > 400 || loss > 0.03) return 2;
  return 3;
}
