import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtered, section } from '../src/ecg/filters';
import { cabrera, leadName, pagesOf, perMinute, samples, sheet, standard } from '../src/ecg/layout';
import { millimetres, place, toCanvas, toImage, zoomAt } from '../src/viewer/geometry';
import { next, previewLevel } from '../src/viewer/order';
import { lutOf, mapping } from '../src/viewer/display';
import { degrees, lines, statistics } from '../src/viewer/measures';
import { grey, table, windowOf } from '../src/viewer/voi';

test('window/level table: PS3.3 C.11.2 by hand, rescaled, inverted', () => {
  // Brain window on stored CT values: 40/80 HU, slope 1, intercept -1024.
  const r = { slope: 1, intercept: -1024 }, w = { center: 40, width: 80 };
  const lut = table(0, 4095, r, w, 'LINEAR', false);
  assert.equal(lut[0], 0);
  assert.equal(lut[4095], 255);
  assert.equal(lut[1024 + 0], Math.round(((0 - 39.5) / 79 + 0.5) * 255));
  assert.equal(lut[1024 + 40], Math.round(((40 - 39.5) / 79 + 0.5) * 255));
  const inverse = table(0, 4095, r, w, 'LINEAR', true);
  for (const v of [0, 1000, 1050, 1064, 1100, 4095]) assert.ok(Math.abs(inverse[v]! + lut[v]! - 255) <= 1, String(v));
  for (let v = 1; v < lut.length; v++) assert.ok(lut[v]! >= lut[v - 1]!, 'never darker upwards');
});

test('the three VOI functions at their landmarks', () => {
  assert.equal(grey(50, { center: 50, width: 100 }, 'LINEAR_EXACT'), 0.5);
  assert.equal(grey(0, { center: 50, width: 100 }, 'LINEAR_EXACT'), 0);
  assert.equal(grey(50, { center: 50, width: 100 }, 'SIGMOID'), 0.5);
  assert.equal(grey(9, { center: 10, width: 1 }, 'LINEAR'), 0);
  assert.equal(grey(10, { center: 10, width: 1 }, 'LINEAR'), 1);
  const signed = table(-32768, 32767, { slope: 2, intercept: 0 }, { center: 0, width: 400 }, 'LINEAR', false);
  assert.equal(signed.length, 65536);
  assert.equal(signed[32768 - 200], 0);
  assert.equal(signed[32768 + 200], 255);
});

test('modality LUT and VOI LUT stand for rescale and window, beyond their ends too', () => {
  const b64 = (v: number[]) => btoa(String.fromCharCode(...v.flatMap((x) => [x & 255, x >> 8])));
  const modality = lutOf({ first: -2, bits: 16, label: '', values: b64([500, 40000, 7]) });
  const signed = mapping(-32768, modality, { slope: 9, intercept: 9 });
  assert.deepEqual([-32768, -2, -1, 0, 1, 32767].map((v) => signed[v + 32768]), [500, 500, 40000, 7, 7, 7]);
  const voi = lutOf({ first: 100, bits: 8, label: 'x', values: b64([0, 51, 255]) });
  const unsigned = mapping(0, undefined, { slope: 2, intercept: 90 }, voi);
  assert.deepEqual([0, 5, 6, 65535].map((v) => Math.round(unsigned[v]! * 255)), [0, 0, 255, 255]);
  const lut = table(-32768, 32767, { slope: 1, intercept: 0 }, { center: 500, width: 1000 }, 'LINEAR_EXACT', false, signed);
  assert.deepEqual([-2, -1, 0].map((v) => lut[v + 32768]), [128, 255, 2]);
  assert.deepEqual(windowOf(Int16Array.of(-2, 0, 0, -2), { slope: 1, intercept: 0 }, signed, -32768), { center: 253.5, width: 493 });
});

