// Finger, mouse and keys on a still: where they point, what they draw.
const placeWire = 115; // bytes of a place with its headers (WebSocket, TLS, TCP, IP)
const strokeWire = 150; // of a stroke, without its points
const numberWire = 5;
const pauseMost = 3000; // ms
const most = 9999;
const tap = 150; // shorter is no line but a place
const pointsMost = 256;

export interface Desk {
  tool: () => 'show' | 'draw' | 'arrow';
  every: () => number; // ms between two places, as the links allow
  point: (x: number, y: number) => void;
  live: (points: number[] | undefined) => void;
  mark: (kind: 'stroke' | 'arrow', points: number[]) => void;
}

export class Pen {
  private line?: number[];
  private last = 0;
  private waiting = 0;
  private where: [number, number] = [5000, 5000];
  private told = '';
  private stop = new AbortController();

  constructor(private svg: SVGSVGElement, private size: { width: number; height: number }, private desk: Desk) {
    const on = (type: 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel', f: (e: PointerEvent) => void): void => svg.addEventListener(type, f, { signal: this.stop.signal });
    on('pointerdown', (e) => {
      if (e.button) return;
      svg.setPointerCapture(e.pointerId);
      this.move(e);
      if (desk.tool() !== 'show') { this.line = [...this.where]; desk.live([...this.line]); }
    });
    on('pointermove', (e) => { if (e.pointerType === 'mouse' || e.buttons) this.move(e); });
    on('pointerup', () => this.end());
    on('pointercancel', () => { this.line = undefined; desk.live(undefined); });
  }

  close(): void { this.stop.abort(); clearTimeout(this.waiting); }

  private move(e: PointerEvent): void {
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(this.svg.getScreenCTM()!.inverse());
    this.go(Math.round((p.x / this.size.width) * most), Math.round((p.y / this.size.height) * most));
    const l = this.line;
    if (l && Math.hypot(this.where[0] - l[l.length - 2]!, this.where[1] - l[l.length - 1]!) > 30) { l.push(...this.where); this.desk.live([...l]); }
  }

  private go(x: number, y: number): void {
    this.where = [Math.min(most, Math.max(0, x)), Math.min(most, Math.max(0, y))];
    if (!this.waiting) this.waiting = window.setTimeout(() => this.tell(), Math.max(0, this.last + this.desk.every() - performance.now()));
  }

  private tell(): void {
    this.waiting = 0;
    const now = this.where.join();
    if (now === this.told) return;
    this.told = now;
    this.last = performance.now();
    this.desk.point(...this.where);
  }

  private end(): void {
    const l = this.line;
    this.line = undefined;
    if (!l) return;
    const short = Math.hypot(this.where[0] - l[0]!, this.where[1] - l[1]!) < tap;
    if (this.desk.tool() === 'arrow') this.arrow(short ? undefined : [l[0]!, l[1]!]);
    else this.mark('stroke', thin([...l, ...this.where]));
  }

  /** Keys move the place that all see; Enter puts an arrow to it. */
  key(e: KeyboardEvent): void {
    const step = e.shiftKey ? 1000 : 200, [x, y] = this.where;
    const to: Record<string, [number, number]> = { ArrowLeft: [x - step, y], ArrowRight: [x + step, y], ArrowUp: [x, y - step], ArrowDown: [x, y + step] };
    if (to[e.key]) this.go(...to[e.key]!);
    else if (e.key === 'Enter') this.arrow();
    else return;
    e.preventDefault();
  }

  private arrow(from?: [number, number]): void {
    const [x, y] = this.where, start = from ?? [x < 1200 ? x + 1000 : x - 1000, y < 1200 ? y + 1000 : y - 1000];
    this.mark('arrow', [...start, x, y]);
  }

  /** A stroke goes in one piece; places wait until the share of both has paid for it. */
  private mark(kind: 'stroke' | 'arrow', points: number[]): void {
    this.last = performance.now() + pause(points, this.desk.every());
    this.desk.mark(kind, points);
  }
}

/** For how long places wait after a stroke, ms. */
export const pause = (points: number[], every: number): number => Math.min(pauseMost, Math.max(0, every * ((strokeWire + numberWire * points.length) / placeWire - 1)));

/** A line with as many points as its shape needs (Ramer, Douglas and Peucker), and never more than may be sent. */
export function thin(p: number[], tolerance = 12): number[] {
  const n = p.length / 2;
  if (n < 3) return p;
  const keep = new Set([0, n - 1]);
  const spans: [number, number][] = [[0, n - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [a, b] = span, ax = p[2 * a]!, ay = p[2 * a + 1]!, dx = p[2 * b]! - ax, dy = p[2 * b + 1]! - ay, len = Math.hypot(dx, dy);
    let far = tolerance, at = -1;
    for (let i = a + 1; i < b; i++) {
      const x = p[2 * i]! - ax, y = p[2 * i + 1]! - ay, d = len ? Math.abs(dx * y - dy * x) / len : Math.hypot(x, y);
      if (d > far) { far = d; at = i; }
    }
    if (at >= 0) { keep.add(at); spans.push([a, at], [at, b]); }
  }
  if (keep.size > pointsMost) return thin(p, tolerance * 1.3);
  return [...keep].sort((a, b) => a - b).flatMap((i) => [p[2 * i]!, p[2 * i + 1]!]);
}
