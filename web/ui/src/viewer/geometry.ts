// Where the picture lies on the canvas. Pure; lengths in canvas pixels.

export interface View { zoom: number; panX: number; panY: number } // zoom 1: the picture fits
export interface Size { width: number; height: number }
export interface Placement { x: number; y: number; scaleX: number; scaleY: number } // canvas pixel of the picture's corner; canvas pixels per picture pixel

/** A picture of rows × cols pixels whose pixels may not be square (spacing: row, column in mm). */
export function place(canvas: Size, rows: number, cols: number, spacing: [number, number] | null, v: View): Placement {
  const aspect = spacing && spacing[0] > 0 && spacing[1] > 0 ? spacing[0] / spacing[1] : 1; // height of a pixel over its width
  const fit = Math.min(canvas.width / cols, canvas.height / (rows * aspect));
  const scaleX = fit * v.zoom, scaleY = scaleX * aspect;
  return { x: canvas.width / 2 - (cols * scaleX) / 2 + v.panX, y: canvas.height / 2 - (rows * scaleY) / 2 + v.panY, scaleX, scaleY };
}

export const toImage = (p: Placement, x: number, y: number): [number, number] => [(x - p.x) / p.scaleX, (y - p.y) / p.scaleY];
export const toCanvas = (p: Placement, x: number, y: number): [number, number] => [x * p.scaleX + p.x, y * p.scaleY + p.y];

/** Zoom that keeps the point under the finger where it is. */
export function zoomAt(v: View, canvas: Size, x: number, y: number, factor: number): View {
  const zoom = Math.min(40, Math.max(0.2, v.zoom * factor));
  const f = zoom / v.zoom;
  const dx = x - canvas.width / 2, dy = y - canvas.height / 2;
  return { zoom, panX: dx - (dx - v.panX) * f, panY: dy - (dy - v.panY) * f };
}

/** Millimetres between two picture points; null when the picture has no scale. */
export function millimetres(a: [number, number], b: [number, number], spacing: [number, number] | null): number | null {
  if (!spacing) return null;
  return Math.hypot((a[0] - b[0]) * spacing[1], (a[1] - b[1]) * spacing[0]);
}

/** A round length (1, 2, 5 × 10^n mm) that takes a fifth to a half of the width. */
export function scaleBar(pxPerMm: number, width: number): { mm: number; px: number } {
  const target = width / 4 / pxPerMm;
  const power = 10 ** Math.floor(Math.log10(target));
  const mm = [1, 2, 5, 10].map((m) => m * power).reduce((best, m) => (Math.abs(m - target) < Math.abs(best - target) ? m : best));
  return { mm, px: mm * pxPerMm };
}
