// Sends files by tus, one or two at a time, and takes each up again at the byte
// after a cut, a reload or a dead battery.
import { Upload, type DetailedError } from 'tus-js-client';
import { api, Problem, reachable } from '../api';
import { t, tMaybe } from '../i18n';
import { chunkSize, RateMeter } from '../lib/queue';
import { pieceSize } from '../lib/share';
import { uuid } from '../lib/uuid';
import { db } from '../state/db';
import { backoff, measure, onLive, speed } from '../state/live';
import { me } from '../state/session';
import { grant, turn } from '../state/share';
import { allPaused, transfers, uploadRate, type Picked, type StoredFile } from '../state/transfers';
import type { Intake } from '../types';
import { follow } from './intake';

const PARALLEL = 2;
const KEEP_UP_TO = 256 * 1024 * 1024;
const STALLED_MS = 60_000;
const junk = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$/i;

const sources = new Map<string, Blob>();      // bytes at hand in this page
const running = new Map<string, { upload: Upload; moved: number; waits?: boolean }>(); // waits: for its turn beside a call
const tries = new Map<string, number>();
const meter = new RateMeter();
let counted = 0; // bytes that left since the page was opened, for the rate of all together

// ── the list, shown at most five times a second while bytes flow ──
let shown = 0;
const items = new Map<string, StoredFile>();

function publish(now = false): void {
  if (now) { clearTimeout(shown); shown = 0; transfers.value = [...items.values()].map((i) => ({ ...i })); return; }
  shown ||= window.setTimeout(() => publish(true), 200);
}

async function change(id: string, patch: Partial<StoredFile>, keep = true): Promise<void> {
  const item = items.get(id);
  if (!item) return;
  Object.assign(item, patch);
  publish(patch.state !== undefined);
  if (keep) await (await db()).put('files', { ...item }).catch(() => {});
}

// ── entering the queue ──
export async function add(caseId: string, picked: Picked[]): Promise<void> {
  const owner = me.value?.id;
  if (!owner) return;
  const batch = uuid();
  const fresh: StoredFile[] = [];
  for (const { file, path } of picked) {
    if (junk.test(path || file.name)) continue;
    const same = [...items.values()].find((i) => i.caseId === caseId && i.name === file.name && i.size === file.size && i.modified === file.lastModified);
    if (same?.state === 'missing') { // chosen again after a reload: goes on where it stopped
      sources.set(same.id, file);
      void change(same.id, { state: 'queued', error: undefined });
      continue;
    }
    if (same && same.state !== 'failed' && same.state !== 'done') continue; // it is on its way already
    const item: StoredFile = {
      id: uuid(), owner, caseId, batch, name: file.name, path: path || file.name, size: file.size, type: file.type,
      modified: file.lastModified, addedAt: Date.now() + fresh.length / 1000, kept: false, state: 'queued', sent: 0,
    };
    items.set(item.id, item);
    sources.set(item.id, file);
    fresh.push(item);
  }
  publish(true);
  pump();
  let room = await freeSpace();
  for (const item of fresh) room = await keepBytes(item, room);
}

async function freeSpace(): Promise<number> {
  try {
    const e = await navigator.storage.estimate();
    return ((e.quota ?? 0) - (e.usage ?? 0)) / 2;
  } catch { return KEEP_UP_TO; }
}

/** Copies the bytes to this device so that a reload needs no second choosing; returns the room left. */
async function keepBytes(item: StoredFile, room: number): Promise<number> {
  const source = sources.get(item.id);
  const d = await db();
  if (items.has(item.id)) await d.put('files', { ...items.get(item.id)! }).catch(() => {});
  if (!source || item.size > KEEP_UP_TO || item.size > room || !items.has(item.id) || item.state === 'done') return room;
  try {
    await d.put('blobs', source, item.id);
    if (!items.has(item.id)) await d.delete('blobs', item.id); // cancelled meanwhile
    await change(item.id, { kept: true });
    return room - item.size;
  } catch { return 0; }
}

