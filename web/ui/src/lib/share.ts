// Arithmetic of sending beside a call: how large a piece is, and how long it pays for.

/** kbit/s of each way that a call leaves to files; absent: no bound. */
export interface Grant { up?: number; down?: number }

/** What a request costs beside its body on the way up: its headers, and those of the packets, bytes. */
export const requestBytes = 900;
const pieceSeconds = 0.25;
const leastPiece = (kbps: number): number => (kbps < 8 ? 1024 : 2048); // a thin link has a fifth of a second for it, between two words

/** What the grant sends in a quarter of a second, for a larger piece would stand in the link before the voice; not so small that it is all headers. */
export function pieceSize(kbps: number | undefined, usual: number): number {
  if (kbps === undefined) return usual;
  return Math.max(leastPiece(kbps), Math.min(usual, Math.floor(kbps * 125 * pieceSeconds)));
}

/** How long a piece takes at a grant, ms; 0 without one. */
export function pieceTime(bytes: number, kbps: number | undefined): number {
  return kbps === undefined ? 0 : ((bytes + requestBytes) * 8) / Math.max(kbps, 0.5);
}

/** How long so many bytes take in pieces, s. */
export function timeFor(bytes: number, kbps: number): number {
  const size = pieceSize(kbps, 256 * 1024);
  return (bytes / size) * pieceTime(size, kbps) / 1000;
}

/** A bucket of time: counts down what a piece takes, at whatever is granted meanwhile. */
export class Toll {
  private left: number; // bytes
  constructor(bytes: number) { this.left = bytes + requestBytes; }
  /** ms passed under a grant; says whether it is paid. */
  pay(ms: number, kbps: number | undefined): boolean {
    this.left -= kbps === undefined ? Infinity : (ms * kbps) / 8;
    return this.left <= 0;
  }
}

/** What another tab said holds as long as it is repeated. */
export const repeatMs = 2000, validMs = 6000;
