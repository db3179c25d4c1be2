// What is done where losses come in rows: our voice is said again further back, in
// a worker, and those we hear are held until what was lost is said again.
import RedWorker from './red.worker?worker&inline';

interface Transforming { transform?: unknown }
type ScriptTransform = new (worker: Worker) => unknown;
const Transform = (globalThis as unknown as { RTCRtpScriptTransform?: ScriptTransform }).RTCRtpScriptTransform;
const redundant = (): boolean => !!RTCRtpSender.getCapabilities?.('audio')?.codecs.some((c) => /^audio\/red$/i.test(c.mimeType));

/** Our voice on its way to the encoder's other end. */
export class Again {
  private worker?: Worker;
  private broken = false;

  /** failed: the voice does not get through any more, and a new connection is needed, which will do without. */
  constructor(private failed: () => void) {}

  /** Must be called in the turn in which the sender was made: Chromium takes no transform later. */
  attach(sender: RTCRtpSender): void {
    this.end();
    if (!Transform || this.broken || !redundant()) return;
    try {
      const worker = new RedWorker();
      worker.onerror = () => { if (worker === this.worker) { this.broken = true; this.end(); this.failed(); } };
      (sender as unknown as Transforming).transform = new Transform(worker);
      this.worker = worker;
    } catch { /* without */ }
  }

  /** How many ms before a voice the other one is that is said again with it; 0: none. */
  reach(ms: number | undefined): void { this.worker?.postMessage(ms ?? 0); }

  end(): void {
    this.worker?.terminate();
    this.worker = undefined;
  }
}

/** Holds the voices of these sections so many ms before they are played; the others play as they come. */
export function hold(pc: RTCPeerConnection, mids: string[], ms: number): void {
  for (const { mid, receiver } of pc.getTransceivers()) {
    const r = receiver as RTCRtpReceiver & { jitterBufferTarget?: number | null };
    if (receiver.track.kind !== 'audio' || !('jitterBufferTarget' in r)) continue;
    const want = mid && mids.includes(mid) ? ms : null;
    if (r.jitterBufferTarget !== want) r.jitterBufferTarget = want;
  }
}
