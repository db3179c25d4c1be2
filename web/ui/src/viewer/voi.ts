// From stored values to grey: modality rescale, then the VOI function
// (DICOM PS3.3 C.11.1.1 and C.11.2.1). Pure, so that it is tested without a browser.

export interface Window { center: number; width: number; label?: string }
export interface Rescale { slope: number; intercept: number }
export type Voi = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';

export const voiOf = (name: string): Voi => (name === 'LINEAR_EXACT' || name === 'SIGMOID' ? name : 'LINEAR');

/** Grey 0..1 of a modality value (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2). */
export function grey(x: number, w: Window, voi: Voi): number {
  const width = Math.max(w.width, voi === 'LINEAR' ? 1 : 1e-6);
  let y: number;
  if (voi === 'SIGMOID') y = 1 / (1 + Math.exp((-4 * (x - w.center)) / width));
  else if (voi === 'LINEAR_EXACT') y = (x - w.center) / width + 0.5;
  else if (width === 1) y = x > w.center - 0.5 ? 1 : 0;
  else y = (x - (w.center - 0.5)) / (width - 1) + 0.5;
  return Math.min(1, Math.max(0, y));
}

/** A table from every stored value to 0..255; index is value - low. map: what stands for the rescale. */
export function table(low: number, high: number, r: Rescale, w: Window, voi: Voi, invert: boolean, map?: Float32Array): Uint8ClampedArray {
  const out = new Uint8ClampedArray(high - low + 1);
  for (let v = low; v <= high; v++) {
    const y = grey(map ? map[v - low]! : v * r.slope + r.intercept, w, voi);
    out[v - low] = 255 * (invert ? 1 - y : y);
  }
  return out;
}

/** A window that shows the middle 99 % of the values, for a file that names none. */
export function windowOf(data: ArrayLike<number>, r: Rescale, map?: Float32Array, lowest = 0): Window {
  const step = Math.max(1, Math.floor(data.length / 20_000));
  const sample: number[] = [];
  for (let i = 0; i < data.length; i += step) sample.push(map ? map[data[i]! - lowest]! : data[i]! * r.slope + r.intercept);
  sample.sort((a, b) => a - b);
  const at = (q: number) => (sample[Math.min(sample.length - 1, Math.max(0, Math.round(q * (sample.length - 1))))] ?? 0);
  const [a, b] = [at(0.005), at(0.995)];
  const [low, high] = a < b ? [a, b] : [b, a];
  return { center: (low + high) / 2, width: Math.max(1, high - low) };
}

/** Windows that radiologists know by heart, in Hounsfield units. */
export const ctPresets = [
  { key: 'brain', center: 40, width: 80 },
  { key: 'subdural', center: 75, width: 215 },
  { key: 'soft', center: 50, width: 400 },
  { key: 'lung', center: -600, width: 1500 },
  { key: 'bone', center: 400, width: 1800 },
] as const;

/** How far a drag of one pixel moves the window: finer for narrow windows. */
export const dragStep = (width: number): number => Math.max(width / 300, 0.02);
