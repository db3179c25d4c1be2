import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOn, formatAge, sexAge } from '../src/lib/age';
import { bytes } from '../src/lib/bytes';
import { chunkSize, percentOf, RateMeter, totals } from '../src/lib/queue';
import { dicomDate, dicomName, fold, matches } from '../src/lib/text';
import { due, duration, left, relative } from '../src/lib/time';
import { parse } from '../src/router';

const on = (s: string) => new Date(s + 'T10:00:00');

test('age changes on the birthday, and its unit with it', () => {
  assert.deepEqual(ageOn('1990-11-23', on('2026-11-22')), { value: 35, unit: 'Y' });
  assert.deepEqual(ageOn('1990-11-22', on('2026-11-22')), { value: 36, unit: 'Y' });
  assert.deepEqual(ageOn('2024-11-23', on('2026-11-22')), { value: 23, unit: 'M' });
  assert.deepEqual(ageOn('2024-11-22', on('2026-11-22')), { value: 2, unit: 'Y' });
  assert.deepEqual(ageOn('2026-11-20', on('2026-11-22')), { value: 2, unit: 'D' });
  assert.deepEqual(ageOn('2026-10-22', on('2026-11-22')), { value: 1, unit: 'M' });
});

test('a birth date may be a year or a DICOM date; nonsense and the future have no age', () => {
  assert.deepEqual(ageOn('1958', on('2026-11-22')), { value: 68, unit: 'Y' });
  assert.deepEqual(ageOn('19580101', on('2026-11-22')), { value: 68, unit: 'Y' });
  assert.equal(ageOn('2027-01-01', on('2026-11-22')), null);
  assert.equal(ageOn('bientôt', on('2026-11-22')), null);
});

test('ages are written as on a ward', () => {
  assert.equal(formatAge({ value: 31, unit: 'Y' }), '31\u00a0a');
  assert.equal(formatAge({ value: 1, unit: 'Y' }, 'fr', 'long'), '1\u00a0an');
  assert.equal(formatAge({ value: 14, unit: 'M' }, 'fr', 'long'), '14\u00a0mois');
  assert.equal(formatAge({ value: 1, unit: 'D' }, 'en', 'long'), '1\u00a0day');
  assert.equal(sexAge({ name: '', sex: 'M', age: { value: 58, unit: 'Y' } }, on('2026-11-22')), 'H\u00a058\u00a0a');
  assert.equal(sexAge({ name: '', sex: 'F', birthDate: '1995-01-01', age: { value: 99, unit: 'Y' } }, on('2026-11-22')), 'F\u00a031\u00a0a');
});

test('rate is bytes per second over the last seconds, and nothing when nothing moves', () => {
  const m = new RateMeter(6000);
  for (let s = 0; s <= 10; s++) m.add(s * 32_000, s * 1000);
  assert.ok(Math.abs(m.rate(10_000) - 32_000) < 1);
  for (let s = 11; s <= 16; s++) m.add(320_000 + (s - 10) * 8_000, s * 1000);
  assert.ok(m.rate(16_000) < 13_000, 'an old speed must be forgotten');
  assert.equal(m.rate(30_000), 0);
  m.add(1000, 31_000); // a transfer taken up again at an earlier byte
  assert.equal(m.rate(31_000), 0);
});

test('totals of a queue: what is left, not what failed', () => {
  const t = totals([
    { size: 1000, sent: 400, state: 'sending' }, { size: 500, sent: 0, state: 'queued' },
    { size: 300, sent: 100, state: 'processing' }, { size: 9000, sent: 10, state: 'failed' }, { size: 200, sent: 200, state: 'done' },
  ], 100);
  assert.deepEqual({ left: t.left, size: t.size, sent: t.sent, bytesLeft: t.bytesLeft, percent: t.percent, seconds: t.seconds },
    { left: 3, size: 2000, sent: 900, bytesLeft: 1100, percent: 45, seconds: 11 });
  assert.equal(totals([], 0).percent, 100);
  assert.equal(totals([{ size: 10, sent: 0, state: 'queued' }], 0).seconds, Infinity);
});

test('100 % is all of it', () => {
  assert.equal(percentOf(999_999, 1_000_000), 99);
  assert.equal(percentOf(1_000_000, 1_000_000), 100);
  assert.equal(percentOf(0, 0), 100);
});

test('a slow link gets small requests', () => {
  assert.equal(chunkSize(0), 256 * 1024);
  assert.equal(chunkSize(32_000), 256 * 1024);
  assert.ok(chunkSize(10_000_000) > 1024 * 1024);
});

test('bytes in French units', () => {
  assert.equal(bytes(312), '312\u00a0o');
  assert.equal(bytes(14_100_000), '14\u00a0Mo');
  assert.equal(bytes(1_240_000), '1,2\u00a0Mo');
  assert.equal(bytes(999_999), '1,0\u00a0Mo');
});

test('times as said', () => {
  const now = new Date('2026-11-22T14:00:00');
  assert.equal(relative(new Date('2026-11-22T13:48:00'), now), 'il y a 12 min');
  assert.equal(relative(new Date('2026-11-21T23:50:00'), now), 'hier à 23:50');
  assert.equal(duration(125), '2\u00a0h\u00a005');
  assert.equal(left(40), '40 s');
  assert.equal(left(Infinity), '…');
  const d = due('2026-11-22T14:48:00', now);
  assert.match(d.text, /14:48.*48\u00a0min/);
  assert.equal(d.soon, true);
  assert.equal(due('2026-11-22T12:00:00', now).late, true);
});

test('names and dates of DICOM, searching without accents', () => {
  assert.equal(dicomName('TRAORÉ^Awa^^Mme'), 'Mme Awa TRAORÉ');
  assert.equal(dicomName(''), '');
  assert.equal(dicomDate('20261122'), '2026-11-22');
  assert.equal(dicomDate('jamais'), '');
  assert.equal(fold('  Élisabeth  KONÉ '), 'elisabeth kone');
  assert.ok(matches('Fadimata KEÏTA KAT-2026-0001', 'keita 0001'));
  assert.ok(!matches('Fadimata KEÏTA', 'keita moussa'));
});

test('addresses of the screens', () => {
  assert.deepEqual(parse('/dossier/abc/appel', ''), { name: 'case', id: 'abc', call: true });
  assert.deepEqual(parse('/dossier/abc/images/1.2.3', ''), { name: 'images', id: 'abc', series: '1.2.3', image: undefined });
  assert.deepEqual(parse('/dossier/abc/images/1.2.3', 'image=1.2.3.4%2F2'), { name: 'images', id: 'abc', series: '1.2.3', image: '1.2.3.4/2' });
  assert.deepEqual(parse('/nouvelle', 'b=x'), { name: 'request', draft: 'x' });
  assert.equal(parse('/dossier/%E0%A4%A', '').name, 'case');
  assert.equal(parse('/autre', '').name, 'unknown');
});
