// Stills where no video passes: ours are taken and sent as the server asks,
// those of others are put together and shown.
import { Gather, piece, pieceCount } from '../lib/piece';

/** at: when it was taken, by our clock; every: seconds between the last two. */
export interface Shown { url: string; at: number; every: number }
export interface Wanted { bytes: number; every: number }

const sizes = [320, 240, 160]; // pixels of width, the first that fits
const qualities = [0.8, 0.65, 0.5, 0.35, 0.2];
const usual = 5; // seconds

export class Stills {
  shown = new Map<string, Shown>(); // by participant
  private channel?: RTCDataChannel;
  private gather = new Gather();
  private want: Wanted = { bytes: 0, every: usual };
  private video?: HTMLVideoElement;
  private number = 0;
  private timer = 0;
  private run = 0; // of those that take one after another, the last: two at once would send their pieces mixed, of which none makes a picture

  constructor(private camera: () => MediaStreamTrack | undefined, private changed: () => void) {}

  /** Before the first offer: both sides know of the channel without a word. */
  open(pc: RTCPeerConnection): void {
    this.close();
    const c = pc.createDataChannel('stills', { negotiated: true, id: 0, ordered: true });
    c.binaryType = 'arraybuffer';
    c.onmessage = (e) => { if (c === this.channel && e.data instanceof ArrayBuffer) this.hear(e.data); };
    this.channel = c;
  }

  close(): void {
    this.wanted({ bytes: 0, every: usual });
    this.channel = undefined;
    for (const s of this.shown.values()) URL.revokeObjectURL(s.url);
    this.shown.clear();
  }

  private hear(raw: ArrayBuffer): void {
    const now = Date.now(), s = this.gather.add(raw, now);
    if (!s) return;
    const last = this.shown.get(s.from), at = now - s.age;
    if (last) URL.revokeObjectURL(last.url);
    const apart = last ? Math.round((at - last.at) / 1000) : usual;
    this.shown = new Map(this.shown).set(s.from, { url: URL.createObjectURL(new Blob([s.data], { type: s.type })), at, every: Math.min(Math.max(apart, 1), 60) });
    this.changed();
  }

  /** Seconds between two of ours, where any are asked for. */
  get every(): number | undefined { return this.want.bytes ? this.want.every : undefined; }

  wanted(w: Wanted): void {
    const began = this.want.bytes === 0 && w.bytes > 0;
    this.want = w;
    if (began || !w.bytes) { clearTimeout(this.timer); this.run++; }
    if (began) void this.next(this.run);
    if (!w.bytes) { if (this.video) this.video.srcObject = null; this.video = undefined; }
  }

  private async next(run: number): Promise<void> {
    const { bytes, every } = this.want;
    const begun = performance.now();
    const sent = await this.take(bytes, every, run).catch(() => false); // no frame this time
    const wait = sent ? this.want.every * 1000 - (performance.now() - begun) : 0;
    if (run === this.run) this.timer = window.setTimeout(() => void this.next(run), Math.max(400, wait));
  }

  /** Says whether a still left; not while the one before has not. */
  private async take(bytes: number, every: number, run: number): Promise<boolean> {
    const track = this.camera(), channel = this.channel;
    if (!track?.enabled || track.readyState !== 'live' || channel?.readyState !== 'open' || channel.bufferedAmount > 1000) return false;
    const video = this.video ??= Object.assign(document.createElement('video'), { muted: true, playsInline: true });
    if ((video.srcObject as MediaStream | null)?.getTracks()[0] !== track) video.srcObject = new MediaStream([track]);
    if (video.paused) await video.play();
    for (let i = 0; !video.videoWidth && i < 50; i++) await sleep(40);
    const taken = performance.now();
    const data = await small(video, bytes);
    if (!data) return false;
    const number = ++this.number, count = pieceCount(data.length);
    for (let i = 0; i < count; i++) {
      if (i) await sleep((every * 900) / count); // a voice leaves between two
      if (run !== this.run || channel !== this.channel || channel.readyState !== 'open') return false;
      channel.send(piece(number, i, data, performance.now() - taken));
    }
    return true;
  }
}

const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));

/** The largest and best that stays within the bytes. */
async function small(video: HTMLVideoElement, bytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!video.videoWidth) return undefined;
  const canvas = document.createElement('canvas');
  for (const width of sizes) {
    canvas.width = Math.min(width, video.videoWidth);
    canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
    canvas.getContext('2d')!.drawImage(video, 0, 0, canvas.width, canvas.height);
    for (const quality of qualities) {
      for (const type of ['image/webp', 'image/jpeg']) {
        const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, quality));
        if (blob?.type !== type) continue; // an old browser gives PNG instead
        if (blob.size <= bytes) return new Uint8Array(await blob.arrayBuffer());
        break;
      }
    }
  }
  return undefined;
}
