// The ECG on paper at true scale: SVG pages measured in millimetres, put into
// the document only while the browser prints (on paper or into a PDF). Nothing
// is fetched; what stands above the trace is what stands on the screen.
import type { Recording } from './draw';
import { pagesOf, type Sheet } from './layout';

export interface Sayings { lines: string[]; foot: string; page: (n: number, of: number) => string }

const page = { width: 297, height: 210, left: 18, top: 28, trace: 250, high: 166 }; // A4 across, mm

const escape = (s: string) => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
const mm = (v: number) => String(Math.round(v * 1000) / 1000);

/** One SVG for each page. mmPerMv: gain. */
export function pages(sheet: Sheet, r: Recording, mmPerMv: number, say: Sayings): string[] {
  const parts = pagesOf(sheet, page.trace, page.high);
  return parts.map((s, i) => {
    const text = (x: number, y: number, size: number, what: string, weight = 400) => `<text x="${mm(x)}" y="${mm(y)}" font-size="${size}" font-weight="${weight}">${escape(what)}</text>`;
    const head = say.lines.map((l, k) => text(page.left, 9 + 5 * k, k ? 3.6 : 4.6, l, k ? 400 : 700)).join('');
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${page.width}mm" height="${page.height}mm" viewBox="0 0 ${page.width} ${page.height}" font-family="system-ui, sans-serif">`
      + head + `<g transform="translate(${page.left} ${page.top})">${grid(s)}${ink(s, r, mmPerMv)}</g>`
      + text(page.left, page.height - 7, 3.4, `${say.foot} · ${say.page(i + 1, parts.length)}`) + '</svg>';
  });
}

function grid(s: Sheet): string {
  const width = Math.ceil(s.width / 5) * 5, height = Math.ceil(s.height / 5) * 5;
  return [[1, '#f3c4bc', 0.08], [5, '#e2958a', 0.2]].map(([every, colour, line]) => {
    let d = '';
    for (let x = 0; x <= width; x += every as number) d += `M${x} 0V${height}`;
    for (let y = 0; y <= height; y += every as number) d += `M0 ${y}H${width}`;
    return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${line}"/>`;
  }).join('');
}

function ink(s: Sheet, r: Recording, mmPerMv: number): string {
  let out = '';
  const pulses = new Set<number>();
  for (const b of s.boxes) {
    if (!pulses.has(b.y)) {
      pulses.add(b.y);
      out += stroke(`M0.5 ${mm(b.y)}H1.5V${mm(b.y - mmPerMv)}H6.5V${mm(b.y)}H7.5`);
    }
    out += `<text x="${mm(b.x + 1)}" y="${mm(b.y - b.room + 4)}" font-size="3.4" font-weight="600">${escape(b.lead)}</text>`;
    const trace = r.traces.get(b.lead);
    if (!trace) continue;
    const first = Math.round(b.from * r.hz), count = Math.round(b.seconds * r.hz);
    let d = '', pen = false;
    for (let i = 0; i < count; i++) {
      const v = trace.microvolts[first + i];
      if (v === undefined || Number.isNaN(v)) { pen = false; continue; }
      d += `${pen ? 'L' : 'M'}${mm(b.x + (i / count) * b.width)} ${mm(b.y - (v / 1000) * mmPerMv)}`;
      pen = true;
    }
    out += stroke(d);
  }
  return out;
}

const stroke = (d: string) => `<path d="${d}" fill="none" stroke="#000" stroke-width="0.25" stroke-linejoin="round"/>`;

/** Puts pages in when the browser begins to print, by whatever way it was told to; returns how to stop. */
export function onPrint(make: () => string[]): () => void {
  const box = document.createElement('div');
  box.className = 'ecg-print';
  const begin = () => {
    box.innerHTML = make().map((svg) => `<div class="ecg-page">${svg}</div>`).join('');
    document.body.append(box);
    document.body.classList.add('ecg-printing');
  };
  const end = () => { box.remove(); box.innerHTML = ''; document.body.classList.remove('ecg-printing'); };
  addEventListener('beforeprint', begin);
  addEventListener('afterprint', end);
  return () => { end(); removeEventListener('beforeprint', begin); removeEventListener('afterprint', end); };
}