/** After a reload. Only one page takes up what was kept, where the browser can tell. */
export async function resumeStored(stored: StoredFile[]): Promise<void> {
  for (const s of stored) if (!items.has(s.id)) items.set(s.id, { ...s, retryAt: undefined, state: s.state === 'sending' || s.state === 'waiting' ? 'queued' : s.state });
  publish(true);
  const go = async () => {
    for (const s of stored) {
      const item = items.get(s.id);
      if (!item) continue;
      if (item.state === 'processing') { track(item); continue; }
      if (item.state === 'done' || sources.has(item.id)) continue;
      const blob = item.kept ? await (await db()).get('blobs', item.id).catch(() => undefined) : undefined;
      if (blob) sources.set(item.id, blob);
      else if (item.state !== 'failed') await change(item.id, { state: 'missing' });
    }
    pump();
  };
  if (!navigator.locks) { await go(); return; }
  void navigator.locks.request('sira-uploads', async () => { await go(); await new Promise(() => {}); });
}

// ── sending ──
export function pump(): void {
  if (allPaused.value) {
    for (const id of [...running.keys()]) { stop(id); void change(id, { state: 'queued' }); }
    return;
  }
  const next = [...items.values()].filter((i) => i.state === 'queued' && sources.has(i.id)).sort((a, b) => a.addedAt - b.addedAt);
  for (const item of next) {
    if (running.size >= (grant.value?.up === undefined ? PARALLEL : 1)) return;
    start(item);
  }
}

const piece = () => pieceSize(grant.value?.up, chunkSize(speed.value));

const tooLarge = (u: Upload) => u.options.chunkSize! > 4 * piece();
function again(id: string): void { stop(id); void change(id, { state: 'queued' }); }

// A call begins, or the link becomes thin: a large piece on its way is given up
// for small ones; what of it has arrived is kept.
grant.subscribe((g) => {
  if (g?.up !== undefined) {
    for (const [id, r] of [...running]) if (!r.waits && tooLarge(r.upload)) again(id);
  }
  pump();
});

function stop(id: string): void {
  const r = running.get(id);
  running.delete(id);
  void r?.upload.abort().catch(() => {});
}

function start(item: StoredFile): void {
  let last = 0, since = performance.now(), sinceBytes = 0;
  const current = () => running.get(item.id)?.upload === upload;
  const upload = new Upload(sources.get(item.id)!, {
    endpoint: '/api/uploads/',
    uploadUrl: item.url ?? null,
    chunkSize: piece(),
    retryDelays: null,
    storeFingerprintForResuming: false, // the address is in our own list, beside the bytes
    metadata: {
      filename: item.name, filetype: item.type || 'application/octet-stream',
      caseId: item.caseId, relativePath: item.path, batch: item.batch,
    },
    onUploadUrlAvailable: () => { if (current() && upload.url) void change(item.id, { url: upload.url }); },
    onBeforeRequest: async (req) => {
      if (req.getMethod() !== 'PATCH' || grant.value?.up === undefined) return;
      const r = running.get(item.id);
      if (r) r.waits = true;
      await turn(upload.options.chunkSize!);
      if (!current()) throw new Error('stopped'); // while it waited
      Object.assign(running.get(item.id)!, { waits: false, moved: performance.now() });
      if (tooLarge(upload)) { again(item.id); pump(); throw new Error('stopped'); }
    },
    onProgress: (sent) => {
      if (!current()) return;
      const r = running.get(item.id)!;
      if (sent > last) { r.moved = performance.now(); counted += last ? sent - last : 0; }
      last = sent;
      meter.add(counted, performance.now());
      void change(item.id, { sent }, false);
    },
    onChunkComplete: (size, accepted) => {
      if (!current()) return;
      tries.delete(item.id);
      reachable.value = true;
      upload.options.chunkSize = piece();
      sinceBytes += size;
      if (sinceBytes > 200_000) { measure(sinceBytes, performance.now() - since); since = performance.now(); sinceBytes = 0; }
      void change(item.id, { sent: accepted });
    },
    onSuccess: () => {
      if (!current()) return;
      running.delete(item.id);
      tries.delete(item.id);
      void change(item.id, { state: 'processing', sent: item.size, url: upload.url ?? item.url });
      track(items.get(item.id)!);
      pump();
    },
    onError: (err) => { if (current()) failed(item.id, err); },
  });
  running.set(item.id, { upload, moved: performance.now() });
  void change(item.id, { state: 'sending', error: undefined, retryAt: undefined });
  upload.start();
}

