import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gather, piece, pieceCount, pictureType } from '../src/lib/piece';

const webp = (n: number) => {
  const b = new Uint8Array(n).map((_, i) => i * 7);
  b.set(new TextEncoder().encode('RIFF....WEBP'));
  return b;
};

/** As the server passes it on: with whose it is. */
const from = (id: string, raw: ArrayBuffer): ArrayBuffer => {
  const b = new Uint8Array(raw), name = new TextEncoder().encode(id), out = new Uint8Array(b.length + name.length);
  out.set(b.subarray(0, 10));
  out[9] = name.length;
  out.set(name, 10);
  out.set(b.subarray(10), 10 + name.length);
  return out.buffer;
};

test('a still goes in pieces and is whole again', () => {
  for (const n of [16, 999, 1000, 1001, 5500, 16_000]) {
    const data = webp(n), g = new Gather(), count = pieceCount(n);
    for (let i = 0; i < count; i++) {
      const p = piece(70_000, i, data, 300 + i);
      assert.ok(p.byteLength <= 1010);
      const got = g.add(from('p12', p), 1000 + 100 * i);
      assert.equal(!!got, i === count - 1);
      if (!got) continue;
      assert.deepEqual(got.data, data);
      assert.deepEqual([got.from, got.number, got.type, got.age], ['p12', 70_000 & 0xffff, 'image/webp', 300 + 100 * i]);
    }
  }
});

test('two people do not mix, a lost piece loses its still only', () => {
  const g = new Gather(), a = webp(2500), b = webp(1500);
  g.add(from('a', piece(1, 0, a, 0)), 0);
  g.add(from('b', piece(9, 0, b, 0)), 0);
  g.add(from('a', piece(1, 1, a, 0)), 0);
  assert.deepEqual(g.add(from('b', piece(9, 1, b, 0)), 0)?.data, b);
  assert.deepEqual(g.add(from('a', piece(1, 2, a, 0)), 0)?.data, a);
  g.add(from('a', piece(2, 0, a, 0)), 0);
  assert.equal(g.add(from('a', piece(2, 2, a, 0)), 0), undefined);
  for (let i = 0; i < 3; i++) { const s = g.add(from('a', piece(3, i, a, 0)), 0); assert.equal(!!s, i === 2); }
});

test('junk is nothing', () => {
  const g = new Gather();
  for (const n of [0, 1, 10, 11, 300]) assert.equal(g.add(new Uint8Array(n).fill(1).buffer, 0), undefined);
  const text = new TextEncoder().encode('<script>alert(1)</script>');
  assert.equal(g.add(from('a', piece(1, 0, text, 0)), 0), undefined);
  assert.equal(pictureType(new Uint8Array([0xff, 0xd8, 0xff, ...new Array(20).fill(0)])), 'image/jpeg');
});
