// Measures on a picture: length, angle, region. What they say is pure; how they
// look is below. Points are pixels of the full picture.
import type { Samples } from './frames';
import { millimetres, toCanvas, type Placement } from './geometry';
import { w } from './words';

export type MeasureKind = 'measure' | 'angle' | 'region';
export type Point = [number, number];
export interface Measure { kind: MeasureKind; index: number; points: Point[] } // length: 2; angle: 3, the vertex second; region: 2 corners of the box around an ellipse
export interface Scale { spacing: [number, number] | null; kind: string }
export interface Stats { n: number; mean: number; sd: number; min: number; max: number }

/** Degrees at b, in millimetres where pixels are not square. */
export function degrees(a: Point, b: Point, c: Point, spacing: [number, number] | null): number {
  const [sy, sx] = spacing ?? [1, 1];
  const u = [(a[0] - b[0]) * sx, (a[1] - b[1]) * sy] as const, v = [(c[0] - b[0]) * sx, (c[1] - b[1]) * sy] as const;
  const d = Math.abs(Math.atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]));
  return (d * 180) / Math.PI;
}

/** Values whose pixel centres lie in the ellipse; undefined when there are none. */
export function statistics(data: Samples, rows: number, cols: number, a: Point, b: Point, value: (stored: number) => number): Stats | undefined {
  const cx = (a[0] + b[0]) / 2, cy = (a[1] + b[1]) / 2, rx = Math.abs(a[0] - b[0]) / 2, ry = Math.abs(a[1] - b[1]) / 2;
  let n = 0, mean = 0, m2 = 0, min = Infinity, max = -Infinity;
  for (let y = Math.max(0, Math.floor(cy - ry)); y < Math.min(rows, cy + ry); y++) {
    for (let x = Math.max(0, Math.floor(cx - rx)); x < Math.min(cols, cx + rx); x++) {
      if (((x + 0.5 - cx) / rx) ** 2 + ((y + 0.5 - cy) / ry) ** 2 > 1) continue;
      const v = value(data[y * cols + x]!), d = v - mean;
      n++;
      mean += d / n; // Welford: the square of a large mean does not eat the deviation
      m2 += d * (v - mean);
      if (v < min) min = v;
      if (v > max) max = v;
    }
  }
  return n ? { n, mean, sd: n > 1 ? Math.sqrt(m2 / (n - 1)) : 0, min, max } : undefined;
}

/** What a length in this picture is measured against, in words. */
export const calibration = (kind: string): string =>
  kind === 'imager' ? w('calImager') : kind === 'ultrasound' ? w('calRegion') : kind === 'nominal' ? w('calNominal') : kind ? w('calPixel') : w('uncalibrated');

const number = (v: number): string => (Math.abs(v) >= 100 || Number.isInteger(v) ? v.toFixed(0) : v.toFixed(1));

/** The lines written beside a measure. stats: of a region; unit: of its values. */
export function lines(m: Measure, s: Scale, stats?: Stats, unit = ''): string[] {
  const [a, b, c] = m.points as [Point, Point, Point?];
  if (m.kind === 'angle') return c ? [`${degrees(a, b, c, s.spacing).toFixed(1)}°`] : [w('angleNext')];
  if (m.kind === 'measure') {
    const mm = millimetres(a, b, s.spacing);
    return [`${mm === null ? `${Math.hypot(a[0] - b[0], a[1] - b[1]).toFixed(0)} px` : `${mm.toFixed(1)} mm`} · ${calibration(s.kind)}`];
  }
  const px = (Math.PI / 4) * Math.abs((a[0] - b[0]) * (a[1] - b[1]));
  const area = s.spacing ? `${(px * s.spacing[0] * s.spacing[1]).toFixed(0)} mm²` : `${px.toFixed(0)} px²`;
  const u = unit === 'HU' ? w('hounsfield') : unit;
  const values = stats ? [`${w('mean')} ${number(stats.mean)} ± ${number(stats.sd)} ${u}`.trim(), `${w('range')} ${number(stats.min)} … ${number(stats.max)} ${u}`.trim()] : [w('regionWaits')];
  return [...values, `${area} · ${calibration(s.kind)}`];
}

export function draw(ctx: CanvasRenderingContext2D, m: Measure, at: Placement, d: number, text: string[]): void {
  const p = m.points.map((q) => toCanvas(at, ...q)), last = p[p.length - 1]!;
  ctx.strokeStyle = ctx.fillStyle = '#7ee081';
  ctx.lineWidth = 2 * d;
  ctx.beginPath();
  if (m.kind === 'region') {
    const [a, b] = p as [Point, Point];
    ctx.ellipse((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, Math.abs(a[0] - b[0]) / 2, Math.abs(a[1] - b[1]) / 2, 0, 0, 7);
  } else p.forEach((q, i) => (i ? ctx.lineTo(...q) : ctx.moveTo(...q)));
  ctx.stroke();
  if (m.kind !== 'region') for (const [x, y] of p) { ctx.beginPath(); ctx.arc(x, y, 4 * d, 0, 7); ctx.fill(); }
  ctx.textAlign = 'left';
  ctx.lineWidth = 4 * d;
  ctx.strokeStyle = '#000';
  const wide = Math.max(...text.map((t) => ctx.measureText(t).width));
  const x = Math.max(4 * d, Math.min(last[0] + 8 * d, ctx.canvas.width - wide - 4 * d));
  text.forEach((t, i) => {
    const y = Math.max(16 * d, last[1] - 6 * d) + 17 * d * i;
    ctx.strokeText(t, x, y);
    ctx.fillText(t, x, y);
  });
  ctx.lineWidth = 2 * d;
}
