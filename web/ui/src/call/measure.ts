// What only the browser knows of a call: how much of what others said could be
// understood, how long it took to hear and see them, how often pictures froze.
// docs/signaling.md ("report") has the definitions.

export interface Report { voice: number; usable: number; concealedMs: number; freezes: number; frozenMs: number; firstAudioMs: number; firstVideoMs: number; width: number; height: number; fps: number }

/** What is read of a received stream (webrtc-stats, inbound-rtp). */
export interface Inbound { type: string; id: string; kind: string; mid?: string; packetsReceived?: number; concealedSamples?: number; silentConcealedSamples?: number; totalSamplesReceived?: number; freezeCount?: number; totalFreezesDuration?: number; frameWidth?: number; frameHeight?: number; framesPerSecond?: number; framesDecoded?: number }

interface Other { id: string; audio: boolean; via?: string }
interface Place { mid: string; participant: string; kind: string }
interface Mark { packets: number; made: number; played: number; freezes: number; frozen: number; at: number }

const concealedMost = 0.05; // of a usable second
const silentMost = 2000; // ms since the last packet of voice; when nobody speaks one comes each 400 ms
const samples = 48_000; // a second, as decoders give them
const lookFor = 60_000; // ms for a first picture after its first packet
const every = 10; // looks between reports

export class Measure {
  private r: Report = { voice: 0, usable: 0, concealedMs: 0, freezes: 0, frozenMs: 0, firstAudioMs: 0, firstVideoMs: 0, width: 0, height: 0, fps: 0 };
  private ms = { voice: 0, usable: 0, concealed: 0, frozen: 0 };
  private marks = new Map<string, Mark>();
  private companyAt = 0; // since when somebody else is there
  private alone = false; // was, at first
  private last = 0;
  private looks = 0;

  constructor(private begun: number) {}

  /** The click, where a connection stood ready before it. */
  begin(now: number): void { this.begun = now; }

  /** A new connection counts from nothing. */
  watch(pc: RTCPeerConnection): void {
    this.marks.clear();
    pc.addEventListener('track', (e) => e.track.addEventListener('unmute', () => {
      if (e.track.kind === 'audio') this.first('audio', Date.now());
      else void this.firstPicture(e.receiver, Date.now() + lookFor);
    }, { once: true }));
  }

  private async firstPicture(receiver: RTCRtpReceiver, until: number): Promise<void> {
    while (!this.r.firstVideoMs && Date.now() < until && receiver.track.readyState === 'live') {
      for (const s of (await receiver.getStats()).values()) if ((s as Inbound).framesDecoded) return this.first('video', Date.now());
      await new Promise((r) => setTimeout(r, 100));
    }
  }

  /** Who else is in the call now. */
  among(others: Other[], now: number): void {
    if (others.length) this.companyAt ||= this.alone ? now : this.begun;
    else this.alone = true;
  }

  /** The first packet of voice, or the first picture, of anybody. */
  first(kind: 'audio' | 'video', now: number): void {
    const key = kind === 'audio' ? 'firstAudioMs' : 'firstVideoMs';
    this.r[key] ||= Math.max(1, Math.round(now - Math.max(this.begun, this.companyAt)));
  }

  /** Looks once a second; says whether a report is due. */
  look(stats: Iterable<Inbound>, others: Other[], slots: Place[], now: number): boolean {
    const step = this.last ? Math.min(now - this.last, 5000) : 0;
    this.last = now;
    const speakers = new Set(others.filter((p) => p.audio && !p.via).map((p) => p.id));
    const heard = new Set(slots.filter((s) => s.kind === 'audio' && speakers.has(s.participant)).map((s) => s.mid));
    let flows = false, made = 0, played = 0, size = 0;
    this.r.width = this.r.height = this.r.fps = 0;
    for (const s of stats) {
      if (s.type !== 'inbound-rtp') continue;
      const [was, m] = this.mark(s, now);
      if (!m.at || now - m.at > silentMost) continue;
      if (s.kind === 'audio' && heard.has(s.mid ?? '')) {
        flows = true;
        made += Math.max(0, m.made - was.made);
        played += Math.max(0, m.played - was.played);
      }
      const area = (s.frameWidth ?? 0) * (s.frameHeight ?? 0);
      if (s.kind === 'video' && area > size) { size = area; this.r.width = s.frameWidth!; this.r.height = s.frameHeight!; this.r.fps = Math.round(s.framesPerSecond ?? 0); }
    }
    if (speakers.size) {
      this.ms.voice += step;
      this.ms.concealed += made * 1000 / samples;
      if (flows && (made === 0 || made < concealedMost * played)) this.ms.usable += step;
    }
    return ++this.looks % every === 0;
  }

  /** What a stream is at now, and was at the last look. */
  private mark(s: Inbound, now: number): [Mark, Mark] {
    const was = this.marks.get(s.id) ?? { packets: 0, made: 0, played: 0, freezes: 0, frozen: 0, at: 0 };
    const m: Mark = { packets: s.packetsReceived ?? 0, made: (s.concealedSamples ?? 0) - (s.silentConcealedSamples ?? 0), played: s.totalSamplesReceived ?? 0,
      freezes: s.freezeCount ?? 0, frozen: s.totalFreezesDuration ?? 0, at: (s.packetsReceived ?? 0) > was.packets ? now : was.at };
    this.marks.set(s.id, m);
    this.r.freezes += Math.max(0, m.freezes - was.freezes);
    this.ms.frozen += Math.max(0, m.frozen - was.frozen) * 1000;
    return [was, m];
  }

  report(): Report {
    const s = (ms: number) => Math.round(ms / 1000), voice = s(this.ms.voice);
    return { ...this.r, voice, usable: Math.min(s(this.ms.usable), voice), concealedMs: Math.round(this.ms.concealed), frozenMs: Math.round(this.ms.frozen) };
  }
}
