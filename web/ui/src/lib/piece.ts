// A still in pieces of one packet each, as they travel by data channel (docs/signaling.md).

const version = 1, most = 1000, countMost = 16;

export interface Still { from: string; number: number; age: number; type: string; data: Uint8Array<ArrayBuffer> }

/** age: of the picture when this piece leaves, ms. */
export function piece(number: number, index: number, data: Uint8Array, age: number): ArrayBuffer {
  const part = data.subarray(index * most, (index + 1) * most);
  const out = new ArrayBuffer(10 + part.length), v = new DataView(out);
  v.setUint8(0, version);
  v.setUint16(1, number & 0xffff);
  v.setUint8(3, index);
  v.setUint8(4, pieceCount(data.length));
  v.setUint32(5, Math.max(0, Math.round(age)));
  new Uint8Array(out, 10).set(part);
  return out;
}

export const pieceCount = (bytes: number): number => Math.ceil(bytes / most);

/** The format by its first bytes; '' for what is no picture. */
export function pictureType(b: Uint8Array): string {
  const at = (i: number, s: string) => [...s].every((c, k) => b[i + k] === c.charCodeAt(0));
  if (b.length < 16) return '';
  return at(0, 'RIFF') && at(8, 'WEBP') ? 'image/webp' : at(4, 'ftypavif') ? 'image/avif' : b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff ? 'image/jpeg' : '';
}

/** Puts together what arrives, of each participant. */
export class Gather {
  private parts = new Map<string, { number: number; count: number; age: number; begun: number; list: Uint8Array[] }>();

  /** now in ms; the age told is as the last piece arrives. */
  add(raw: ArrayBuffer, now: number): Still | undefined {
    if (raw.byteLength < 11) return undefined;
    const v = new DataView(raw), n = v.getUint8(9);
    if (v.getUint8(0) !== version || raw.byteLength <= 10 + n) return undefined;
    const number = v.getUint16(1), index = v.getUint8(3), count = v.getUint8(4);
    const from = new TextDecoder().decode(new Uint8Array(raw, 10, n));
    if (index >= count || count > countMost) return undefined;
    if (index === 0) this.parts.set(from, { number, count, age: v.getUint32(5), begun: now, list: [] });
    const p = this.parts.get(from);
    if (!p || p.number !== number || p.count !== count || p.list.length !== index) { this.parts.delete(from); return undefined; }
    p.list.push(new Uint8Array(raw.slice(10 + n)));
    if (p.list.length < count) return undefined;
    this.parts.delete(from);
    const data = new Uint8Array(p.list.reduce((sum, x) => sum + x.length, 0));
    p.list.reduce((at, x) => { data.set(x, at); return at + x.length; }, 0);
    const type = pictureType(data);
    return type ? { from, number, age: p.age + now - p.begun, type, data } : undefined;
  }
}
