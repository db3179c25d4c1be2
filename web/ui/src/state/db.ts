// What this device keeps: drafts, what waits to leave, files not yet sent, the last list.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Draft } from './drafts';
import type { OutboxItem } from './outbox';
import type { StoredFile } from './transfers';

interface Schema extends DBSchema {
  drafts: { key: string; value: Draft };
  outbox: { key: string; value: OutboxItem };
  files: { key: string; value: StoredFile };
  blobs: { key: string; value: Blob };
  cache: { key: string; value: { at: number; value: unknown } };
  texts: { key: string; value: { at: number; value: unknown } };
}

let opening: Promise<IDBPDatabase<Schema>> | undefined;

export function db(): Promise<IDBPDatabase<Schema>> {
  opening ??= openDB<Schema>('sira', 1, {
    upgrade(d) {
      for (const name of ['drafts', 'outbox', 'files'] as const) d.createObjectStore(name, { keyPath: 'id' });
      for (const name of ['blobs', 'cache', 'texts'] as const) d.createObjectStore(name);
    },
    terminated() { opening = undefined; },
  });
  return opening;
}

/** The last answer seen for a key, kept for reading without a link. Losing it is harmless, so failures are silent. */
export const cache = {
  async get<T>(key: string): Promise<{ at: number; value: T } | undefined> {
    try { return (await (await db()).get('cache', key)) as { at: number; value: T } | undefined; } catch { return undefined; }
  },
  async put(key: string, value: unknown): Promise<void> {
    try { await (await db()).put('cache', { at: Date.now(), value }, key); } catch { /* full or private: we go without */ }
  },
  async clear(): Promise<void> {
    try { await (await db()).clear('cache'); } catch { /* nothing to clear */ }
  },
};

/** Text being written (message, opinion), by key. */
export const texts = {
  async get<T>(key: string): Promise<{ at: number; value: T } | undefined> {
    try { return (await (await db()).get('texts', key)) as { at: number; value: T } | undefined; } catch { return undefined; }
  },
  async put(key: string, value: unknown): Promise<boolean> {
    try { await (await db()).put('texts', { at: Date.now(), value }, key); return true; } catch { return false; }
  },
  async delete(key: string): Promise<void> {
    try { await (await db()).delete('texts', key); } catch { /* already gone */ }
  },
};