test('measures: angle where pixels are not square, region in units, what they are calibrated by', () => {
  assert.equal(degrees([10, 0], [0, 0], [0, 10], null), 90);
  assert.ok(Math.abs(degrees([10, 0], [0, 0], [10, 10], [2, 1]) - 63.4349) < 1e-3);
  assert.equal(Math.round(degrees([-1, 0], [0, 0], [1, 0], null)), 180);
  const data = Int16Array.from({ length: 100 }, (_, i) => (i % 10 < 5 ? 100 : 300));
  const s = statistics(data, 10, 10, [0, 0], [10, 10], (v) => v * 2 - 1000)!;
  assert.deepEqual([s.mean, s.min, s.max], [-600, -800, -400]);
  assert.ok(Math.abs(s.sd - 200 * Math.sqrt(s.n / (s.n - 1))) < 1e-9);
  assert.ok(s.n > 70 && s.n < 86, 'an ellipse, not its box');
  assert.equal(statistics(data, 10, 10, [20, 20], [30, 30], (v) => v), undefined);
  assert.match(lines({ kind: 'measure', index: 0, points: [[0, 0], [3, 4]] }, { spacing: [0.5, 0.5], kind: 'imager' })[0]!, /^2\.5 mm · au détecteur/);
  assert.match(lines({ kind: 'measure', index: 0, points: [[0, 0], [3, 4]] }, { spacing: null, kind: '' })[0]!, /^5 px · non calibré/);
  assert.match(lines({ kind: 'region', index: 0, points: [[0, 0], [10, 10]] }, { spacing: [1, 1], kind: 'pixel' }, s, 'HU').join(' '), /-600 ± \d+ UH.*-800 … -400 UH.*79 mm²/);
});

test('a picture keeps the proportions of the patient and the point under the finger', () => {
  const box = { width: 1000, height: 500 };
  const p = place(box, 100, 100, [2, 1], { zoom: 1, panX: 0, panY: 0 });
  assert.equal(p.scaleY / p.scaleX, 2);
  assert.equal(p.scaleY * 100, 500);
  const v = zoomAt({ zoom: 1, panX: 0, panY: 0 }, box, 700, 100, 3);
  const q = place(box, 100, 100, [2, 1], v), before = toImage(p, 700, 100), after = toCanvas(q, ...before);
  assert.ok(Math.abs(after[0] - 700) < 1e-6 && Math.abs(after[1] - 100) < 1e-6);
  assert.equal(millimetres([0, 0], [3, 4], [0.5, 0.5]), 2.5);
  assert.equal(millimetres([0, 0], [3, 4], null), null);
});

test('fetching: preview of the current image first, its whole before distant previews, nothing twice', () => {
  assert.equal(previewLevel(512, 512), 2);
  assert.equal(previewLevel(120, 160), 0);
  const have = new Set<string>(), asked: string[] = [];
  for (;;) {
    const w = next(10, 40, 2, (i, k) => have.has(`${i}/${k}`));
    if (!w) break;
    const key = `${w.index}/${w.level}`;
    assert.ok(!have.has(key), `${key} asked twice`);
    have.add(key);
    asked.push(key);
    assert.ok(asked.length < 200, 'never ends');
  }
  assert.equal(asked[0], '10/2');
  assert.ok(asked.indexOf('10/0') < asked.indexOf('30/2'));
  assert.equal([...have].filter((k) => k.endsWith('/0')).length, 40);
});

test('ECG 3×4: four columns of the same moment, rhythm below, millimetres by speed', () => {
  const s = sheet('3x4', standard, 10, 25);
  assert.equal(s.boxes.length, 13);
  const [i, ii, iii] = [0, 1, 2].map((k) => s.boxes[k]!);
  assert.deepEqual([i!.lead, ii!.lead, iii!.lead], ['I', 'II', 'III']);
  assert.equal(i!.x, iii!.x);
  const v1 = s.boxes.find((b) => b.lead === 'V1')!, v4 = s.boxes.find((b) => b.lead === 'V4')!;
  assert.equal(v1.from, 5);
  assert.equal(v4.from, 7.5);
  assert.equal(v1.x - i!.x, 5 * 25);
  const rhythm = s.boxes[12]!;
  assert.deepEqual([rhythm.lead, rhythm.width, rhythm.seconds], ['II', 250, 10]);
  assert.equal(sheet('12x1', standard, 10, 50).boxes[0]!.width, 500);
  assert.equal(sheet('6x2', standard, 10, 25).boxes.length, 12);
  for (const b of s.boxes) assert.ok(b.x + b.width <= s.width && b.y <= s.height);
});

