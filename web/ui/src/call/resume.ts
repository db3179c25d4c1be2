// Coming back after a cut: what the media path can do without a word of the
// server, and how often one is asked for by WebSocket.
import { urls } from '../api';

const resuming = 4000; // WebSocket close code: not a goodbye

/** Seconds until the next try. One that hangs is sent again by the system after 1 and 3 s, so that three of them try each second; and a browser makes who failed often wait for seconds. */
export const wait = (tries: number): number => (tries === 0 ? 0.5 : !navigator.onLine ? 4 : tries < 4 ? 1.2 : tries < 60 ? 2.5 : 4) * (0.8 + 0.4 * Math.random());

const reviveFor = 180_000; // ms in which the path is tried
const looksApart = 250; // ms: a path ends while the link comes back

/**
 * Tries the old path again. A browser's checks of a path, some 18 a second, end
 * 15 to 30 s after the first that had no answer, and the path with them. The
 * same address told once more, as of another foundation, makes it anew: the
 * first answer brings media back, a round trip after the link.
 */
export class Reviver {
  private timer = 0;
  private toldAt = 0;

  start(pc: RTCPeerConnection): void {
    if (this.timer) return;
    const until = Date.now() + reviveFor;
    this.timer = window.setInterval(() => {
      if (Date.now() < until) void this.look(pc).catch(() => {}); // closed meanwhile
    }, looksApart);
  }

  stop(): void { clearInterval(this.timer); this.timer = 0; }

  private async look(pc: RTCPeerConnection): Promise<void> {
    const checked = checks(await pc.getStats()), now = Date.now(), answer = pc.remoteDescription?.sdp;
    if (!this.timer || !answer || checked || now - this.toldAt < 1000) return;
    this.toldAt = now;
    for (const c of candidatesOf(answer, String(now % 1e9))) await pc.addIceCandidate(c);
  }
}

/** Whether the browser still checks a path by UDP. */
const checks = (stats: RTCStatsReport): boolean => [...stats.values()].some((s) => s.type === 'candidate-pair' && s.state !== 'failed' && stats.get(s.remoteCandidateId)?.protocol !== 'tcp');

/** The server's addresses by UDP, each once, as they stand in the first section for all. */
export function candidatesOf(sdp: string, foundation: string): RTCIceCandidateInit[] {
  const first = sdp.split('\r\nm=')[1]?.split('\r\n') ?? [];
  const sdpMid = first.find((l) => l.startsWith('a=mid:'))?.slice(6);
  const found = new Map<string, RTCIceCandidateInit>();
  for (const l of first) {
    const [, rest] = /^a=candidate:\S+( 1 udp \d+ (?:\S+ \d+) typ host)/i.exec(l) ?? [];
    if (rest) found.set(rest.split(' ').slice(4, 6).join(' '), { candidate: `candidate:${foundation}${rest}`, sdpMid, sdpMLineIndex: 0 });
  }
  return [...found.values()];
}

/** Lets a WebSocket go without saying goodbye. */
export function discard(ws: WebSocket): void { ws.onopen = ws.onmessage = ws.onclose = null; ws.close(resuming); }

/** Who hangs up while the link is down leaves as soon as it is back: the others need not wait. */
export function farewell(path: string, token: string, until = Date.now() + 600_000): void {
  const ws = new WebSocket(urls.socket(path));
  let said = false;
  ws.onopen = () => { said = true; ws.send(JSON.stringify({ type: 'resume', token })); ws.send('{"type":"leave"}'); };
  ws.onclose = () => { if (!said && Date.now() < until) window.setTimeout(farewell, 5000, path, token, until); };
}
