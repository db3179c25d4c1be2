// One call: a WebSocket for words, one peer connection to the server for media.
// docs/signaling.md is the protocol. Comes back by itself after a cut: same
// connection, same place in the room.
import { urls } from '../api';
import type { Message } from './bus';
import { Measure } from './measure';
import { inCodec, preferVP9 } from './codecs';
import { inPackets, retake } from './packets';
import { Pulse } from './pulse';
import { Again, hold } from './redundancy';
import { discard, farewell, Reviver, wait } from './resume';
import { Share } from './share';
import { Stills, type Shown } from './stills';
import type { Local } from './media';

export interface Participant { id: string; userId: string; name: string; role: string; audio: boolean; video: boolean; away?: boolean; noCamera?: boolean; via?: 'whip' | 'whep'; guest?: boolean; link?: 'good' | 'weak' | 'cut' }
export interface Slot { mid: string; participant: string; kind: 'audio' | 'video'; why?: 'codec' }
export interface Quality { connected: boolean; rttMs: number; lossUp: number; lossDown: number; kbpsUp: number; kbpsDown: number; kbpsPath?: number; picture?: 'small' | 'stills' | 'off' | 'unwanted'; others?: Seen[] }
/** Of whom we see less than there is, for a reason that is not ours. */
export interface Seen { participant: string; picture: 'small' | 'stills' | 'off'; why: 'link' | 'cut' | 'choice' | 'others' | 'measuring' }
/** What of pictures goes both ways: video, a still each few seconds, none, or ours only. */
export type Mode = 'video' | 'stills' | 'voice' | 'send';
/** How the server wants our picture, for those who receive it; kbps 0: nobody does. And our voice, kbit/s, in packets of so many ms, each with the one of `again` ms before; codec: of the picture, which all can show; mode: its layers, where it is for very unlike links; low: a smaller one besides, where the codec has no such layers. */
export interface Target extends Rung { voice?: number; packet?: number; again?: number; codec?: string; mode?: string; low?: Rung }
interface Rung { kbps: number; height: number; fps: number }
/** What the server says to who joined. */
interface Welcome { self: string; token?: string; sdp?: string; participants?: Participant[]; slots?: Slot[]; relay?: RTCIceServer }
/** waiting: a guest at the door. ready: connected ahead of joining, in no room. */
export type Phase = 'ready' | 'connecting' | 'waiting' | 'joined' | 'lost' | 'ended';
export interface Snapshot { phase: Phase; self: string; participants: Participant[]; streams: Map<string, MediaStream>; stills: Map<string, Shown>; unseen: string[]; quality?: Quality; target?: Target; /** seconds between two stills of ours, where they take the place of our video */ sending?: number; lostFor: number; error?: { code: string; message: string } }

const slotsAtFirst = 3;
const dialsAtOnce = 3; // a try may hang as long as its packets are lost: newer ones overtake it
const voiceFirstFor = 4000; // ms at most
const detourAfter = 1500; // ms, in which a connection comes about where packets pass
const exchangeAfter = 3000; // ms for joining by HTTP, once a WebSocket is open that could
const pointUsual = 120; // ms
const targetAtFirst: Target = { kbps: 48, height: 240, fps: 8, voice: 12 };
const hopeless = new Set(['replaced', 'forbidden', 'room-full', 'waiting-full', 'refused', 'removed', 'withdrawn', 'alone']); // coming back by itself would not help
// Where the browser tells: from Wi-Fi to mobile data and back.
const network = (navigator as unknown as { connection?: EventTarget & { type?: string } }).connection;

