// Whether anything still arrives over a media connection. ICE says so late: a
// browser takes five seconds and more to call a dead path disconnected.

const quietAllowed = 2000; // ms without a packet where there was a steady flow
const checksApart = 7000; // ms: with no flow only ICE's own checks arrive, some 2.5 s apart
const firstAllowed = 10_000; // ms until anything arrives at all
const steady = 4; // measurements in a row with packets

export class Pulse {
  private seen = new Map<string, number>();
  private begun = 0;
  private lastAt = 0;
  private flow = 0;

  /** Asked about once a second. */
  silent(stats: RTCStatsReport): boolean {
    let more = false;
    for (const s of stats.values()) {
      const n = s.type === 'transport' ? s.bytesReceived : s.type === 'candidate-pair' ? s.responsesReceived : 0;
      if (n > (this.seen.get(s.id) ?? 0)) { more = true; this.seen.set(s.id, n); }
    }
    return this.read(more, Date.now());
  }

  /** more: something arrived since the last time; now in ms. */
  read(more: boolean, now: number): boolean {
    this.begun ||= now;
    if (more) {
      this.flow = now - this.lastAt < 1800 ? this.flow + 1 : 0;
      this.lastAt = now;
      return false;
    }
    if (!this.lastAt) return now - this.begun > firstAllowed;
    return now - this.lastAt > (this.flow >= steady ? quietAllowed : checksApart);
  }
}
