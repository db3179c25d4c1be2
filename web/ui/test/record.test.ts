import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percent, sumLine } from '../src/lib/callsum';
import { join, merge, rows, sent, type Columns, type Person, type View } from '../src/record/data';
import { reasons } from '../src/record/figures';
import { ceiling, runs } from '../src/record/scale';
import { parse } from '../src/router';

const sum = { seconds: 725, people: 2, voice: 1400, usable: 1372, outages: 1, outageMs: 8000, longestMs: 8000 };
const plain = (s: string) => s.replaceAll('\u00a0', ' ');

test('a call in one line', () => {
  assert.equal(plain(sumLine(sum)), 'Appel de 12 min, parole utile 98 %, 1 coupure de 8 s');
  assert.equal(plain(sumLine({ ...sum, outages: 0, outageMs: 0 })), 'Appel de 12 min, parole utile 98 %, sans coupure');
  assert.equal(plain(sumLine({ ...sum, seconds: 40, voice: 0, usable: 0, outages: 3, outageMs: 45_000 })), 'Appel de 40 s, sans parole mesurée, 3 coupures, 45 s en tout');
  assert.equal(percent(999, 1000), 99, 'not all of it');
  assert.equal(percent(5, 0), 0);
});

const cols = (at: number[], more: Partial<Columns> = {}): Columns => ({ at, estimate: [], uplink: [], delivered: [], up: {}, down: {}, rttMs: [], lossUp: [], lossDown: [], frozenMs: [], height: [], cut: [], picture: [], ...more });

test('newer looks follow the older ones, columns of zeros came empty, old looks go', () => {
  const a = cols([1000, 3000], { estimate: [90, 96], down: { voice: [30, 31] } }), b = cols([5000], { rttMs: [300], down: { picture: [80] } });
  const c = join(a, b, 2000);
  assert.deepEqual([c.at, c.estimate, c.rttMs, c.down], [[3000, 5000], [96, 0], [0, 300], { voice: [31, 0], picture: [0, 80] }]);
  assert.equal(sent(c, 1), 80);
  assert.deepEqual(join(a, b, 9000).at, []);
});

test('a view is joined by person, and another call begins anew', () => {
  const person = (user: string, c: Columns) => ({ user, joinedAt: 'x', samples: c }) as unknown as Person;
  const view = (id: string, at: number, ...people: Person[]): View => ({ id, startedAt: '', at, everyMs: 2000, people });
  const v = merge(view('a', 3000, person('u', cols([1000, 3000]))), view('a', 5000, person('u', cols([5000])), person('v', cols([5000]))));
  assert.deepEqual(v.people.map((p) => p.samples.at), [[1000, 3000, 5000], [5000]]);
  assert.deepEqual(merge(v, view('b', 7000, person('u', cols([7000])))).people[0]!.samples.at, [7000]);
});

test('the table has means of ten seconds, the newest first', () => {
  const r = rows(cols([1000, 9000, 11_000], { estimate: [100, 90, 80], delivered: [10, 20, 30], down: { voice: [30, 30, 30], picture: [0, 50, 0] }, rttMs: [300, 310, 0], lossUp: [0, 40, 0], lossDown: [0, 0, 7], frozenMs: [100, 200, 0], cut: [0, 0, 1], picture: [0, 2, 0], height: [480, 240, 240] }));
  assert.deepEqual(r.map((x) => [x.at, x.estimate, x.sent, x.voice, x.rttMs, x.lossUp, x.frozenMs, x.cut, x.picture, x.height]), [[10_000, 80, 30, 30, 0, 0, 0, true, 0, 240], [0, 95, 55, 30, 305, 20, 300, false, 2, 240]]);
});

test('axes are round, lines break where nothing was measured', () => {
  assert.deepEqual([ceiling(0, 60), ceiling(96, 60), ceiling(131, 60), ceiling(1000, 60), ceiling(1001, 60)], [60, 100, 150, 1000, 1500]);
  assert.deepEqual(runs([0, 2000, 4000, 20_000, 22_000], 2000), [[0, 1, 2], [3, 4]]);
  assert.deepEqual(runs([0, 2000, 4000], 2000, (i) => i !== 1), [[0], [2]]);
});

test('why a call was bad, in words', () => {
  const good = { seconds: 700, voice: 690, usable: 685, concealedMs: 0, freezes: 0, frozenMs: 0, firstAudioMs: 1, firstVideoMs: 1, rttMs: 300, lossUp: 10, lossDown: 20, estimateKbps: 180, leastKbps: 90, deliveredKbps: 120, up: {}, down: {}, path: 'udp' as const, outages: 0, outageMs: 0, longestMs: 0, resumeMs: 0 };
  assert.equal(reasons(good), 'rien à signaler sur cette liaison');
  assert.equal(plain(reasons({ ...good, usable: 500, lossUp: 83, estimateKbps: 50, outages: 2, outageMs: 30_000, path: 'relay' })),
    '2 coupures (30 s en tout) · 72 % de la parole des autres seulement a été utile · 8,3 % de pertes à l’envoi · liaison de 50 kbit/s seulement · le réseau bloque les appels : passage par le relais');
});

test('addresses of the page', () => {
  assert.deepEqual(parse('/dossier/x/appel/mesures', ''), { name: 'record', id: 'x' });
  assert.deepEqual(parse('/dossier/x/appel', ''), { name: 'case', id: 'x', call: true });
  assert.deepEqual(parse('/administration/appels/c1', ''), { name: 'record', call: 'c1' });
  assert.deepEqual(parse('/administration/appels', ''), { name: 'unknown' });
});
