// One stack on one canvas: what is shown, how, and the hands on it. Imperative,
// because sixty redraws a second are no business of the component tree.
import type { SeriesManifest } from '../types';
import { CPURenderer } from './cpu';
import { Displays, lowest } from './display';
import { FrameStore, framesOf, type FrameRef, type Picture } from './frames';
import { place, scaleBar, toImage, zoomAt, type Placement, type View } from './geometry';
import { GLRenderer, type Look, type Renderer } from './gl';
import { draw as drawMeasure, lines, statistics, type Measure, type MeasureKind, type Stats } from './measures';
import { dragStep, voiOf, windowOf, type Rescale, type Window } from './voi';

export type Tool = 'scroll' | 'window' | 'pan' | 'zoom' | MeasureKind;
export interface Status {
  index: number; count: number; state: 'none' | 'preview' | 'full' | 'failed' | 'unsupported';
  window: Window; zoom: number; any: number; full: number; received: number; playing: boolean; invert: boolean; tool: Tool;
  renderer: string; spacingKind: string; measures: number;
  overlays: number; overlaysOn: boolean; luts: string[]; lut?: number; windows: Window[];
}

const gone: View = { zoom: 1, panX: 0, panY: 0 };

export class Stack {
  readonly frames: FrameRef[];
  private store: FrameStore;
  private renderer: Renderer;
  private index = 0;
  private view: View = { ...gone };
  private window?: Window; // chosen by hand or preset; else the file's or the data's own
  private lut?: number; // a VOI LUT chosen instead
  private displays: Displays;
  private overlays = true;
  private stats = new WeakMap<Measure, { picture: Picture; corners: string; found?: Stats }>();
  private auto = new Map<FrameRef, Window>();
  private invert = false;
  private tool: Tool;
  private measures: Measure[] = [];
  private measuring?: Measure;
  private playing = 0;
  private queued = 0;
  private pointers = new Map<number, { x: number; y: number }>();
  private carry = 0; // part of a slice that a drag or wheel has not yet made whole
  private observer: ResizeObserver;

  constructor(private host: HTMLElement, private canvas: HTMLCanvasElement, private overlay: HTMLCanvasElement,
    caseId: string, readonly manifest: SeriesManifest, private told: (s: Status) => void) {
    this.frames = framesOf(manifest);
    this.store = new FrameStore(caseId, this.frames, () => this.redraw());
    this.displays = new Displays(caseId, () => this.redraw());
    this.renderer = GLRenderer.create(canvas) ?? new CPURenderer(canvas);
    this.tool = this.frames.length > 1 && matchMedia('(pointer: coarse)').matches ? 'scroll' : 'window';
    this.index = manifest.instances.length > 4 ? Math.floor(this.frames.length / 2) : 0; // a CT opens in its middle
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    overlay.addEventListener('pointerdown', this.down);
    overlay.addEventListener('pointermove', this.move);
    for (const e of ['pointerup', 'pointercancel'] as const) overlay.addEventListener(e, this.up);
    overlay.addEventListener('wheel', this.wheel, { passive: false });
    overlay.addEventListener('contextmenu', (e) => e.preventDefault());
    this.resize();
    this.store.look(this.index);
  }

  get current(): FrameRef | undefined { return this.frames[this.index]; }

  // What the screen's buttons do.
  go(i: number): void {
    const to = Math.min(this.frames.length - 1, Math.max(0, i));
    if (to === this.index) return;
    this.index = to;
    this.store.look(to);
    this.redraw();
  }
  step(d: number): void { this.go(this.index + d); }
  choose(tool: Tool): void { this.tool = tool; this.measuring = undefined; this.redraw(); }
  setWindow(win: Window | undefined): void { this.window = win; this.lut = undefined; this.redraw(); }
  setLut(n: number): void { this.window = undefined; this.lut = n; this.redraw(); }
  toggleOverlays(): void { this.overlays = !this.overlays; this.redraw(); }
  toggleInvert(): void { this.invert = !this.invert; this.redraw(); }
  clearMeasures(): void { this.measures = []; this.measuring = undefined; this.redraw(); }
  dropMeasure(): void { if (this.measuring) this.measuring = undefined; else this.measures.pop(); this.redraw(); }
  retry(): void { this.store.again(); this.displays.again(); this.redraw(); }
  reset(): void { this.view = { ...gone }; this.window = this.lut = this.measuring = undefined; this.invert = false; this.overlays = true; this.measures = []; this.redraw(); }
  zoomBy(f: number): void { this.view = zoomAt(this.view, this.canvas, this.canvas.width / 2, this.canvas.height / 2, f); this.redraw(); }