export class Call {
  private ws?: WebSocket;
  private pc?: RTCPeerConnection;
  private self = '';
  private participants: Participant[] = [];
  private slots: Slot[] = [];
  private tracks = new Map<string, MediaStreamTrack>(); // by mid
  private streams = new Map<string, MediaStream>(); // by participant
  private senders: { audio?: RTCRtpSender; video?: RTCRtpSender; low?: RTCRtpSender } = {};
  private quality?: Quality;
  private target?: Target;
  private mode: Mode = 'video';
  private stills = new Stills(() => this.local.video, () => this.tell());
  private phase: Phase = 'connecting';
  private error?: { code: string; message: string };
  private tries = 0;
  private offers = 0;
  private token = ''; // resumes our place
  private early: Promise<void> = Promise.resolve(); // joining by one exchange, while the WebSocket opens
  private hurry = new AbortController(); // ends that exchange
  private dials: WebSocket[] = []; // oldest first
  private lostAt = 0;
  private timer = 0;
  private pulse = new Pulse();
  private share?: Share;
  private again = new Again(() => (this.phase === 'ready' ? this.prepare() : this.anew()));
  private voiceFirst = false; // our picture waits
  private handle = ''; // enters with a connection that stands ready
  private measure = new Measure(Date.now());
  private restartedAt = 0;
  private restarts = 0; // in vain
  private deafSince = 0; // no media comes
  private reviver = new Reviver();
  private heardAt = 0; // of the server, by WebSocket
  private work: Promise<unknown> = Promise.resolve(); // changes of our description, one after the other
  private watchdog = 0;
  private ended = false;
  pointEvery = pointUsual; // ms between two places of our pointer: the server says when that is too often
  private camera?: boolean; // whether there is one; undefined: nobody asks

  /** A guest is told by the server when to join, and why the door is shut is asked of `refused`. Ahead of joining there is a connection only, until `begin`. */
  constructor(private path: string, private local: Local, private changed: (s: Snapshot) => void, private other: (m: Message) => void = () => {}, private refused?: () => Promise<{ code: string; message: string } | undefined>, ahead = false) {
    if (ahead) this.phase = 'ready';
    this.prepare();
    if (!ahead) this.start();
  }

  private start(): void {
    addEventListener('online', this.moved);
    network?.addEventListener('change', this.changedNetwork);
    document.addEventListener('visibilitychange', this.seen);
    this.watchdog = window.setInterval(() => void this.tick(), 1000);
    this.share = new Share((m) => this.say(m));
    this.dial();
  }

  /** From standing ready into the call: somebody wants to. */
  begin(local: Local, changed: (s: Snapshot) => void, other: (m: Message) => void): void {
    Object.assign(this, { local, changed, other, phase: 'connecting' });
    this.measure.begin(Date.now());
    // Over a thin link a picture would hold up the WebSocket, and with it the word on how to encode.
    this.voiceFirst = true;
    window.setTimeout(() => this.withPicture(), voiceFirstFor);
    void this.encode(targetAtFirst);
    this.pulse = new Pulse();
    this.early = this.early.then(() => this.walkIn()).catch(async () => {
      if (this.ended) return;
      this.prepare(!this.hurry.signal.aborted);
      await this.early;
    });
    this.start();
  }

  private withPicture(): void {
    if (!this.voiceFirst || this.ended) return;
    this.voiceFirst = false;
    void this.encode(this.target ?? targetAtFirst);
  }

