// Events that wait to leave. Each carries the id made when it was written, so that
// sending it again after a cut, a reload or a dead battery never doubles it.
import { signal } from '@preact/signals';
import { api, Problem, problemText } from '../api';
import type { Case, NewEvent } from '../types';
import { db } from './db';
import { onLive } from './live';
import { me } from './session';

export interface OutboxItem {
  id: string; owner: string; caseId: string; kind: 'request' | 'text';
  events: NewEvent[]; createdAt: number; tries: number;
  refused?: { code: string; text: string };  // the server said no: the person has to look at it
}

export const outbox = signal<OutboxItem[]>([]);
export const sending = signal(false);

type Sent = (item: OutboxItem, result: Case) => void;
const onSentFns = new Set<Sent>();
export function onSent(fn: Sent): () => void { onSentFns.add(fn); return () => onSentFns.delete(fn); }

/** A refusal that trying again cannot change. 408 and 429 pass; 401 waits for the password. */
export const final = (status: number): boolean => status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);

export const sendable = (items: OutboxItem[], owner: string): OutboxItem[] =>
  items.filter((i) => i.owner === owner && !i.refused).sort((a, b) => a.createdAt - b.createdAt);

export async function loadOutbox(owner: string): Promise<void> {
  try { outbox.value = (await (await db()).getAll('outbox')).filter((i) => i.owner === owner); } catch { /* keep what we have */ }
  void flush();
}

async function keep(item: OutboxItem): Promise<void> {
  outbox.value = [...outbox.value.filter((i) => i.id !== item.id), item];
  await (await db()).put('outbox', item);
}

export async function drop(id: string): Promise<void> {
  outbox.value = outbox.value.filter((i) => i.id !== id);
  await (await db()).delete('outbox', id).catch(() => {});
}

/** Keeps the item on this device, then tries at once. */
export async function enqueue(item: OutboxItem): Promise<void> {
  try { await keep(item); } catch { outbox.value = [...outbox.value.filter((i) => i.id !== item.id), item]; }
  void flush();
}

let running: Promise<void> | undefined;
let again = false;

export function flush(): Promise<void> {
  if (running) { again = true; return running; }
  running = (async () => {
    do { again = false; await pass(); } while (again);
  })().finally(() => { running = undefined; sending.value = false; });
  return running;
}

async function pass(): Promise<void> {
  const owner = me.value?.id;
  if (!owner) return;
  const failed = new Set<string>(); // events of one case leave in order
  for (const item of sendable(outbox.value, owner)) {
    if (failed.has(item.caseId)) continue;
    sending.value = true;
    try {
      const result = await api.postEvents(item.caseId, item.events);
      await drop(item.id);
      for (const fn of [...onSentFns]) fn(item, result);
    } catch (err) {
      failed.add(item.caseId);
      if (err instanceof Problem && final(err.status)) await keep({ ...item, refused: { code: err.code, text: problemText(err) } }).catch(() => {});
      else {
        outbox.value = outbox.value.map((i) => (i.id === item.id ? { ...i, tries: i.tries + 1 } : i));
        if (err instanceof Problem && err.offline) return;
      }
    }
  }
}

export function startOutbox(): void {
  setInterval(() => { if (outbox.value.some((i) => !i.refused)) void flush(); }, 10_000);
  onLive((m) => { if (m.type === 'hello' || m.type === 'refresh') void flush(); });
}
