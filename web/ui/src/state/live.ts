// News from the server: a WebSocket that comes back by itself, polling when it does not.
import { signal } from '@preact/signals';
import { reachable, urls } from '../api';
import type { LiveMessage } from '../types';

export type Link = 'online' | 'polling' | 'offline';
export const link = signal<Link>('polling');
/** Measured speed of the last larger transfer, bytes per second; 0 when nothing was measured. */
export const speed = signal(0);

type Listener = (m: LiveMessage | { type: 'refresh' }) => void;
const listeners = new Set<Listener>();
export function onLive(fn: Listener): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}
const tell: Listener = (m) => { for (const fn of [...listeners]) fn(m); };

/** Wait before try n (from 0): 1, 2, 4 … 30 s, spread by up to half so that a whole district does not knock at once. */
export function backoff(n: number, random = Math.random()): number {
  return Math.min(30_000, 1000 * 2 ** n) * (0.75 + random / 2);
}

/** Smoothed; the newest sample counts for a third. */
export function measure(bytes: number, ms: number): void {
  if (bytes < 8000 || ms < 20) return;
  const now = (bytes * 1000) / ms;
  speed.value = speed.value ? speed.value * 0.67 + now * 0.33 : now;
}

let socket: WebSocket | undefined;
let timer = 0;
let tries = 0;
let wanted = false;

function connect(): void {
  clearTimeout(timer);
  if (!wanted) return;
  const ws = new WebSocket(urls.socket('/api/live'));
  socket = ws;
  const giveUp = setTimeout(() => ws.close(), 15_000);
  ws.onopen = () => {
    clearTimeout(giveUp);
    const back = tries > 0;
    tries = 0;
    link.value = 'online';
    reachable.value = true;
    if (back) tell({ type: 'refresh' }); // what happened meanwhile was not told
  };
  ws.onmessage = (e) => {
    try { tell(JSON.parse(String(e.data)) as LiveMessage); } catch { /* not for us */ }
  };
  ws.onclose = () => {
    clearTimeout(giveUp);
    if (socket !== ws) return;
    socket = undefined;
    if (!wanted) return;
    link.value = reachable.value ? 'polling' : 'offline';
    timer = window.setTimeout(connect, backoff(tries++));
  };
}

export function startLive(): void {
  if (wanted) return;
  wanted = true;
  tries = 0;
  connect();
}

export function stopLive(): void {
  wanted = false;
  clearTimeout(timer);
  socket?.close();
  socket = undefined;
}

export function watchLink(): void {
  // While there is no socket, ask every 20 s; an answer also tells that the server is there again.
  setInterval(() => { if (wanted && link.value !== 'online') tell({ type: 'refresh' }); }, 20_000);
  reachable.subscribe((ok) => { if (link.value !== 'online') link.value = ok ? 'polling' : 'offline'; else if (!ok) socket?.close(); });
  addEventListener('online', () => { if (wanted && !socket) { tries = 0; connect(); } tell({ type: 'refresh' }); });
  addEventListener('offline', () => { reachable.value = false; });
}
