import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Measure, type Inbound } from '../src/call/measure';

const other = [{ id: 'p1', audio: true }], slots = [{ mid: '2', participant: 'p1', kind: 'audio' }, { mid: '3', participant: 'p1', kind: 'video' }];

/** A call of one look a second. */
function call() {
  const m = new Measure(0);
  let now = 1000, due = 0;
  const voice: Inbound = { type: 'inbound-rtp', id: 'a', kind: 'audio', mid: '2', packetsReceived: 0, concealedSamples: 0, silentConcealedSamples: 0, totalSamplesReceived: 0 };
  const look = (made: number, packets = 17, who: typeof other = other, more: Inbound[] = []) => {
    voice.packetsReceived! += packets;
    voice.totalSamplesReceived! += 48_000;
    voice.concealedSamples! += made;
    if (m.look([{ ...voice }, ...more], who, slots, now += 1000)) due++;
  };
  return { m, voice, look, due: () => due };
}

test('a second is usable with voice and less than 5 % made up', () => {
  const { m, voice, look, due } = call();
  look(0); // time counts from the first look
  for (let i = 0; i < 10; i++) look(0);
  look(2300);
  look(2400); // 5 %
  look(30_000);
  voice.silentConcealedSamples! += 40_000; // silence made up is no loss of speech
  look(40_000);
  assert.deepEqual(m.report(), { voice: 14, usable: 12, concealedMs: 723, freezes: 0, frozenMs: 0, firstAudioMs: 0, firstVideoMs: 0, width: 0, height: 0, fps: 0 });
  assert.equal(due(), 1, 'a report each ten looks');
});

test('without packets nothing is usable after two seconds, though silence is played', () => {
  const { m, look } = call();
  look(0);
  for (let i = 0; i < 5; i++) look(0, i % 2); // one each other second, as in silence
  for (let i = 0; i < 10; i++) look(0, 0);
  const r = m.report();
  assert.equal(r.voice, 15);
  assert.equal(r.usable, 6);
});

test('alone, or with people whose microphone is off, no second counts', () => {
  const { m, look } = call();
  for (let i = 0; i < 5; i++) look(0, 17, []);
  for (let i = 0; i < 5; i++) look(0, 17, [{ id: 'p1', audio: false }]);
  for (let i = 0; i < 5; i++) look(0, 17, [{ id: 'p1', audio: true, via: 'whip' } as (typeof other)[0]]);
  assert.equal(m.report().voice, 0);
});

test('pictures: the largest, its freezes, and a connection made anew', () => {
  const { m, look } = call();
  const v: Inbound = { type: 'inbound-rtp', id: 'v', kind: 'video', mid: '3', packetsReceived: 10, freezeCount: 0, totalFreezesDuration: 0, frameWidth: 320, frameHeight: 240, framesPerSecond: 12.4 };
  look(0, 17, other, [{ ...v }]);
  look(0, 17, other, [{ ...v, packetsReceived: 20, freezeCount: 2, totalFreezesDuration: 1.25 }]);
  assert.deepEqual((({ freezes, frozenMs, width, height, fps }) => [freezes, frozenMs, width, height, fps])(m.report()), [2, 1250, 320, 240, 12]);
  m.watch({ addEventListener() {} } as unknown as RTCPeerConnection);
  look(0, 17, other, [{ ...v, packetsReceived: 5, freezeCount: 1, totalFreezesDuration: 0.25 }]);
  assert.deepEqual((({ freezes, frozenMs }) => [freezes, frozenMs])(m.report()), [3, 1500]);
});

test('the first word counts from joining, or from when somebody came', () => {
  const m = new Measure(1000);
  m.among(other, 2500); // told on joining
  m.first('audio', 2700);
  m.first('audio', 9000);
  assert.equal(m.report().firstAudioMs, 1700);
  const late = new Measure(1000);
  late.among([], 2000);
  late.among(other, 60_000);
  late.among(other, 70_000);
  late.first('video', 60_900);
  assert.equal(late.report().firstVideoMs, 900);
});
