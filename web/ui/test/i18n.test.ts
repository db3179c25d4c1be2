import assert from 'node:assert/strict';
import { test } from 'node:test';
import bm from '../src/i18n/bm.json';
import en from '../src/i18n/en.json';
import fr from '../src/i18n/fr.json';
import { fill, frenchSpaces, t, tMaybe } from '../src/i18n';

const tables: Record<string, Record<string, string>> = { en, bm };
const names = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort().filter((n, i, a) => n !== a[i - 1]);

test('every language has the same keys', () => {
  for (const [name, table] of Object.entries(tables)) assert.deepEqual(Object.keys(table).sort(), Object.keys(fr).sort(), name);
});

test('French and English are complete and use the same parameters', () => {
  for (const [k, v] of Object.entries(fr)) {
    assert.ok(v.trim(), `fr ${k}`);
    assert.ok((en as Record<string, string>)[k]!.trim(), `en ${k}`);
    assert.deepEqual(names((en as Record<string, string>)[k]!), names(v), k);
    assert.equal((en as Record<string, string>)[k]!.includes('|'), v.includes('|'), `plural of ${k}`);
  }
});

test('plurals: French counts 0 as one, English does not', () => {
  assert.equal(fill('{n} envoi|{n} envois', { n: 0 }, 'fr'), '0 envoi');
  assert.equal(fill('{n} envoi|{n} envois', { n: 2 }, 'fr'), '2 envois');
  assert.equal(fill('{n} file|{n} files', { n: 0 }, 'en'), '0 files');
  assert.equal(fill('{who} : {x}', { who: '$&' }, 'fr'), '$& : {x}');
});

test('French typography, and keys from the server', () => {
  assert.equal(frenchSpaces('Pourquoi ?'), 'Pourquoi\u00a0?');
  assert.equal(frenchSpaces('« oui »'), '«\u00a0oui\u00a0»');
  assert.ok(t('error.offline').length > 10);
  assert.equal(tMaybe('error.no-such-code'), undefined);
});
