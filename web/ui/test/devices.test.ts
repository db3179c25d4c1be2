import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidates, compareBirth, compareName, compareSex, type TrayStudy } from '../src/devices/data';
import type { CaseSummary, Person } from '../src/types';

test('patients are compared line by line, and silence is no contradiction', () => {
  assert.equal(compareName('TRAORE^AMINATA', 'Aminata Zoumana Traoré'), 'same');
  assert.equal(compareName('N’DIAYE^AWA', "Awa N'Diaye"), 'same');
  assert.equal(compareName('KEITA^OUMOU', 'Aminata Traoré'), 'differs');
  assert.equal(compareName('^^', 'Aminata Traoré'), 'unknown');
  assert.equal(compareSex('F', 'M'), 'differs');
  assert.equal(compareSex('O', 'M'), 'unknown');
  assert.equal(compareBirth('19950101', '1995-01-01'), 'same');
  assert.equal(compareBirth('19950101', '1995-01-02'), 'differs');
  assert.equal(compareBirth('19950101', '1995'), 'unknown');
  assert.equal(compareBirth('', undefined), 'unknown');
});

test('a study may go to my open cases, a dispatcher’s to those of the specialty; the likely patient first', () => {
  const person = (id: string): Person => ({ id, name: id, title: '', role: 'clinician', facility: '', phone: '' });
  const c = (id: string, name: string, patch: Partial<CaseSummary> = {}): CaseSummary => ({
    id, number: id.toUpperCase(), status: 'assigned', urgency: 'U2', specialty: 'radiologie', question: '', patient: { name, sex: 'F' }, facility: '', clinician: person('me'),
    assignees: [], openedAt: '', updatedAt: '2026-11-22T10:00:00Z', dueAt: '', seq: 1, unread: 0, attachments: 0, callParticipants: 0, ...patch,
  });
  const list = [c('a', 'Awa Sow', { updatedAt: '2026-11-23T10:00:00Z' }), c('b', 'Oumou Keïta'), c('n1', 'Binta Ba'), c('closed', 'Oumou Keïta', { status: 'closed' }),
    c('theirs', 'Oumou Keïta', { clinician: person('other') }), c('skin', 'Oumou Keïta', { clinician: person('other'), specialty: 'dermatologie' })];
  const study = { accession: ' n1 ', patient: { name: 'KEITA^OUMOU', id: '', sex: 'F', birthDate: '' } } as TrayStudy;
  const ids = (role: 'clinician' | 'dispatcher', id: string) => candidates(list, { id, role, specialties: ['radiologie'] }, study).map((x) => x.id);
  assert.deepEqual(ids('clinician', 'me'), ['n1', 'b', 'a']);
  assert.deepEqual(ids('dispatcher', 'board'), ['n1', 'b', 'theirs', 'a']);
  assert.deepEqual(ids('clinician', 'nobody'), []);
});