function failed(id: string, err: Error | DetailedError): void {
  running.delete(id);
  const res = 'originalResponse' in err ? err.originalResponse : null;
  const status = res?.getStatus() ?? 0;
  if (status === 0) reachable.value = false;
  // No answer, a busy or restarting server, a lock not yet released: try again by ourselves.
  if (status === 0 || status >= 500 && status !== 507 || [401, 408, 409, 423, 425, 429, 460].includes(status)) {
    const n = tries.get(id) ?? 0;
    tries.set(id, n + 1);
    const wait = Math.min(backoff(n), 15_000);
    void change(id, { state: 'waiting', retryAt: Date.now() + wait });
    setTimeout(() => { if (items.get(id)?.state === 'waiting') { void change(id, { state: 'queued' }); pump(); } }, wait);
  } else {
    let code = `http-${status}`, detail = '';
    try { const body = JSON.parse(res?.getBody() ?? ''); code = body.code ?? code; detail = body.detail ?? ''; } catch { /* not ours */ }
    if (status === 404 || status === 410) void change(id, { url: undefined, sent: 0 });
    void change(id, { state: 'failed', error: tMaybe(`error.${code}`) ?? (detail || t('upload.failed', { s: status })) });
  }
  pump();
}

// ── after the last byte: what the server made of it ──
function track(item: StoredFile): void {
  const uploadId = item.url?.split('/').filter(Boolean).pop();
  if (!uploadId) { void change(item.id, { state: 'done', results: [] }); return; }
  follow(uploadId, (id) => api.intake(id), (end) => {
    if (end instanceof Problem) { void change(item.id, { state: 'failed', error: end.text }); return; }
    finish(item.id, end);
  }, () => items.has(item.id));
}

function finish(id: string, intake: Intake): void {
  sources.delete(id);
  void change(id, { state: 'done', results: intake.files ?? [], kept: false });
  void db().then((d) => d.delete('blobs', id)).catch(() => {});
}

onLive((m) => {
  if (m.type === 'intake' && m.intake.state === 'done') {
    const item = [...items.values()].find((i) => i.state === 'processing' && i.url?.endsWith('/' + m.intake.id));
    if (item) finish(item.id, m.intake);
  }
  if (m.type === 'hello' || m.type === 'refresh') retryWaiting();
});
addEventListener('online', () => retryWaiting());

function retryWaiting(): void {
  for (const i of items.values()) if (i.state === 'waiting') void change(i.id, { state: 'queued' });
  pump();
}

// ── what the person asks ──
export function pause(id: string): void { stop(id); void change(id, { state: 'paused' }); pump(); }

export function resume(id: string): void {
  tries.delete(id);
  void change(id, { state: sources.has(id) ? 'queued' : 'missing', error: undefined });
  pump();
}

export async function cancel(id: string): Promise<void> {
  const item = items.get(id);
  stop(id);
  items.delete(id);
  sources.delete(id);
  tries.delete(id);
  publish(true);
  pump();
  const d = await db();
  await Promise.all([d.delete('files', id), d.delete('blobs', id)]).catch(() => {});
  if (item?.url && item.state !== 'done' && item.state !== 'processing') {
    void fetch(item.url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => {}); // the server forgets it anyway in the end
  }
}

export async function clearDone(): Promise<void> {
  for (const i of [...items.values()]) if (i.state === 'done' || i.state === 'failed') { items.delete(i.id); await (await db()).delete('files', i.id).catch(() => {}); }
  publish(true);
}

setInterval(() => {
  const at = performance.now();
  uploadRate.value = running.size ? meter.rate(at) : 0;
  for (const [id, r] of running) {
    if (r.waits || at - r.moved < STALLED_MS) continue;
    stop(id); // a dead link can leave a request open for many minutes
    failed(id, new Error('stalled'));
  }
}, 1000);
