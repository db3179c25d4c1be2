// Ink on millimetre paper. Everything is given in millimetres; k is canvas
// pixels per millimetre.
import type { Sheet } from './layout';

export interface Trace { name: string; microvolts: Float32Array } // NaN: no contact
export interface Recording { hz: number; traces: Map<string, Trace> }

export function paper(ctx: CanvasRenderingContext2D, s: Sheet, k: number): void {
  ctx.fillStyle = '#fffaf7';
  ctx.fillRect(0, 0, s.width * k, s.height * k);
  for (const [every, colour, line] of [[1, '#f6d5cf', 0.08], [5, '#e2958a', 0.16]] as const) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = Math.max(1, line * k);
    ctx.beginPath();
    for (let x = 0; x <= s.width; x += every) { ctx.moveTo(Math.round(x * k) + 0.5, 0); ctx.lineTo(Math.round(x * k) + 0.5, s.height * k); }
    for (let y = 0; y <= s.height; y += every) { ctx.moveTo(0, Math.round(y * k) + 0.5); ctx.lineTo(s.width * k, Math.round(y * k) + 0.5); }
    ctx.stroke();
  }
}

export function traces(ctx: CanvasRenderingContext2D, s: Sheet, r: Recording, k: number, mmPerMv: number): void {
  ctx.strokeStyle = ctx.fillStyle = '#101820';
  ctx.lineWidth = Math.max(1, 0.28 * k);
  ctx.lineJoin = 'round';
  ctx.font = `600 ${Math.max(11, 3.2 * k)}px system-ui, sans-serif`;
  const pulses = new Set<number>();
  for (const b of s.boxes) {
    if (!pulses.has(b.y)) { pulse(ctx, b.y, k, mmPerMv); pulses.add(b.y); }
    const trace = r.traces.get(b.lead);
    ctx.fillText(b.lead, (b.x + 1) * k, (b.y - b.room + 4.5) * k);
    if (!trace) continue;
    const first = Math.round(b.from * r.hz), count = Math.round(b.seconds * r.hz);
    ctx.beginPath();
    let pen = false;
    for (let i = 0; i < count; i++) {
      const v = trace.microvolts[first + i];
      if (v === undefined || Number.isNaN(v)) { pen = false; continue; }
      const x = (b.x + (i / count) * b.width) * k, y = (b.y - (v / 1000) * mmPerMv) * k;
      if (pen) ctx.lineTo(x, y); else ctx.moveTo(x, y);
      pen = true;
    }
    ctx.stroke();
  }
}

/** What the trace must never be read without, written on it: speed, gain, filters of the screen. */
export function legend(ctx: CanvasRenderingContext2D, s: Sheet, k: number, text: string, filtered: boolean): void {
  ctx.font = `600 ${Math.max(11, 3 * k)}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.lineWidth = 4;
  ctx.strokeStyle = '#fffaf7';
  ctx.fillStyle = filtered ? '#b3261e' : '#3c4852';
  ctx.strokeText(text, (s.width - 1) * k, (s.height - 1.2) * k);
  ctx.fillText(text, (s.width - 1) * k, (s.height - 1.2) * k);
  ctx.textAlign = 'left';
}

/** 1 mV for 0.2 s at the left of each row. */
function pulse(ctx: CanvasRenderingContext2D, y: number, k: number, mmPerMv: number): void {
  ctx.beginPath();
  ctx.moveTo(0.5 * k, y * k); ctx.lineTo(1.5 * k, y * k); ctx.lineTo(1.5 * k, (y - mmPerMv) * k);
  ctx.lineTo(6.5 * k, (y - mmPerMv) * k); ctx.lineTo(6.5 * k, y * k); ctx.lineTo(7.5 * k, y * k);
  ctx.stroke();
}

export interface Caliper { x1: number; y1: number; x2: number; y2: number } // mm

export function caliper(ctx: CanvasRenderingContext2D, c: Caliper, k: number, height: number, text: string): void {
  ctx.strokeStyle = ctx.fillStyle = '#0b57a4';
  ctx.lineWidth = Math.max(1.5, 0.25 * k);
  ctx.beginPath();
  for (const x of [c.x1, c.x2]) { ctx.moveTo(x * k, 0); ctx.lineTo(x * k, height * k); }
  ctx.moveTo(c.x1 * k, c.y1 * k); ctx.lineTo(c.x2 * k, c.y1 * k); ctx.lineTo(c.x2 * k, c.y2 * k);
  ctx.stroke();
  ctx.font = `600 ${Math.max(13, 3.6 * k)}px system-ui, sans-serif`;
  const x = Math.min((Math.max(c.x1, c.x2) + 1) * k, ctx.canvas.width - ctx.measureText(text).width - 4), y = Math.max(16, (Math.min(c.y1, c.y2) - 2) * k);
  ctx.lineWidth = 5; ctx.strokeStyle = '#fffaf7';
  ctx.strokeText(text, x, y); ctx.fillText(text, x, y);
}
