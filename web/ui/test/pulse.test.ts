import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pulse } from '../src/call/pulse';

test('a flow that stops is noticed after two seconds, a trickle of checks is not one', () => {
  const flow = new Pulse();
  let now = 1_000_000;
  for (let i = 0; i < 10; i++) assert.equal(flow.read(true, now += 1000), false);
  assert.equal(flow.read(false, now += 1000), false);
  assert.equal(flow.read(false, now += 1100), true);
  assert.equal(flow.read(true, now += 1000), false, 'it is back');

  const trickle = new Pulse();
  for (let i = 0; i < 30; i++) assert.equal(trickle.read(i % 3 === 0, now += 1000), false);
  for (let i = 0; i < 5; i++) trickle.read(false, now += 1000);
  assert.equal(trickle.read(false, now += 3000), true);
});

test('nothing at all is silence after ten seconds', () => {
  const p = new Pulse();
  assert.equal(p.read(false, 5000), false);
  assert.equal(p.read(false, 14_000), false);
  assert.equal(p.read(false, 15_500), true);
});
