import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, Further, parse } from '../src/call/red';

const text = (b: Uint8Array): string => new TextDecoder().decode(b);
const voice = (i: number): Uint8Array => new TextEncoder().encode(`voice ${i}`);
/** As Chromium makes them: with the voice just before. */
const chromium = (i: number, step: number, size = 0): Uint8Array =>
  build({ pt: 111, again: i > 0 ? [{ offset: step, data: size ? new Uint8Array(size) : voice(i - 1) }] : [], newest: size ? new Uint8Array(size) : voice(i) });

test('redundant audio is taken apart and put together', () => {
  const p = { pt: 111, again: [{ offset: 16320, data: new Uint8Array(1023) }, { offset: 960, data: new Uint8Array(3) }], newest: voice(7) };
  const b = build(p);
  assert.deepEqual([...b.subarray(0, 9)], [0x80 | 111, 255, (0 << 2) | 3, 255, 0x80 | 111, 15, 0, 3, 111]);
  assert.deepEqual(parse(b), p);
  assert.deepEqual(parse(new Uint8Array([111])), { pt: 111, again: [], newest: new Uint8Array(0) });
  for (const bad of [[], [0xff], [0xff, 1, 2], [0xff, 1, 0, 4], [0xff, 1, 0, 4, 111, 1, 2]]) assert.equal(parse(new Uint8Array(bad)), undefined, String(bad));
});

test('every voice of a row of 300 ms is had from what comes after it', () => {
  for (const [ms, far] of [[60, 5], [40, 7], [20, 15]] as const) {
    const step = ms * 48, first = 0xffff_ffff - 60 * step; // turns over
    const f = new Further(), heard = new Map<number, string>();
    f.again = 300;
    for (let i = 0; i < 120; i++) {
      const at = (first + i * step) >>> 0, sent = f.rewrite(chromium(i, step), at) ?? chromium(i, step);
      if (i >= 60 && i < 60 + far) continue; // lost
      const { again, newest } = parse(sent)!;
      assert.ok(again.length <= 2 && again.every((b) => b.offset < 1 << 14));
      if (i > far) assert.equal(again.length, 2);
      for (const b of [...again, { offset: 0, data: newest }]) heard.set((at - b.offset) >>> 0, text(b.data));
    }
    for (let i = 0; i < 120; i++) assert.equal(heard.get((first + i * step) >>> 0), `voice ${i}`, `${ms} ms, ${i}`);
  }
});

test('without a wish, after a silence, or where it would be too large a packet stays as it is', () => {
  const f = new Further();
  for (let i = 0; i < 10; i++) assert.equal(f.rewrite(chromium(i, 2880), i * 2880), undefined);
  f.again = 300;
  assert.ok(f.rewrite(chromium(10, 2880), 10 * 2880), 'what was said before the wish counts');
  assert.equal(f.rewrite(chromium(11, 2880), 100 * 2880), undefined, 'nothing was said that long ago');
  assert.equal(f.rewrite(new Uint8Array([0xff, 1]), 101 * 2880), undefined, 'malformed');
  assert.equal(f.rewrite(new Uint8Array([111, 1, 2, 3]), 102 * 2880), undefined, 'nothing said again');
  for (let i = 0; i < 10; i++) assert.equal(f.rewrite(chromium(i + 1, 2880, 500), (200 + i) * 2880), undefined, 'three of 500 bytes');
  f.again = 0;
  assert.equal(f.rewrite(chromium(20, 2880), 210 * 2880), undefined);
});