test('Cabrera, the rest of a long recording, pages of paper', () => {
  const c = sheet('cabrera', standard, 10, 25);
  assert.deepEqual(c.boxes.map((b) => b.lead), cabrera);
  assert.deepEqual(c.boxes.slice(0, 6).map((b) => b.from), [0, 0, 0, 0, 0, 0]);
  const late = sheet('12x1', ['V5'], 1800, 25, 1795);
  assert.deepEqual([late.boxes[0]!.from, late.boxes[0]!.seconds, late.boxes[0]!.width], [1795, 5, 125]);
  const whole = sheet('3x4', standard, 10, 50), parts = pagesOf(whole, 250, 166);
  assert.equal(parts.length, 2);
  for (const [i, p] of parts.entries()) {
    const rhythm = p.boxes[p.boxes.length - 1]!;
    assert.deepEqual([rhythm.lead, rhythm.x, rhythm.width, rhythm.from, rhythm.seconds], ['II', 8, 250, 5 * i, 5]);
    assert.equal(p.boxes.length, 7, 'two of four columns, and the rhythm');
    for (const b of p.boxes) assert.ok(Math.abs(b.width / b.seconds - 50) < 1e-9 && b.x >= 8 && b.x + b.width <= 258.01, JSON.stringify(b));
  }
  const tall = pagesOf(sheet('12x1', standard, 10, 25), 250, 166);
  assert.equal(tall.length, 1);
  assert.ok(tall[0]!.height <= 166 && tall[0]!.boxes.every((b) => b.y < 166), 'rows move together, millivolts stay');
});

test('filters: what they take, what they leave, and nothing moves in time', () => {
  const hz = 500, n = 5000, at = (f: number, k: number) => Math.sin((2 * Math.PI * f * k) / hz);
  const gain = (f: number, name: 'baseline' | 'muscle' | 'mains') => {
    const y = filtered(Float32Array.from({ length: n }, (_, k) => 1000 * at(f, k)), hz, [name]);
    let sum = 0;
    for (let k = 1000; k < 4000; k++) sum += y[k]! ** 2;
    return Math.sqrt((2 * sum) / 3000) / 1000;
  };
  const near = (got: number, want: number, by: number, what: string) => assert.ok(Math.abs(got - want) <= by, `${what}: ${got}`);
  near(gain(40, 'muscle'), Math.SQRT1_2, 0.02, '40 Hz is the corner');
  near(gain(5, 'muscle'), 1, 0.01, '5 Hz stays');
  near(gain(150, 'muscle'), 0, 0.02, '150 Hz goes');
  near(gain(0.5, 'baseline'), Math.SQRT1_2, 0.03, '0.5 Hz is the corner');
  near(gain(0.1, 'baseline'), 0, 0.02, '0.1 Hz goes');
  near(gain(50, 'mains'), 0, 0.02, '50 Hz goes');
  near(gain(40, 'mains'), 1, 0.05, '40 Hz stays');
  const beat = Float32Array.from({ length: n }, (_, k) => 1000 * Math.exp(-(((k - 2500) / 8) ** 2)));
  const peak = (v: Float32Array) => v.indexOf(Math.max(...v));
  assert.equal(peak(filtered(beat, hz, ['baseline', 'muscle', 'mains'])), 2500);
  const gap = Float32Array.from({ length: 1000 }, (_, k) => (k === 500 ? NaN : 300));
  const kept = filtered(gap, hz, ['muscle', 'mains']);
  assert.ok(Number.isNaN(kept[500]!) && Math.abs(kept[499]! - 300) < 1 && Math.abs(kept[501]! - 300) < 1);
  assert.equal(section('mains', 100), undefined, 'no such filter at 100 samples a second');
});

test('lead names and samples as devices write them', () => {
  assert.equal(leadName('Lead I (Einthoven)'), 'I');
  assert.equal(leadName('MDC_ECG_LEAD_AVR'), 'aVR');
  assert.deepEqual([...samples(Buffer.from(Int16Array.of(0, 1, -1, 32767, -32768).buffer).toString('base64'))], [0, 1, -1, 32767, -32768]);
  assert.equal(perMinute(0.8), 75);
});
