// Filters of the screen: off until somebody asks, and named on the trace while
// they work. Each runs forwards and backwards, so that no wave is moved in time.

export type FilterName = 'baseline' | 'muscle' | 'mains';
export const filterNames: FilterName[] = ['baseline', 'muscle', 'mains'];
type Biquad = [b0: number, b1: number, b2: number, a1: number, a2: number];

/** Second-order sections by the bilinear transform; the corner is moved so that two passes lose 3 dB there. */
export function section(name: FilterName, hz: number): Biquad | undefined {
  const twice = (Math.SQRT2 - 1) ** 0.25; // of a second-order Butterworth passed twice
  const f = name === 'baseline' ? 0.5 * twice : name === 'muscle' ? 40 / twice : 50;
  if (f >= hz / 2) return undefined; // nothing of it is in such a recording
  const w = (2 * Math.PI * f) / hz, c = Math.cos(w), alpha = Math.sin(w) / (name === 'mains' ? 30 : Math.SQRT2), a0 = 1 + alpha;
  const b = name === 'mains' ? [1, -2 * c, 1] : name === 'muscle' ? [(1 - c) / 2, 1 - c, (1 - c) / 2] : [(1 + c) / 2, -(1 + c), (1 + c) / 2];
  return [b[0]! / a0, b[1]! / a0, b[2]! / a0, (-2 * c) / a0, (1 - alpha) / a0];
}

function pass(x: Float64Array, [b0, b1, b2, a1, a2]: Biquad): void {
  let s1 = 0, s2 = 0;
  for (let i = 0; i < x.length; i++) {
    const v = x[i]!, y = b0 * v + s1;
    s1 = b1 * v - a1 * y + s2;
    s2 = b2 * v - a2 * y;
    x[i] = y;
  }
}

/** Filters what lies between gaps (NaN), each stretch for itself; ends are continued by their mirror image. */
export function filtered(v: Float32Array, hz: number, names: FilterName[]): Float32Array {
  const sections = names.map((n) => section(n, hz)).filter((s) => s !== undefined);
  if (!sections.length) return v;
  const out = v.slice();
  for (let from = 0; from < v.length;) {
    if (Number.isNaN(v[from]!)) { from++; continue; }
    let to = from;
    while (to < v.length && !Number.isNaN(v[to]!)) to++;
    const n = to - from, pad = Math.min(n - 1, Math.round(3 * hz));
    const x = new Float64Array(n + 2 * pad), first = v[from]!, last = v[to - 1]!;
    for (let i = 0; i < n; i++) x[pad + i] = v[from + i]! - first;
    for (let i = 1; i <= pad; i++) {
      x[pad - i] = first - v[from + i]!;
      x[pad + n - 1 + i] = 2 * last - v[to - 1 - i]! - first;
    }
    for (const s of sections) {
      pass(x, s);
      x.reverse();
      pass(x, s);
      x.reverse();
    }
    const back = names.includes('baseline') ? 0 : first; // a high pass leaves no level
    for (let i = 0; i < n; i++) out[from + i] = x[pad + i]! + back;
    from = to;
  }
  return out;
}
