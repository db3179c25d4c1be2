// How twelve leads are laid out on paper, in millimetres. Pure.

export type Format = '3x4' | '6x2' | '12x1' | 'cabrera';
export interface Box { lead: string; x: number; y: number; room: number; width: number; from: number; seconds: number; label: boolean } // mm; y: the baseline; room: above it; from, seconds: the part of the recording

export const standard = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'];
/** Limb leads in order of their angle, aVR turned over so that it points into the gap between I and II. */
export const cabrera = ['aVL', 'I', '-aVR', 'II', 'aVF', 'III', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'];

/** DICOM, SCP and aECG write lead names in many ways: "Lead I (Einthoven)", "MDC_ECG_LEAD_AVR", "AVR". */
export function leadName(raw: string): string {
  const s = raw.replace(/^MDC_ECG_(LEAD_)?/i, '').replace(/^lead\s+/i, '').replace(/\s*\(.*$/, '').replace(/[\s,_]+/g, '').trim();
  return [...standard, '-aVR'].find((n) => n.toLowerCase() === s.toLowerCase()) ?? raw;
}

export interface Sheet { width: number; height: number; boxes: Box[] }

export const pulseWidth = 8; // mm kept free at the left of each row for the calibration pulse
const rowHeight: Record<Format, number> = { '3x4': 32, '6x2': 25, cabrera: 25, '12x1': 19 };
export const stretch = 10; // seconds on one sheet

/**
 * Places the leads. seconds: length of the recording; speed: mm/s; start: where
 * the sheet begins, in seconds. 3x4 is four columns of 2.5 s (or a quarter of
 * what there is) and a rhythm strip of lead II below, each column the same
 * moment in all three rows, as cardiologists read it. cabrera is six rows of two.
 */
export function sheet(format: Format, leads: string[], seconds: number, speed: number, start = 0): Sheet {
  const twelve = standard.every((n) => leads.includes(n));
  const columns = !twelve ? 1 : format === '3x4' ? 4 : format === '12x1' ? 1 : 2;
  const order = !twelve ? leads : format === 'cabrera' ? cabrera : standard;
  const rows = Math.ceil(order.length / columns);
  const high = twelve ? rowHeight[format] : Math.max(12, Math.min(32, 200 / rows));
  const shown = Math.max(0, Math.min(seconds - start, stretch));
  const part = shown / columns;
  const boxes: Box[] = [];
  order.forEach((lead, i) => {
    const column = Math.floor(i / rows), row = i % rows;
    boxes.push({ lead, x: pulseWidth + column * part * speed, y: (row + 0.55) * high, room: 0.55 * high, width: part * speed, from: start + column * part, seconds: part, label: true });
  });
  let total = rows;
  if (twelve && format === '3x4') {
    boxes.push({ lead: 'II', x: pulseWidth, y: (rows + 0.55) * high, room: 0.55 * high, width: shown * speed, from: start, seconds: shown, label: true });
    total++;
  }
  return { width: pulseWidth + shown * speed + 2, height: total * high, boxes };
}

/** A sheet cut into pages of so many millimetres of trace, rows moved together where they do not fit the height. */
export function pagesOf(s: Sheet, width: number, height: number): Sheet[] {
  const squeeze = Math.min(1, height / s.height), out: Sheet[] = [];
  for (let left = pulseWidth; left < s.width - 2.01; left += width) {
    const boxes: Box[] = [];
    for (const b of s.boxes) {
      const x0 = Math.max(b.x, left), x1 = Math.min(b.x + b.width, left + width);
      if (x1 - x0 < 0.01) continue;
      const perMm = b.seconds / b.width;
      boxes.push({ ...b, x: x0 - left + pulseWidth, width: x1 - x0, y: b.y * squeeze, room: b.room * squeeze, from: b.from + (x0 - b.x) * perMm, seconds: (x1 - x0) * perMm });
    }
    out.push({ width: pulseWidth + Math.min(width, s.width - 2 - left), height: s.height * squeeze, boxes });
  }
  return out;
}

/** Heart rate of an interval in seconds. */
export const perMinute = (seconds: number): number => (seconds > 0 ? 60 / seconds : 0);

/** Base64 of little-endian 16-bit samples. */
export function samples(base64: string): Int16Array {
  const bin = atob(base64), out = new Int16Array(bin.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const v = bin.charCodeAt(2 * i) | (bin.charCodeAt(2 * i + 1) << 8);
    out[i] = v > 32767 ? v - 65536 : v;
  }
  return out;
}
