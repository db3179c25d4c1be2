// The call's side of the one budget: what the browser finds that its way up
// carries goes to the server, what the server grants goes to the uploads.
import { effect } from '@preact/signals';
import { filesFirst, share } from '../state/share';

const joining = { up: 10, down: 10 }; // kbit/s: the first words of a call must not wait behind an upload
const worthTelling = 0.05;

export class Share {
  private told = 0;
  private first = false;
  private stop: () => void;

  constructor(private say: (m: unknown) => void) {
    share(joining);
    this.stop = effect(() => { if (filesFirst.value !== this.first) this.wish(); });
  }

  private wish(): void {
    this.first = filesFirst.value;
    this.say({ type: 'files', first: this.first });
  }

  /** A new place in the call knows nothing of before. */
  joined(): void {
    this.told = 0;
    if (filesFirst.value) this.wish();
  }

  hear(m: { up?: number; down?: number }): void { share({ up: m.up, down: m.down }); }

  /** Asked once a second. */
  async measure(pc: RTCPeerConnection): Promise<void> {
    let bps = 0;
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'candidate-pair' && s.nominated && s.availableOutgoingBitrate) bps = Math.max(bps, s.availableOutgoingBitrate);
    }
    const kbps = Math.round(bps / 1000);
    if (!kbps || Math.abs(kbps - this.told) <= worthTelling * this.told) return;
    this.told = kbps;
    this.say({ type: 'uplink', kbps });
  }

  end(): void { this.stop(); share(undefined); }
}
