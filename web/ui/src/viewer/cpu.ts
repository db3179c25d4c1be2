// Draws a picture without WebGL: a table of greys, a bitmap, drawImage.
import type { Picture } from './frames';
import type { Placement } from './geometry';
import type { Look, Renderer } from './gl';
import { table } from './voi';

export class CPURenderer implements Renderer {
  readonly name = 'cpu';
  private sheet = document.createElement('canvas');
  private drawn?: { picture: Picture; look: string; map?: Float32Array };

  constructor(private canvas: HTMLCanvasElement) {}

  draw(p: Picture, at: Placement, look: Look): boolean {
    const ctx = this.canvas.getContext('2d', { alpha: false });
    if (!ctx) return false;
    this.paint(p, look);
    this.clear();
    ctx.imageSmoothingEnabled = at.scaleX < 8;
    ctx.drawImage(this.sheet, at.x, at.y, p.cols * at.scaleX, p.rows * at.scaleY);
    return true;
  }

  private paint(p: Picture, look: Look): void {
    const { table: map, ...plain } = look, key = JSON.stringify(plain);
    if (this.drawn?.picture === p && this.drawn.look === key && this.drawn.map === map) return;
    this.sheet.width = p.cols;
    this.sheet.height = p.rows;
    const ctx = this.sheet.getContext('2d', { willReadFrequently: true })!;
    let pixels: ImageData;
    if (p.bitmap) {
      ctx.drawImage(p.bitmap, 0, 0);
      pixels = ctx.getImageData(0, 0, p.cols, p.rows);
    } else pixels = ctx.createImageData(p.cols, p.rows);
    const out = pixels.data, n = p.rows * p.cols;
    if (p.rgb) {
      const lut = table(0, 255, look.rescale, look.window, look.voi, look.invert);
      for (let i = 0; i < n; i++) {
        for (let c = 0; c < 3; c++) out[4 * i + c] = lut[p.data ? p.data[3 * i + c]! : out[4 * i + c]!]!;
        out[4 * i + 3] = 255;
      }
    } else {
      const low = p.data instanceof Int16Array ? -32768 : 0;
      const lut = table(low, p.data instanceof Uint8Array ? 255 : low + 65535, look.rescale, look.window, look.voi, look.invert, map);
      for (let i = 0; i < n; i++) {
        const g = lut[p.data![i]! - low]!;
        out[4 * i] = out[4 * i + 1] = out[4 * i + 2] = g;
        out[4 * i + 3] = 255;
      }
    }
    ctx.putImageData(pixels, 0, 0);
    this.drawn = { picture: p, look: key, map };
  }

  clear(): void {
    const ctx = this.canvas.getContext('2d', { alpha: false });
    if (ctx) { ctx.fillStyle = '#000'; ctx.fillRect(0, 0, this.canvas.width, this.canvas.height); }
  }

  close(): void { this.drawn = undefined; }
}
