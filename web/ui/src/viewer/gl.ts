// Draws a picture with WebGL2: stored values stay 16-bit in an integer texture,
// rescale, window and interpolation happen in the shader.
import { lowest } from './display';
import type { Placement } from './geometry';
import type { Picture } from './frames';
import type { Rescale, Voi, Window } from './voi';

/** table: what each of 65,536 stored values becomes instead of the rescale; the first entry is of the lowest stored value. */
export interface Look { window: Window; voi: Voi; rescale: Rescale; invert: boolean; table?: Float32Array }
export interface Renderer {
  readonly name: 'webgl2' | 'cpu';
  draw(p: Picture, at: Placement, look: Look): boolean; // false: this picture is beyond it
  clear(): void;
  close(): void;
}

const vertex = `#version 300 es
in vec2 corner; uniform vec4 box; uniform vec2 canvas; out vec2 pos;
void main() {
  vec2 px = box.xy + corner * box.zw;
  gl_Position = vec4(px.x / canvas.x * 2.0 - 1.0, 1.0 - px.y / canvas.y * 2.0, 0.0, 1.0);
  pos = corner;
}`;

// Integer textures cannot be filtered by the hardware: four taps by hand. The
// grey is taken after interpolation of the stored values, as PS3.3 has it.
const fragment = (sampler: string, colour: boolean) => `#version 300 es
precision highp float; precision highp int; precision highp ${sampler};
uniform ${sampler} image; uniform vec2 size; uniform vec2 rescale; uniform vec3 win; uniform bool invert; uniform bool smoothing;
${colour ? '' : 'uniform highp sampler2D lut; uniform bool mapped; uniform float low;'}
in vec2 pos; out vec4 outColour;
vec3 at(ivec2 p) { return vec3(texelFetch(image, clamp(p, ivec2(0), ivec2(size) - 1), 0).${colour ? 'rgb' : 'rrr'}); }
vec3 value(vec2 p) {
  if (!smoothing) return at(ivec2(floor(p)));
  p -= 0.5; vec2 f = fract(p); ivec2 i = ivec2(floor(p));
  return mix(mix(at(i), at(i + ivec2(1, 0)), f.x), mix(at(i + ivec2(0, 1)), at(i + ivec2(1, 1)), f.x), f.y);
}
float grey(float x) {
  if (win.z == 2.0) return 1.0 / (1.0 + exp(-4.0 * (x - win.x) / win.y));
  if (win.z == 1.0) return (x - win.x) / win.y + 0.5;
  if (win.y <= 1.0) return x > win.x - 0.5 ? 1.0 : 0.0;
  return (x - (win.x - 0.5)) / (win.y - 1.0) + 0.5;
}
${colour ? '' : `float entry(int i) { return texelFetch(lut, ivec2(i & 255, i >> 8), 0).r; }
float through(float x) {
  float k = clamp(x - low, 0.0, 65535.0); int i = int(floor(k));
  return mix(entry(i), entry(min(i + 1, 65535)), fract(k));
}`}
void main() {
  vec3 v = value(pos * size) ${colour ? '* 255.0' : ''};
  ${colour ? 'v = v * rescale.x + rescale.y;' : 'v = mapped ? vec3(through(v.r)) : v * rescale.x + rescale.y;'}
  vec3 g = clamp(vec3(grey(v.r), grey(v.g), grey(v.b)), 0.0, 1.0);
  outColour = vec4(invert ? 1.0 - g : g, 1.0);
}`;

type Kind = 'int' | 'uint' | 'colour';

export class GLRenderer implements Renderer {
  readonly name = 'webgl2';
  private programs = new Map<Kind, WebGLProgram>();
  private textures = new Map<Picture, WebGLTexture>();
  private max: number;
  private lut?: { of: Float32Array; texture: WebGLTexture };

  private constructor(private gl: WebGL2RenderingContext) {
    this.max = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (const kind of ['int', 'uint', 'colour'] as const) this.programs.set(kind, this.program(kind));
  }

  static create(canvas: HTMLCanvasElement): GLRenderer | undefined {
    try {
      const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
      return gl ? new GLRenderer(gl) : undefined;
    } catch { return undefined; }
  }