  /** A connection for a new place in the room; its offer is sent at once, or waits for the WebSocket. */
  private prepare(atOnce = true, relay?: RTCIceServer): void {
    this.dropMedia();
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...(relay ? { iceServers: [relay] } : {}) });
    this.pc = pc;
    this.token = this.handle = '';
    this.pulse = new Pulse();
    this.measure.watch(pc);
    (window as unknown as { __siraCall?: unknown }).__siraCall = { pc };
    pc.ontrack = (e) => { if (e.transceiver.mid) { this.tracks.set(e.transceiver.mid, e.track); this.arrange(); } };
    pc.onicecandidate = (e) => { if (e.candidate) this.say({ type: 'candidate', candidate: e.candidate.toJSON() }); };
    pc.oniceconnectionstatechange = () => { if (pc === this.pc && this.phase === 'lost' && connected(pc)) this.dial(); }; // the link is back
    pc.onconnectionstatechange = () => {
      // A failed ICE is restarted; failed keys are the end of this connection.
      if (pc === this.pc && this.phase !== 'ready' && pc.connectionState === 'failed' && this.senders.audio?.transport?.state === 'failed') this.anew();
    };
    // Sound first: it is the first section, and alone enough for a call.
    this.senders.audio = pc.addTransceiver(this.local.audio ?? 'audio', { direction: 'sendonly', sendEncodings: [{ maxBitrate: targetAtFirst.voice! * 1000 }] }).sender;
    this.again.attach(this.senders.audio);
    this.senders.video = pc.addTransceiver(this.local.video ?? 'video', { direction: 'sendonly', sendEncodings: [this.encoding(targetAtFirst)] }).sender;
    this.senders.low = undefined;
    this.addSlots(slotsAtFirst, slotsAtFirst);
    this.stills.open(pc);
    preferVP9(pc);
    this.hurry.abort();
    this.hurry = new AbortController();
    this.early = this.describe(false).then(() => (this.phase === 'ready' ? this.standReady(pc, !!relay) : atOnce ? this.join(pc) : undefined)).catch(() => {});
  }

  /** Connects ahead of joining. */
  private async standReady(pc: RTCPeerConnection, relayed: boolean): Promise<void> {
    const m = await exchange(this.path, { type: 'ready', sdp: pc.localDescription!.sdp }, this.hurry.signal);
    if (pc !== this.pc || this.ended) return;
    this.handle = m.token ?? '';
    await this.accept(m.sdp!, this.offers);
    if (m.relay && !relayed) window.setTimeout(() => { if (pc === this.pc && this.phase === 'ready' && !connected(pc)) this.prepare(true, m.relay); }, detourAfter);
  }

  /** Whether it cannot be begun with. */
  get dead(): boolean { return ['failed', 'disconnected', 'closed'].includes(this.pc?.connectionState ?? 'closed'); }

  /** Into the room by the connection that stands ready. Throws when there is none. */
  private async walkIn(): Promise<void> {
    const pc = this.pc!;
    if (!this.handle || this.dead) throw new Error('nothing stands ready');
    const m = await exchange(this.path, { type: 'enter', token: this.handle, audio: this.on('audio'), video: this.on('video') }, this.hurry.signal);
    if (pc !== this.pc || this.ended) return;
    this.handle = '';
    this.welcome(m);
    this.arrange();
  }

  /** Joins over the warm connection the page has: media need not wait for a WebSocket, which then resumes. When it fails, the WebSocket joins. */
  private async join(pc: RTCPeerConnection): Promise<void> {
    const m = await exchange(this.path, this.knock('join'), this.hurry.signal);
    if (pc === this.pc && !this.ended && m.sdp) await this.seated(m);
  }

  private knock = (type: 'join' | 'prepare') => ({ type, sdp: this.pc!.localDescription!.sdp, audio: this.on('audio'), video: this.on('video') });

  /** In the room by one exchange. The answer first: whose WebSocket has not resumed yet says nothing to the room. */
  private async seated(m: Welcome): Promise<void> {
    const pc = this.pc!;
    await this.accept(m.sdp!, this.offers);
    if (pc !== this.pc || this.ended) return;
    this.welcome(m);
    if (m.relay) window.setTimeout(() => this.detour(pc, m.relay!), detourAfter);
    this.arrange();
  }

  private welcome(m: Welcome): void {
    this.self = m.self;
    this.token = m.token ?? this.token;
    this.participants = m.participants ?? [];
    this.slots = m.slots ?? [];
    this.phase = 'joined';
    this.error = undefined;
  }

  /** Opens a WebSocket, and another one after a while, until one is open. */
  private dial = (): void => {
    clearTimeout(this.timer);
    if (this.ended || this.ws) return;
    if (this.dials.length === dialsAtOnce) discard(this.dials.shift()!);
    const ws = new WebSocket(urls.socket(this.path));
    this.dials.push(ws);
    ws.onopen = () => void this.opened(ws);
    ws.onclose = () => { this.dials = this.dials.filter((d) => d !== ws); void this.askWhy(); };
    // A first one takes two round trips; what is asked for twice is paid for twice.
    const seconds = this.phase === 'connecting' && this.tries === 0 ? 1.5 : wait(this.tries);
    this.tries++;
    this.timer = window.setTimeout(this.dial, seconds * 1000);
  };

  /** A browser does not say why a WebSocket was refused. */
  private async askWhy(): Promise<void> {
    const why = this.ws || this.ended ? undefined : await this.refused?.();
    if (!why || this.ended) return;
    this.error = why;
    this.finish();
  }

  private async opened(ws: WebSocket): Promise<void> {
    for (const d of this.dials) if (d !== ws) discard(d);
    this.dials = [];
    clearTimeout(this.timer);
    if (this.ended) { discard(ws); return; }
    this.ws = ws;
    this.heardAt = Date.now();
    ws.onmessage = (e) => {
      if (ws !== this.ws) return;
      this.heardAt = Date.now();
      void this.receive(String(e.data)).catch(() => { if (ws === this.ws) this.anew(); });
    };
    ws.onclose = () => { if (ws === this.ws) this.lost(); };
    if (!this.refused) await this.enter();
  }

  /** Joins, or comes back to our place. */
  private async enter(): Promise<void> {
    const ws = this.ws;
    // The warm connection may be dead, and a request over it wait for minutes.
    const hurry = this.hurry, late = window.setTimeout(() => hurry.abort(), exchangeAfter);
    await this.early;
    clearTimeout(late);
    await this.work;
    if (this.token && await this.deaf()) await this.describe(true);
    const pc = this.pc;
    if (ws !== this.ws || !pc) return;
    const me = { audio: this.on('audio'), video: this.on('video') };
    const offer = pc.signalingState === 'have-local-offer' ? { sdp: pc.localDescription!.sdp, id: this.offers } : {};
    this.send(this.token ? { type: 'resume', token: this.token, ...me, ...offer } : { type: 'join', sdp: pc.localDescription!.sdp, ...me });
  }

  private on = (kind: 'audio' | 'video'): boolean => this.local[kind]?.enabled === true && this.local[kind]?.readyState === 'live';

  /** Says whether there were fewer. */
  private addSlots(audio: number, video: number): boolean {
    const have = { audio: 0, video: 0 };
    for (const t of this.pc!.getTransceivers()) if (t.direction === 'recvonly') have[t.receiver.track.kind as 'audio' | 'video']++;
    for (let i = have.audio; i < audio; i++) this.pc!.addTransceiver('audio', { direction: 'recvonly' });
    for (let i = have.video; i < video; i++) this.pc!.addTransceiver('video', { direction: 'recvonly' });
    return have.audio < audio || have.video < video;
  }

  private async receive(raw: string): Promise<void> {
    const m = JSON.parse(raw);
    const pc = this.pc!;
    switch (m.type) {
      case 'joined': case 'resumed':
        this.welcome(m);
        this.tries = 0;
        this.withPicture();
        if (m.sdp) await this.accept(m.sdp, m.type === 'joined' ? this.offers : m.id);
        if (m.sdp) this.restartedAt = Date.now(); // give it time
        if (m.relay && m.sdp) window.setTimeout(() => this.detour(pc, m.relay), detourAfter);
        if (this.mode !== 'video') this.wish();
        if (this.camera === false) this.announce();
        this.share?.joined();
        this.other({ type: 'joined' });
        break;
      case 'waiting':
        if (this.token) this.prepare(); // our place was given up
        this.phase = 'waiting';
        this.tries = 0;
        // Our offer lies at the door: let in, we are in the room without another round trip.
        void this.early.then(() => { if (this.phase === 'waiting' && pc === this.pc) this.send(this.knock('prepare')); });
        break;
      case 'admitted':
        if (this.phase === 'waiting') this.phase = 'connecting';
        if (m.joined) await this.seated(m.joined);
        await this.enter();
        break;
      case 'target': this.target = m; this.again.reach(m.again); await this.encode(); break;
      case 'answer': await this.accept(m.sdp, m.id); break;
      case 'participants': this.participants = m.participants ?? []; break;
      case 'slots': this.slots = m.slots ?? []; break;
      case 'renegotiate': if (this.addSlots(m.audio ?? 0, m.video ?? 0)) await this.offer(); break;
      case 'quality': this.quality = m; break;
      case 'stills': this.stills.wanted(m); break;
      case 'grant': this.share?.hear(m); return;
      case 'hold': hold(pc, m.mids ?? [], m.ms); return;
      case 'pointer': this.pointEvery = m.every; return;
      case 'ping': this.send({ type: 'pong', t: m.t }); break;
      case 'error':
        if (m.code === 'gone') { this.anew(); return; }
        this.error = { code: m.code, message: m.message };
        if (m.code === 'bad-sdp') this.prepare(); // and no resume
        if (hopeless.has(m.code)) this.finish();
        break;
      case 'pong': break;
      default: this.other(m); return;
    }
    this.arrange();
  }

  /** Makes our next offer. */
  private describe(iceRestart: boolean): Promise<void> {
    const pc = this.pc!;
    const done = this.work.then(async () => {
      if (pc !== this.pc) return;
      if (iceRestart) { this.reviver.stop(); pc.restartIce(); }
      await pc.setLocalDescription();
      this.offers++;
    });
    this.work = done.catch(() => {});
    return done;
  }

  /** Takes the answer to our newest offer; an older one is late. */
  private accept(sdp: string, id: number): Promise<void> {
    const pc = this.pc!;
    const done = this.work.then(async () => { if (pc === this.pc && id === this.offers && pc.signalingState === 'have-local-offer') await pc.setRemoteDescription({ type: 'answer', sdp: this.asked(sdp) }); });
    this.work = done.catch(() => {});
    return done;
  }

  /** While the link is down the offer waits for it. */
  private async offer(iceRestart = false): Promise<void> {
    await this.describe(iceRestart);
    if (this.pc) this.say({ type: 'offer', sdp: this.pc.localDescription!.sdp, id: this.offers });
  }

  /** Where no packet passes but HTTPS does: through the server's own TURN. Not before that shows, for a relay costs a slow link a second. */
  private detour(pc: RTCPeerConnection, relay: RTCIceServer): void {
    if (pc !== this.pc || connected(pc)) return;
    pc.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: [relay] });
    void this.offer(true).catch(() => this.anew());
  }

  /** Puts each track into the stream of the person whose slot it is. */
  private arrange(): void {
    this.measure.among(this.others(), Date.now());
    const wanted = new Map<string, MediaStreamTrack[]>();
    for (const s of this.slots) {
      const track = this.tracks.get(s.mid);
      if (track && s.participant && !s.why) wanted.set(s.participant, [...(wanted.get(s.participant) ?? []), track]);
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

  /** The WebSocket is gone, or as good as; the media connection stays. */
  private lost(): void {
    if (this.ended) return;
    if (this.ws) discard(this.ws);
    this.ws = undefined;
    if (this.phase === 'joined') {
      this.phase = 'lost';
      this.lostAt = Date.now();
      this.tries = 0;
      this.dial();
    } else {
      if (this.phase === 'waiting') this.phase = 'connecting';
      clearTimeout(this.timer);
      this.timer = window.setTimeout(this.dial, wait(this.tries++) * 1000);
    }
    this.tell();
  }

  /** Nothing is left to come back to: a new place in the room. */
  private anew(): void {
    if (this.ended) return;
    this.prepare();
    if (this.phase === 'joined') { this.lost(); return; }
    if (this.ws) discard(this.ws);
    this.ws = undefined;
    this.dial();
  }

  /** Whether nothing comes over our media connection, and no offer waits that might change that. */
  private async deaf(): Promise<boolean> {
    const pc = this.pc;
    if (pc?.signalingState !== 'stable') return false;
    const silent = this.pulse.silent(await pc.getStats()) && pc === this.pc;
    if (silent) { this.restartedAt = Date.now(); this.restarts++; }
    return silent;
  }

  private restart(): void {
    this.restartedAt = Date.now();
    this.restarts++;
    void this.offer(true).catch(() => this.anew());
  }

  /** Another network: what was open hangs on the old one. */
  private moved = (): void => {
    if (this.ended) return;
    if (this.token) this.restart();
    if (this.phase === 'joined') this.lost(); else this.dial();
  };

  private kind = network?.type;
  private changedNetwork = (): void => { if (network?.type !== this.kind) { this.kind = network?.type; if (navigator.onLine) this.moved(); } };

  private seen = (): void => {
    if (document.visibilityState !== 'visible') return;
    if (!this.ws) this.dial();
    void this.tick();
  };

  /** A link that is gone without a word: no packet for two seconds, and the path is tried until one comes, or by an ICE restart where the WebSocket still passes; no message for seven asks for another WebSocket. */
  private async tick(): Promise<void> {
    const pc = this.pc, now = Date.now();
    if (this.ended || !pc) return;
    const quiet = this.ws ? now - this.heardAt : 0;
    if (this.ws && this.phase !== 'joined' && this.phase !== 'waiting') { if (quiet > 10_000) this.lost(); } // no answer to join or resume
    else if (quiet > 7000) this.lost();
    else if (quiet > (this.deafSince ? 800 : 4000)) this.send({ type: 'ping', t: now });
    void this.share?.measure(pc).catch(() => {}); // closed meanwhile
    const stats = this.token !== '' ? await pc.getStats() : undefined;
    if (pc !== this.pc || this.ended) return;
    const dead = !!stats && this.pulse.silent(stats);
    if (stats && this.measure.look(stats.values(), this.others(), this.slots, Date.now())) this.report();
    if (dead) this.recover(pc, now, quiet); else this.hearing();
    if (this.phase === 'lost') this.tell();
  }

  /** The path as it was, as long as nothing says that the link is there and only the path is not. */
  private recover(pc: RTCPeerConnection, now: number, quiet: number): void {
    this.deafSince ||= now;
    if (!this.restartedAt) { if (this.heardAt > this.deafSince) this.restart(); else this.reviver.start(pc); }
    else if (this.phase === 'joined' && quiet < 3000 && pc.signalingState === 'stable' && now - this.restartedAt > 6000) { if (this.restarts < 4) this.restart(); else this.anew(); }
  }

  private others = (): Participant[] => this.participants.filter((p) => p.id !== this.self);
  private report(): void { this.say({ type: 'report', ...this.measure.report() }); }

  /** What the server takes from those in the room only. */
  say(m: unknown): void { if (this.phase === 'joined') this.send(m); }
  private send(m: unknown): void { if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(m)); }

  private tell(): void {
    this.changed({ phase: this.phase, self: this.self, participants: this.participants, streams: new Map(this.streams), stills: this.stills.shown, unseen: this.slots.filter((x) => x.why).map((x) => x.participant), quality: this.phase === 'joined' ? this.quality : undefined, target: this.target, sending: this.target?.kbps === 0 ? this.stills.every : undefined,
      lostFor: this.phase === 'lost' ? Math.round((Date.now() - this.lostAt) / 1000) : 0, error: this.error });
  }

  /** Another microphone or camera, or none: no negotiation needed. */
  async use(kind: 'audio' | 'video', track: MediaStreamTrack | undefined): Promise<void> {
    if (this.local[kind] !== track) this.local[kind]?.stop();
    this.local[kind] = track;
    await this.senders[kind]?.replaceTrack(track ?? null);
    if (kind === 'video') {
      await this.senders.low?.replaceTrack(track ?? null);
      await this.encode(); // its size may differ
    }
    this.announce();
  }

  choose(mode: Mode): void { this.mode = mode; this.wish(); this.tell(); }
  private wish(): void {
    this.say({ type: 'receive', video: this.mode === 'video', stills: this.mode === 'stills' });
    this.say({ type: 'send', stills: this.mode === 'stills' });
  }

  private encoding(t: Rung & { mode?: string }): RTCRtpEncodingParameters {
    const lines = this.local.video?.getSettings().height ?? 480;
    return { active: t.kbps > 0 && !this.voiceFirst, maxBitrate: Math.max(t.kbps, 10) * 1000, maxFramerate: t.fps, scaleResolutionDownBy: Math.max(1, lines / t.height), scalabilityMode: t.mode ?? 'L1T2' } as RTCRtpEncodingParameters;
  }
  private async encode(to = this.target): Promise<void> {
    if (!to) return;
    await tune(this.senders.video, this.encoding(to));
    await this.encodeLow(to.low);
    if (to.voice) await tune(this.senders.audio, { maxBitrate: to.voice * 1000 });
    const pc = this.pc;
    if (pc) await (this.work = this.work.then(() => (pc === this.pc ? retake(pc, this.asked) : undefined)).catch(() => {}));
  }
  /** Our picture once more, smaller, in a section of its own: made when it is first asked for, paused when it is not. In one section with the other it would have to be there from the beginning, and VP9 then has no layers of size. */
  private async encodeLow(low?: Rung): Promise<void> {
    if (this.senders.low || !low || !this.pc) { await tune(this.senders.low, low ? this.encoding(low) : { active: false }); return; }
    this.senders.low = this.pc.addTransceiver(this.local.video ?? 'video', { direction: 'sendonly', sendEncodings: [this.encoding(low)] }).sender;
    preferVP9(this.pc);
    void this.offer().catch(() => this.anew());
  }
  /** An answer with what the target asks for. */
  private asked = (sdp: string): string => inCodec(inPackets(sdp, this.target?.packet), this.target?.codec);

  setEnabled(kind: 'audio' | 'video', on: boolean): void {
    const t = this.local[kind];
    if (t) t.enabled = on;
    this.announce();
  }
  private announce(): void { this.say({ type: 'state', audio: this.on('audio'), video: this.on('video'), camera: this.camera }); this.tell(); }

  /** Whether there is a camera at all: without one nobody switched it off. */
  equip(camera: boolean): void {
    if (this.camera === camera || (camera && this.camera === undefined)) return;
    this.camera = camera;
    this.announce();
  }

  private dropMedia(): void {
    this.stills.close();
    this.again.end();
    this.pc?.close();
    this.pc = undefined;
    this.tracks.clear();
    this.streams.clear();
    this.slots = [];
    this.offers = 0;
    this.target = undefined;
    this.pointEvery = pointUsual;
    this.hearing();
  }

  private hearing(): void {
    this.deafSince = this.restartedAt = this.restarts = 0;
    this.reviver.stop();
  }

  private finish(): void {
    this.ended = true;
    this.phase = 'ended';
    this.share?.end();
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
    removeEventListener('online', this.moved);
    network?.removeEventListener('change', this.changedNetwork);
    document.removeEventListener('visibilitychange', this.seen);
    this.hurry.abort();
    for (const d of this.dials) discard(d);
    if (this.ws) { this.ws.onclose = null; this.ws.close(); }
    this.ws = undefined;
    this.dropMedia();
    this.tell();
  }

  /** Ends one that stands ready: there is nobody to say goodbye to. */
  close(): void { this.finish(); }

  hangUp(): void {
    if (this.phase === 'lost' && this.token) farewell(this.path, this.token);
    this.report();
    this.send({ type: 'leave' });
    this.finish();
    this.local.audio?.stop(); this.local.video?.stop();
  }
}

