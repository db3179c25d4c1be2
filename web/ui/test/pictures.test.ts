import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leadName, perMinute, samples, sheet, standard } from '../src/ecg/layout';
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

test('lead names and samples as devices write them', () => {
  assert.equal(leadName('Lead I (Einthoven)'), 'I');
  assert.equal(leadName('MDC_ECG_LEAD_AVR'), 'aVR');
  assert.deepEqual([...samples(Buffer.from(Int16Array.of(0, 1, -1, 32767, -32768).buffer).toString('base64'))], [0, 1, -1, 32767, -32768]);
  assert.equal(perMinute(0.8), 75);
});
