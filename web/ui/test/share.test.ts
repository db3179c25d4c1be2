import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieceSize, pieceTime, requestBytes, timeFor, Toll } from '../src/lib/share';

const usual = 256 * 1024;

test('a piece is at most a quarter of a second of the grant,', () => {
  assert.equal(pieceSize(undefined, usual), usual, 'no call');
  for (const kbps of [0, 1, 6, 12, 25, 60, 500, 5000, 1e6]) {
    const size = pieceSize(kbps, usual);
    assert.ok(size >= 1024 && size <= usual);
    assert.ok(size <= 2048 || size * 8 <= kbps * 250, `${size} bytes of ${kbps} kbit/s`);
  }
});

test('pieces one after the other keep to the grant, headers included', () => {
  for (const kbps of [6, 25, 200]) {
    const size = pieceSize(kbps, usual);
    let at = 0, bytes = 0;
    for (let i = 0; i < 100; i++) { at += pieceTime(size, kbps); bytes += size + requestBytes; }
    assert.ok(Math.abs((bytes * 8) / at - kbps) < 0.01 * kbps);
    assert.ok(Math.abs(timeFor(100 * size, kbps) * 1000 - at) < 1);
  }
});

test('a toll is paid at what is granted meanwhile, and at once without a call', () => {
  const slow = new Toll(2048);
  let ms = 0;
  while (!slow.pay(100, 12)) ms += 100;
  assert.ok(Math.abs(ms - pieceTime(2048, 12)) <= 200, `${ms} ms`);
  const freed = new Toll(1 << 20);
  assert.equal(freed.pay(100, 12), false);
  assert.equal(freed.pay(0, undefined), true);
  const risen = new Toll(125_000 - requestBytes);
  assert.equal(risen.pay(1000, 500), false);
  assert.equal(risen.pay(500, 1000), true);
});