  /** Plays at the rate of the file; a frame that is not here yet is waited for, never skipped unseen. */
  togglePlay(): void {
    if (this.playing) { clearInterval(this.playing); this.playing = 0; this.redraw(); return; }
    const ms = this.current?.inst.frameTimeMs || 100;
    this.playing = window.setInterval(() => {
      const to = (this.index + 1) % this.frames.length;
      if (this.store.best(to)) this.go(to); else this.store.look(to);
      this.store.look(this.index);
    }, Math.max(16, ms));
    this.redraw();
  }

  private resize(): void {
    const r = this.host.getBoundingClientRect(), d = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [Math.max(1, Math.round(r.width * d)), Math.max(1, Math.round(r.height * d))];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      for (const c of [this.canvas, this.overlay]) { c.width = width; c.height = height; }
    }
    this.redraw();
  }

  private redraw(): void {
    if (!this.queued) this.queued = requestAnimationFrame(() => { this.queued = 0; this.draw(); });
  }

  /** The way from stored values to grey of the frame in sight; lut: the VOI LUT it takes. */
  private look(p: Picture | undefined): Look & { lut?: number } {
    const f = this.current, d = f && this.displays.of(f), given: Rescale = d ?? { slope: f?.inst.slope || 1, intercept: f?.inst.intercept ?? 0 };
    const rescale = { slope: given.slope || 1, intercept: given.intercept };
    const plain = { window: { center: 128, width: 256 }, voi: voiOf('LINEAR'), rescale: { slope: 1, intercept: 0 }, invert: this.invert };
    if (!f || !p || p.rgb) return this.window ? { ...plain, window: this.window } : plain;
    const windows = d ? d.windows : f.inst.windows ?? [], named = windows.find((v) => v.width > 0);
    const lut = this.window ? undefined : this.lut ?? (named || !d?.vois.length ? undefined : 0);
    const table = this.displays.table(f, p, d, lut), invert = this.invert !== f.inst.invert;
    if (lut !== undefined && d?.vois[lut]) return { window: { center: 0.5, width: 1 }, voi: 'LINEAR_EXACT', rescale, invert, table, lut };
    let window = this.window ?? named;
    if (!window) {
      window = this.auto.get(f) ?? windowOf(p.data!, rescale, table, lowest(p));
      this.auto.set(f, window);
    }
    return { window, voi: voiOf(d?.voi ?? f.inst.voi), rescale, invert, table };
  }

  /** The window that a drag begins from when a VOI LUT was in force. */
  private ownWindow(): Window {
    const f = this.current!, p = this.store.best(this.index)!, d = this.displays.of(f);
    return windowOf(p.data!, { slope: f.inst.slope || 1, intercept: f.inst.intercept }, this.displays.table(f, p, d, undefined), lowest(p));
  }

  private placement(p: Picture): Placement {
    const inst = this.current!.inst;
    const full = place(this.canvas, inst.rows || p.rows, inst.cols || p.cols, inst.spacing, this.view);
    // A preview lies exactly where the full picture will.
    return { ...full, scaleX: (full.scaleX * (inst.cols || p.cols)) / p.cols, scaleY: (full.scaleY * (inst.rows || p.rows)) / p.rows };
  }

  private draw(): void {
    const f = this.current, p = f && this.store.best(this.index);
    const look = this.look(p);
    if (f && p) {
      if (!this.renderer.draw(p, this.placement(p), look)) this.fallBack();
    } else this.renderer.clear();
    this.drawOverlay(p, look);
    this.tell(p, look);
  }

  /** WebGL gave up (context lost, picture too large): the processor draws from here on, on a fresh canvas. */
  private fallBack(): void {
    if (this.renderer.name === 'cpu') return;
    this.renderer.close();
    const fresh = this.canvas.cloneNode() as HTMLCanvasElement;
    this.canvas.replaceWith(fresh);
    this.canvas = fresh;
    this.renderer = new CPURenderer(fresh);
    this.redraw();
  }

  private tell(p: Picture | undefined, look: Look & { lut?: number }): void {
    const f = this.current, inst = f?.inst, win = look.window, d = f && this.displays.of(f), { any, full } = this.store.counts();
    const state = inst?.encoding === 'unsupported' ? 'unsupported'
      : f && p && this.displays.failed(f) ? 'failed' : p ? (p.level === 0 && !this.displays.pending(f!) ? 'full' : 'preview') : this.store.problem(this.index) ? 'failed' : 'none';
    const status: Status = {
      index: this.index, count: this.frames.length, state, window: win, zoom: this.view.zoom, any, full, received: this.store.received,
      playing: this.playing !== 0, invert: this.invert, tool: this.tool, renderer: this.renderer.name,
      spacingKind: inst?.spacing ? inst.spacingKind : '', measures: this.measures.length,
      overlays: inst?.overlays ?? 0, overlaysOn: this.overlays, luts: d?.vois.map((v) => v.label) ?? [], lut: look.lut,
      windows: (d?.windows ?? inst?.windows ?? []).filter((v) => v.width > 0),
    };
    Object.assign(this.canvas.dataset, {
      slice: String(this.index + 1), count: String(this.frames.length), state, renderer: this.renderer.name,
      wc: win.center.toFixed(1), ww: win.width.toFixed(1), zoom: this.view.zoom.toFixed(2), full: String(full), any: String(any),
      voi: look.lut === undefined ? look.voi : 'LUT', overlays: this.overlays ? String(d?.sheets.length ?? 0) : 'off',
    });
    this.told(status);
  }

  private drawOverlay(p: Picture | undefined, look: Look): void {
    const ctx = this.overlay.getContext('2d');
    if (!ctx) return;
    const d = this.overlay.width / Math.max(1, this.host.clientWidth);
    ctx.clearRect(0, 0, this.overlay.width, this.overlay.height);
    const inst = this.current?.inst;
    if (!inst || !p) return;
    const at = place(this.canvas, inst.rows || p.rows, inst.cols || p.cols, inst.spacing, this.view);
    ctx.lineWidth = 2 * d;
    ctx.font = `${14 * d}px system-ui, sans-serif`;
    if (inst.spacing) this.drawScale(ctx, at.scaleX / inst.spacing[1], d);
    const shown = this.overlays && this.displays.of(this.current!);
    if (shown) {
      ctx.imageSmoothingEnabled = at.scaleX < 1; // a line of one pixel must not vanish, nor blur when enlarged
      for (const { plane: o, sheet } of shown.sheets) ctx.drawImage(sheet, at.x + o.x * at.scaleX, at.y + o.y * at.scaleY, o.cols * at.scaleX, o.rows * at.scaleY);
    }
    const scale = { spacing: inst.spacing, kind: inst.spacing ? inst.spacingKind : '' }, said: string[] = [];
    for (const m of [...this.measures, ...(this.measuring ? [this.measuring] : [])]) {
      if (m.index !== this.index) continue;
      const text = lines(m, scale, m.kind === 'region' ? this.statsOf(m, look) : undefined, inst.unit);
      drawMeasure(ctx, m, at, d, text);
      said.push(text.join(' | '));
    }
    this.overlay.dataset.measures = said.join('\n');
  }

  /** Mean and range of a region, from the full frame only: a preview has other values. */
  private statsOf(m: Measure, look: Look): Stats | undefined {
    const p = this.store.best(this.index), corners = m.points.join();
    if (!p || p.level !== 0 || p.rgb || !p.data || this.displays.pending(this.current!)) return undefined;
    const known = this.stats.get(m);
    if (known?.picture === p && known.corners === corners) return known.found;
    const f = this.current!, map = this.displays.table(f, p, this.displays.of(f), undefined), low = lowest(p), r = look.rescale;
    const found = statistics(p.data, p.rows, p.cols, m.points[0]!, m.points[1]!, (v) => (map ? map[v - low]! : v * r.slope + r.intercept));
    this.stats.set(m, { picture: p, corners, found });
    return found;
  }

  private drawScale(ctx: CanvasRenderingContext2D, pxPerMm: number, d: number): void {
    const bar = scaleBar(pxPerMm, this.overlay.width);
    const x = (this.overlay.width - bar.px) / 2, y = this.overlay.height - 14 * d;
    ctx.strokeStyle = ctx.fillStyle = '#f4d58d';
    ctx.beginPath();
    ctx.moveTo(x, y - 5 * d); ctx.lineTo(x, y); ctx.lineTo(x + bar.px, y); ctx.lineTo(x + bar.px, y - 5 * d);
    ctx.stroke();
    ctx.textAlign = 'center';
    ctx.fillText(bar.mm >= 10 ? `${bar.mm / 10} cm` : `${bar.mm} mm`, x + bar.px / 2, y - 9 * d);
  }

  // Hands.
  private point(e: PointerEvent | WheelEvent): { x: number; y: number } {
    const r = this.overlay.getBoundingClientRect(), d = this.overlay.width / Math.max(1, r.width);
    return { x: (e.clientX - r.left) * d, y: (e.clientY - r.top) * d };
  }

  private onImage(x: number, y: number): [number, number] {
    const inst = this.current!.inst;
    return toImage(place(this.canvas, inst.rows, inst.cols, inst.spacing, this.view), x, y);
  }

  private down = (e: PointerEvent): void => {
    this.overlay.setPointerCapture(e.pointerId);
    const at = this.point(e);
    this.pointers.set(e.pointerId, at);
    this.carry = 0;
    const kind = this.tool;
    if ((kind === 'measure' || kind === 'angle' || kind === 'region') && e.button === 0 && this.pointers.size === 1 && this.current) {
      const p = this.onImage(at.x, at.y), open = this.measuring;
      // An angle is two drags: the first arm, then the end of the second.
      if (kind === 'angle' && open?.kind === 'angle' && open.index === this.index && open.points.length === 2) open.points.push(p);
      else this.measuring = { kind, index: this.index, points: [p, p] };
    } else this.measuring = undefined;
  };

  private move = (e: PointerEvent): void => {
    const was = this.pointers.get(e.pointerId);
    if (!was) return;
    const now = this.point(e);
    if (this.pointers.size === 2) this.pinch(e.pointerId, was, now);
    else this.drag(e, now, now.x - was.x, now.y - was.y);
    this.pointers.set(e.pointerId, now);
    this.redraw();
  };

  private pinch(id: number, was: { x: number; y: number }, now: { x: number; y: number }): void {
    for (const [other, o] of this.pointers) {
      if (other === id) continue;
      const before = Math.hypot(was.x - o.x, was.y - o.y), after = Math.hypot(now.x - o.x, now.y - o.y);
      if (before > 0) this.view = zoomAt(this.view, this.canvas, (now.x + o.x) / 2, (now.y + o.y) / 2, after / before);
      this.view.panX += (now.x - was.x) / 2;
      this.view.panY += (now.y - was.y) / 2;
    }
  }

  private drag(e: PointerEvent, now: { x: number; y: number }, dx: number, dy: number): void {
    const tool = e.buttons & 4 ? 'pan' : e.buttons & 2 ? 'zoom' : this.tool;
    if (tool === 'pan') { this.view.panX += dx; this.view.panY += dy; }
    else if (tool === 'zoom') this.view = zoomAt(this.view, this.canvas, this.canvas.width / 2, this.canvas.height / 2, Math.exp(-dy / 200));
    else if (tool === 'measure' || tool === 'angle' || tool === 'region') { if (this.measuring) this.measuring.points[this.measuring.points.length - 1] = this.onImage(now.x, now.y); }
    else if (tool === 'scroll') this.scroll(dy / Math.max(6, Math.min(24, this.overlay.height / this.frames.length)));
    else {
      const look = this.look(this.store.best(this.index)), least = look.voi === 'LINEAR' ? 1 : 1e-6;
      const win = look.lut === undefined ? look.window : this.ownWindow(), k = dragStep(win.width);
      this.window = { center: win.center + dy * k, width: Math.max(least, win.width + dx * k) };
    }
  }

  private scroll(slices: number): void {
    this.carry += slices;
    const whole = Math.trunc(this.carry);
    if (whole) { this.carry -= whole; this.step(whole); }
  }

  private up = (e: PointerEvent): void => {
    this.pointers.delete(e.pointerId);
    const m = this.measuring, [a, b] = m?.points ?? [];
    if (m && a && b) {
      if (Math.hypot(a[0] - b[0], a[1] - b[1]) <= 2) this.measuring = undefined;
      else if (m.kind !== 'angle' || m.points.length === 3) { this.measures.push(m); this.measuring = undefined; }
    }
    this.redraw();
  };

  private wheel = (e: WheelEvent): void => {
    e.preventDefault();
    const lines = e.deltaMode === 1 ? e.deltaY : e.deltaY / 100;
    if (e.ctrlKey || this.frames.length < 2) {
      const at = this.point(e);
      this.view = zoomAt(this.view, this.canvas, at.x, at.y, Math.exp(-lines / 5));
      this.redraw();
    } else this.scroll(Math.abs(lines) < 1 ? lines : Math.sign(lines) * Math.max(1, Math.round(Math.abs(lines) / 3)));
  };

  close(): void {
    clearInterval(this.playing);
    cancelAnimationFrame(this.queued);
    this.queued = 1; // no redraw from here on
    this.observer.disconnect();
    this.store.close();
    this.renderer.close();
  }
}
