// Arithmetic of transfers: how fast, how much is left, how long.

/** Bytes per second over the last few seconds. Feed it totals, not differences. */
export class RateMeter {
  private samples: { at: number; total: number }[] = [];
  constructor(private readonly windowMs = 6000) {}

  add(total: number, at: number): void {
    const last = this.samples[this.samples.length - 1];
    if (last && total < last.total) this.samples = []; // taken up again at an earlier byte
    this.samples.push({ at, total });
    while (this.samples.length > 2 && at - this.samples[1]!.at > this.windowMs) this.samples.shift();
  }

  /** 0 when nothing moved within the window. */
  rate(at: number): number {
    const first = this.samples[0], last = this.samples[this.samples.length - 1];
    if (!first || !last || at - last.at > this.windowMs) return 0;
    const ms = Math.max(at - first.at, 250);
    return ((last.total - first.total) * 1000) / ms;
  }

  reset(): void { this.samples = []; }
}

export interface Measured { size: number; sent: number; state: string }
export interface Totals { count: number; left: number; size: number; sent: number; percent: number; bytesLeft: number; seconds: number }

const over = (s: string) => s === 'done' || s === 'failed';

/** Sum over transfers. Cancelled ones are not in the list; failed ones count as over but not as sent. */
export function totals(items: Measured[], rate: number): Totals {
  let size = 0, sent = 0, bytesLeft = 0, left = 0;
  for (const i of items) {
    if (i.state === 'failed') continue;
    const have = i.state === 'done' || i.state === 'processing' ? i.size : Math.min(i.sent, i.size);
    size += i.size;
    sent += have;
    bytesLeft += i.size - have;
    if (!over(i.state)) left++;
  }
  return { count: items.length, left, size, sent, bytesLeft, percent: percentOf(sent, size), seconds: rate > 0 ? bytesLeft / rate : Infinity };
}

/** Whole percent, rounded down so that 100 means all of it; an empty file is whole. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 100 : Math.floor((Math.min(part, whole) * 100) / whole);
}

/** Size of one request: small on slow links so that a cut costs little, larger when a round trip would cost more. */
export function chunkSize(bytesPerSecond: number): number {
  const KiB = 1024;
  if (bytesPerSecond > 4_000_000) return 4096 * KiB;
  if (bytesPerSecond > 600_000) return 1024 * KiB;
  return 256 * KiB;
}
