// Redundant audio (RFC 2198): a list of block headers, what was said before, then
// the newest voice. Chromium says again what was just before; where losses come in
// rows that is lost as well, and what was further back is of more use beside it.

const offsetMost = (1 << 14) - 1; // clock units
const lengthMost = (1 << 10) - 1;
const unitsPerMs = 48; // Opus
const sizeMost = 1000; // of a payload: it must fit into one packet

interface Block { offset: number; data: Uint8Array }
interface Payload { pt: number; again: Block[]; newest: Uint8Array }

/** Takes a payload apart; undefined when it is malformed. */
export function parse(b: Uint8Array): Payload | undefined {
  const heads: { offset: number; length: number }[] = [];
  let i = 0;
  for (; i < b.length && b[i]! & 0x80; i += 4) {
    if (i + 4 > b.length) return undefined;
    heads.push({ offset: (b[i + 1]! << 6) | (b[i + 2]! >> 2), length: ((b[i + 2]! & 3) << 8) | b[i + 3]! });
  }
  if (i >= b.length) return undefined;
  const pt = b[i]!;
  let at = i + 1;
  const again = heads.map(({ offset, length }) => ({ offset, data: b.subarray(at, (at += length)) }));
  return at > b.length ? undefined : { pt, again, newest: b.subarray(at) };
}

/** Puts a payload together, blocks in the order given. */
export function build({ pt, again, newest }: Payload): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 * again.length + 1 + again.reduce((n, { data }) => n + data.length, newest.length));
  let i = 0;
  for (const { offset, data } of again) {
    out.set([0x80 | pt, offset >> 6, ((offset & 0x3f) << 2) | (data.length >> 8), data.length & 0xff], i);
    i += 4;
  }
  out[i++] = pt;
  for (const data of [...again.map((b) => b.data), newest]) {
    out.set(data, i);
    i += data.length;
  }
  return out;
}

/** Remembers what was said, and says it once more, so much later. */
export class Further {
  private said: { at: number; data: Uint8Array }[] = []; // oldest first
  /** ms before a voice from which another is said again beside the one just before; 0: none. */
  again = 0;

  /** The payload of a packet that was said at `at` (clock units), with the older voice in it where there is one; undefined: as it is. */
  rewrite(b: Uint8Array, at: number): Uint8Array<ArrayBuffer> | undefined {
    const p = parse(b);
    if (!p) return undefined;
    const before = (s: { at: number }): number => (at - s.at) >>> 0; // timestamps turn over
    this.said = [...this.said.filter((s) => before(s) > 0 && before(s) <= offsetMost), { at, data: p.newest.slice() }];
    const last = p.again[p.again.length - 1];
    if (!this.again || !last?.offset) return undefined;
    // So many packets back; after a silence there are none that long ago.
    const back = Math.floor((this.again * unitsPerMs) / last.offset) * last.offset;
    const old = this.said.find((s) => before(s) === back);
    if (!old || back <= last.offset || back > offsetMost || old.data.length === 0 || old.data.length > lengthMost) return undefined;
    if (old.data.length + last.data.length + p.newest.length > sizeMost) return undefined;
    return build({ pt: p.pt, again: [{ offset: back, data: old.data }, last], newest: p.newest });
  }
}