/** Changes how a track is encoded; an old browser keeps what it had. */
async function tune(sender: RTCRtpSender | undefined, to: RTCRtpEncodingParameters): Promise<void> {
  const p = sender?.getParameters(), now = p?.encodings?.[0];
  if (!now || Object.entries(to).every(([k, v]) => now[k as keyof RTCRtpEncodingParameters] === v)) return;
  Object.assign(now, to);
  await sender!.setParameters(p!).catch(async () => {
    // Layers that this browser does not have: without.
    const again = sender!.getParameters();
    Object.assign(again.encodings[0]!, to, { scalabilityMode: undefined });
    await sender!.setParameters(again).catch(() => {});
  });
}

const connected = (pc: RTCPeerConnection): boolean => ['connected', 'completed', 'closed'].includes(pc.iceConnectionState);

/** One exchange that joins; the offer is compressed where the browser can. */
async function exchange(path: string, join: object, signal: AbortSignal): Promise<Welcome> {
  const text = new Blob([JSON.stringify(join)]);
  const packed = 'CompressionStream' in window;
  const res = await fetch(path, {
    method: 'POST', credentials: 'same-origin', signal,
    headers: { 'Content-Type': 'application/json', ...(packed ? { 'Content-Encoding': 'gzip' } : {}) },
    body: packed ? await new Response(text.stream().pipeThrough(new CompressionStream('gzip'))).blob() : text,
  });
  if (!res.ok) throw new Error(String(res.status));
  return (await res.json()) as Welcome;
}

/** Three bars: what the link allows. 0: not known yet. */
export function bars(q: Quality | undefined): 0 | 1 | 2 | 3 {
  if (!q || !q.connected) return 0;
  const loss = Math.max(q.lossUp, q.lossDown);
  if (q.rttMs > 900 || loss > 0.1) return 1;
  if (q.rttMs > 400 || loss > 0.03) return 2;
  return 3;
}
