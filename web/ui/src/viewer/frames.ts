// The frames of one series on their way to the screen. Nothing is fetched
// twice while it fits in memory; what scrolled out of interest is given up.
import { urls } from '../api';
import type { InstanceManifest, SeriesManifest } from '../types';
import { next, previewLevel } from './order';

export interface FrameRef { inst: InstanceManifest; frame: number } // frame from 1
export type Samples = Int16Array | Uint16Array | Uint8Array;
export interface Picture { level: number; rows: number; cols: number; data?: Samples; bitmap?: ImageBitmap; rgb: boolean; bytes: number; used: number }

/** Every frame of the series in order, of the instances that hold a picture. */
export function framesOf(m: SeriesManifest): FrameRef[] {
  const out: FrameRef[] = [];
  for (const inst of m.instances ?? []) {
    if (inst.kind !== 'image') continue;
    for (let f = 1; f <= Math.max(1, inst.frames); f++) out.push({ inst, frame: f });
  }
  return out;
}

const parallel = 2;

export class FrameStore {
  private pictures = new Map<string, Picture>();
  private running = new Map<string, { abort: AbortController; index: number; level: number }>();
  private failed = new Map<string, number>();
  private bytes = 0;
  private clock = 0;
  private closed = false;
  private retry = 0;
  current = 0;
  received = 0;

  constructor(private caseId: string, readonly frames: FrameRef[], private changed: (index: number) => void,
    private budget = 192 << 20) {}

  level(i: number): number {
    const f = this.frames[i];
    return f && f.inst.encoding === 'raw' ? previewLevel(f.inst.rows, f.inst.cols) : 0;
  }

  private key = (i: number, level: number) => `${i}/${level}`;

  /** The best picture at hand for an index. */
  best(i: number): Picture | undefined {
    const p = this.pictures.get(this.key(i, 0)) ?? this.pictures.get(this.key(i, this.level(i)));
    if (p) p.used = ++this.clock;
    return p;
  }

  /** How many frames are here, in full and at all. */
  counts(): { full: number; any: number } {
    let full = 0, any = 0;
    for (let i = 0; i < this.frames.length; i++) {
      if (this.pictures.has(this.key(i, 0))) { full++; any++; } else if (this.pictures.has(this.key(i, this.level(i)))) any++;
    }
    return { full, any };
  }

  problem(i: number): boolean { return (this.failed.get(this.key(i, 0)) ?? 0) >= 3; }

  /** Looks from index i: what is far from it and still on its way is given up. */
  look(i: number): void {
    this.current = i;
    for (const [key, r] of this.running) {
      if (r.level === 0 && Math.abs(r.index - i) > 8) { r.abort.abort(); this.running.delete(key); }
    }
    this.pump();
  }

  pump(): void {
    if (this.closed) return;
    const budgetLeft = () => this.bytes < this.budget;
    while (this.running.size < parallel) {
      const has = (i: number, k: number) => this.pictures.has(this.key(i, k)) || this.running.has(this.key(i, k)) || (this.failed.get(this.key(i, k)) ?? 0) >= 3;
      const want = next(this.current, this.frames.length, this.level(this.current), has, budgetLeft() ? this.frames.length : 3);
      if (!want || this.frames[want.index]!.inst.encoding === 'unsupported') return;
      void this.fetch(want.index, want.level);
    }
  }

  private async fetch(i: number, level: number): Promise<void> {
    const key = this.key(i, level);
    const abort = new AbortController();
    this.running.set(key, { abort, index: i, level });
    try {
      const picture = await this.load(this.frames[i]!, level, abort.signal);
      if (this.closed) { picture.bitmap?.close(); return; }
      this.put(key, picture);
      this.failed.delete(key);
      this.changed(i);
    } catch {
      if (!abort.signal.aborted && !this.closed) {
        this.failed.set(key, (this.failed.get(key) ?? 0) + 1);
        // A cut link: try again in a while, and tell the screen.
        clearTimeout(this.retry);
        this.retry = window.setTimeout(() => { this.pump(); }, 2500);
        this.changed(i);
        return;
      }
    } finally {
      if (this.running.get(key)?.abort === abort) this.running.delete(key);
    }
    this.pump();
  }

  /** Asks again for what failed, when the user says so. */
  again(): void { this.failed.clear(); this.pump(); }

  private async load(f: FrameRef, level: number, signal: AbortSignal): Promise<Picture> {
    const res = await fetch(urls.frame(this.caseId, f.inst.sop, f.frame, level), { credentials: 'same-origin', signal });
    if (!res.ok) throw new Error(`frame: ${res.status}`);
    const type = res.headers.get('Content-Type') ?? '';
    if (type.startsWith('image/')) {
      const blob = await res.blob();
      this.received += blob.size;
      const bitmap = await createImageBitmap(blob);
      return { level, rows: bitmap.height, cols: bitmap.width, bitmap, rgb: true, bytes: bitmap.width * bitmap.height * 4, used: ++this.clock };
    }
    const buffer = await res.arrayBuffer();
    this.received += buffer.byteLength;
    const rows = Number(res.headers.get('Sira-Rows')) || f.inst.rows;
    const cols = Number(res.headers.get('Sira-Columns')) || f.inst.cols;
    const rgb = f.inst.samples === 3;
    const wide = buffer.byteLength >= rows * cols * 2 && !rgb;
    const narrow = f.inst.signed && !rgb ? Int16Array.from(new Int8Array(buffer)) : new Uint8Array(buffer);
    const data: Samples = wide ? (f.inst.signed ? new Int16Array(buffer) : new Uint16Array(buffer)) : narrow;
    if (data.length < rows * cols * (rgb ? 3 : 1)) throw new Error('frame: short');
    return { level, rows, cols, data, rgb, bytes: buffer.byteLength, used: ++this.clock };
  }

  private put(key: string, p: Picture): void {
    this.pictures.set(key, p);
    this.bytes += p.bytes;
    while (this.bytes > this.budget) {
      let oldest: string | undefined, used = Infinity;
      for (const [k, q] of this.pictures) if (q.used < used && q.level === 0 && k !== key) { oldest = k; used = q.used; }
      if (!oldest) return;
      const q = this.pictures.get(oldest)!;
      q.bitmap?.close();
      this.bytes -= q.bytes;
      this.pictures.delete(oldest);
    }
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    for (const r of this.running.values()) r.abort.abort();
    for (const p of this.pictures.values()) p.bitmap?.close();
    this.pictures.clear();
  }
}