  private program(kind: Kind): WebGLProgram {
    const gl = this.gl;
    const sampler = kind === 'int' ? 'isampler2D' : kind === 'uint' ? 'usampler2D' : 'sampler2D';
    const p = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment(sampler, kind === 'colour')]] as const) {
      const s = gl.createShader(type)!;
      gl.shaderSource(s, source);
      gl.compileShader(s);
      gl.attachShader(p, s);
    }
    gl.bindAttribLocation(p, 0, 'corner');
    gl.linkProgram(p);
    if (!gl.getProgramParameter(p, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(p) ?? 'shader');
    return p;
  }

  private kind(p: Picture): Kind { return p.rgb ? 'colour' : p.data instanceof Int16Array ? 'int' : 'uint'; }

  private texture(p: Picture): WebGLTexture {
    const known = this.textures.get(p);
    if (known) return known;
    const gl = this.gl;
    if (this.textures.size >= 12) { // the picture on screen and a few beside it
      const [old, t] = this.textures.entries().next().value!;
      gl.deleteTexture(t);
      this.textures.delete(old);
    }
    const t = gl.createTexture()!;
    gl.bindTexture(gl.TEXTURE_2D, t);
    for (const f of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, f, gl.NEAREST);
    for (const w of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, w, gl.CLAMP_TO_EDGE);
    const upload = (internal: number, format: number, type: number) =>
      gl.texImage2D(gl.TEXTURE_2D, 0, internal, p.cols, p.rows, 0, format, type, p.data as ArrayBufferView);
    if (p.bitmap) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, p.bitmap);
    else if (p.rgb) upload(gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE);
    else if (p.data instanceof Int16Array) upload(gl.R16I, gl.RED_INTEGER, gl.SHORT);
    else if (p.data instanceof Uint16Array) upload(gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT);
    else upload(gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE);
    this.textures.set(p, t);
    return t;
  }

  draw(p: Picture, at: Placement, look: Look): boolean {
    const gl = this.gl;
    if (gl.isContextLost() || p.cols > this.max || p.rows > this.max) return false;
    const kind = this.kind(p), program = this.programs.get(kind)!;
    this.clear();
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture(p));
    const u = (name: string) => gl.getUniformLocation(program, name);
    gl.uniform1i(u('image'), 0);
    if (kind !== 'colour') {
      gl.uniform1i(u('lut'), 1);
      gl.uniform1i(u('mapped'), look.table ? 1 : 0);
      gl.uniform1f(u('low'), lowest(p));
      if (look.table) this.useTable(look.table);
    }
    gl.uniform2f(u('canvas'), gl.canvas.width, gl.canvas.height);
    gl.uniform4f(u('box'), at.x, at.y, p.cols * at.scaleX, p.rows * at.scaleY);
    gl.uniform2f(u('size'), p.cols, p.rows);
    gl.uniform2f(u('rescale'), look.rescale.slope, look.rescale.intercept);
    gl.uniform3f(u('win'), look.window.center, look.window.width, look.voi === 'SIGMOID' ? 2 : look.voi === 'LINEAR_EXACT' ? 1 : 0);
    gl.uniform1i(u('invert'), look.invert ? 1 : 0);
    gl.uniform1i(u('smoothing'), at.scaleX < 8 ? 1 : 0); // far in, one sees the pixels themselves
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return gl.getError() === gl.NO_ERROR;
  }

  /** The table as a square texture of floats, on unit 1. */
  private useTable(t: Float32Array): void {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE1);
    if (this.lut?.of === t) gl.bindTexture(gl.TEXTURE_2D, this.lut.texture);
    else {
      if (this.lut) gl.deleteTexture(this.lut.texture);
      const texture = gl.createTexture()!;
      gl.bindTexture(gl.TEXTURE_2D, texture);
      for (const f of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, f, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, 256, 256, 0, gl.RED, gl.FLOAT, t);
      this.lut = { of: t, texture };
    }
    gl.activeTexture(gl.TEXTURE0);
  }

  clear(): void {
    this.gl.viewport(0, 0, this.gl.canvas.width, this.gl.canvas.height);
    this.gl.clearColor(0, 0, 0, 1);
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }

  close(): void {
    for (const t of this.textures.values()) this.gl.deleteTexture(t);
    this.textures.clear();
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
