// What the manifest does not tell of a frame: its own rescale and windows, its
// look-up tables, its overlays. Asked for frame by frame, kept while the series is open.
import { api } from '../api';
import type { Display, LookupTable, OverlayPlane } from '../types';
import type { FrameRef, Picture } from './frames';
import type { Rescale } from './voi';

export interface Lut { first: number; top: number; label: string; values: Uint16Array }

/** Base64 of 16-bit words, little endian. */
export function words(base64: string): Uint16Array {
  const b = bytes(base64), out = new Uint16Array(b.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = b[2 * i]! | (b[2 * i + 1]! << 8);
  return out;
}
const bytes = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export const lutOf = (l: LookupTable): Lut => ({ first: l.first, top: 2 ** l.bits - 1, label: l.label, values: words(l.values) });

/** Looks up: below the first the first, beyond the last the last (PS3.3 C.11.1.1). */
export const lookup = (l: Lut, v: number): number => l.values[Math.min(l.values.length - 1, Math.max(0, Math.floor(v - l.first)))] ?? 0;

/** What 65,536 stored values become: through the modality LUT or the rescale, then a VOI LUT as 0..1 where one is given. low: the stored value of the first. */
export function mapping(low: number, modality: Lut | undefined, r: Rescale, voi?: Lut): Float32Array {
  const out = new Float32Array(65536);
  for (let i = 0; i < out.length; i++) {
    const x = modality ? lookup(modality, i + low) : (i + low) * r.slope + r.intercept;
    out[i] = voi ? lookup(voi, x) / voi.top : x;
  }
  return out;
}

export interface Shown extends Display { modality?: Lut; voi: string; vois: Lut[]; sheets: { plane: OverlayPlane; sheet: HTMLCanvasElement }[] }

export class Displays {
  private known = new Map<FrameRef, Shown | 'asked' | 'failed'>();
  private tables = new Map<string, Float32Array>();
  constructor(private caseId: string, private changed: () => void) {}

  /** What is known of a frame; asks for it when nothing is. */
  of(f: FrameRef): Shown | undefined {
    if (!f.inst.display) return undefined;
    const d = this.known.get(f);
    if (d === undefined) {
      this.known.set(f, 'asked');
      api.display(this.caseId, f.inst.sop, f.frame).then((got) => {
        this.known.set(f, { ...got, modality: got.modalityLUT && lutOf(got.modalityLUT), vois: got.voiLUTs.map(lutOf), sheets: got.overlays.map((plane) => ({ plane, sheet: sheetOf(plane) })) });
      }, () => { this.known.set(f, 'failed'); }).then(() => this.changed());
    }
    return typeof d === 'object' ? d : undefined;
  }

  /** Asked for and not here yet: the grey on screen would be the wrong one. */
  pending(f: FrameRef): boolean { return !!f.inst.display && this.known.get(f) === 'asked'; }
  failed(f: FrameRef): boolean { return this.known.get(f) === 'failed'; }
  again(): void { for (const [f, d] of this.known) if (d === 'failed') this.known.delete(f); }

  /** The table of a frame that needs one; the same object as long as nothing changed, since a renderer keeps it. */
  table(f: FrameRef, p: Picture, d: Shown | undefined, voi: number | undefined): Float32Array | undefined {
    const lut = voi === undefined ? undefined : d?.vois[voi];
    if (p.rgb || !d || (!d.modality && !lut)) return undefined;
    const low = lowest(p), key = `${f.inst.sop}/${f.frame}/${low}/${lut ? voi : ''}`;
    let t = this.tables.get(key);
    if (!t) {
      if (this.tables.size > 8) this.tables.clear();
      t = mapping(low, d.modality, d, lut);
      this.tables.set(key, t);
    }
    return t;
  }
}

/** The stored value of a table's first entry. */
export const lowest = (p: Picture): number => (p.data instanceof Int16Array ? -32768 : 0);

const ink = [255, 210, 60]; // seen on white bone and on black air

function sheetOf(o: OverlayPlane): HTMLCanvasElement {
  const c = document.createElement('canvas');
  c.width = o.cols;
  c.height = o.rows;
  const ctx = c.getContext('2d')!, m = ctx.createImageData(o.cols, o.rows), b = bytes(o.bits), stride = (o.cols + 7) >> 3;
  for (let y = 0; y < o.rows; y++) {
    for (let x = 0; x < o.cols; x++) if ((b[y * stride + (x >> 3)]! >> (x & 7)) & 1) m.data.set([ink[0]!, ink[1]!, ink[2]!, o.roi ? 110 : 255], 4 * (y * o.cols + x));
  }
  ctx.putImageData(m, 0, 0);
  return c;
}
