import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause, thin } from '../src/call/still/pen';

test('a drawn line keeps its corners and its ends, and never more points than may be sent', () => {
  assert.deepEqual(thin([0, 0, 500, 3, 1000, 0, 1000, 500, 1000, 1000]), [0, 0, 1000, 0, 1000, 1000]);
  assert.deepEqual(thin([5, 5]), [5, 5]);
  const wild = Array.from({ length: 6000 }, (_, i) => i >> 1).flatMap((n, i) => (i % 2 ? [] : [Math.round(5000 + n * 1.5 * Math.cos(n / 9)), Math.round(5000 + n * 1.5 * Math.sin(n / 9))])); // a tight spiral
  const kept = thin(wild);
  assert.ok(kept.length <= 512 && kept.length > 100, `${kept.length}`);
  assert.deepEqual([kept.slice(0, 2), kept.slice(-2)], [wild.slice(0, 2), wild.slice(-2)]);
  const closed = thin([0, 0, 4000, 0, 4000, 4000, 0, 0]);
  assert.deepEqual(closed, [0, 0, 4000, 0, 4000, 4000, 0, 0]);
});

test('after a stroke places wait until its bytes are paid for', () => {
  assert.ok(pause([0, 0, 9, 9], 120) < 120, 'an arrow is little more than a place');
  const long = Array.from({ length: 512 }, () => 5000);
  assert.equal(pause(long, 120), 120 * ((150 + 5 * 512) / 115 - 1));
  assert.ok(pause(long, 120) > 2000);
  assert.equal(pause(long, 1000), 3000, 'but nobody waits for long');
});
