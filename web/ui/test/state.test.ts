import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unseen } from '../src/case/model';
import { expectation, homonyms, order, tabOf } from '../src/state/cases';
import { completeness, isEmpty, missing, newDraft, openedEvent } from '../src/state/drafts';
import { backoff } from '../src/state/live';
import { final, sendable, type OutboxItem } from '../src/state/outbox';
import type { CaseSummary, Person, TimelineItem } from '../src/types';

const person = (id: string): Person => ({ id, name: id, title: '', role: 'clinician', facility: '', phone: '' });
const summary = (patch: Partial<CaseSummary>): CaseSummary => ({
  id: 'c', number: 'N', status: 'submitted', urgency: 'U2', specialty: 's', question: '', patient: { name: 'Awa', sex: 'F' }, facility: '',
  clinician: person('asker'), assignees: [], openedAt: '2026-11-22T10:00:00Z', updatedAt: '2026-11-22T10:00:00Z', dueAt: '', seq: 1, unread: 0, attachments: 0, callParticipants: 0, ...patch,
});

test('what a case asks of each person, and the tab it is found in', () => {
  const asker = { id: 'asker', role: 'clinician' as const }, expert = { id: 'expert', role: 'specialist' as const }, board = { id: 'board', role: 'dispatcher' as const };
  const at = (status: CaseSummary['status'], who: typeof asker | typeof expert | typeof board, unread = 0) =>
    expectation(summary({ status, unread, assignees: status === 'submitted' ? [] : [person('expert')] }), who);
  assert.equal(at('submitted', board), 'triage');
  assert.equal(at('submitted', asker), 'awaitTriage');
  assert.equal(at('assigned', expert), 'opinion');
  assert.equal(at('assigned', asker), 'awaitOpinion');
  assert.equal(at('clarification', asker), 'clarify');
  assert.equal(at('clarification', expert), 'awaitClarification');
  assert.equal(at('answered', asker, 2), 'readOpinion');
  assert.equal(at('answered', asker), 'answered');
  assert.equal(at('answered', expert, 2), 'answered');
  assert.equal(at('cancelled', expert), 'cancelled');
  assert.deepEqual(['triage', 'opinion', 'clarify', 'readOpinion'].map((e) => tabOf(e as never)), ['todo', 'todo', 'todo', 'todo']);
  assert.equal(tabOf('awaitOpinion'), 'waiting');
  assert.equal(tabOf('cancelled'), 'closed');
});

test('open work by urgency then age; finished work newest first', () => {
  const a = summary({ id: 'a', urgency: 'U2', openedAt: '2026-11-20T00:00:00Z', updatedAt: '2026-11-20T00:00:00Z' });
  const b = summary({ id: 'b', urgency: 'U0', openedAt: '2026-11-22T00:00:00Z', updatedAt: '2026-11-22T00:00:00Z' });
  const c = summary({ id: 'c', urgency: 'U2', openedAt: '2026-11-19T00:00:00Z', updatedAt: '2026-11-21T00:00:00Z' });
  assert.deepEqual(order([a, b, c], 'todo').map((x) => x.id), ['b', 'c', 'a']);
  assert.deepEqual(order([a, b, c], 'closed').map((x) => x.id), ['b', 'c', 'a']);
  assert.deepEqual(order([a, c], 'answered').map((x) => x.id), ['c', 'a']);
});

test('homonyms are marked, two cases of one person are not', () => {
  const one = summary({ id: '1', patient: { name: 'Awa TRAORÉ', sex: 'F', age: { value: 4, unit: 'Y' } } });
  const same = summary({ id: '2', patient: { name: 'Traore Awa', sex: 'F', age: { value: 4, unit: 'Y' } } });
  const other = summary({ id: '3', patient: { name: 'awa traoré', sex: 'F', age: { value: 40, unit: 'Y' } } });
  assert.equal(homonyms([one, same]).size, 0);
  assert.deepEqual([...homonyms([one, same, other])].sort(), ['1', '2', '3']);
});

test('new is what others wrote since the last visit', () => {
  const line = (id: string, by: string, count?: number): TimelineItem => ({ id, type: 'message-posted', by: person(by), at: '', seq: 0, count });
  assert.deepEqual([...unseen([line('1', 'x'), line('2', 'me'), line('3', 'x')], 1, 'me')], ['3']);
  assert.deepEqual([...unseen([line('1', 'x'), line('2', 'x', 2), line('3', 'me')], 2, 'me')], ['2']);
});

const full = () => ({
  ...newDraft('u', 0, 'case-id'), name: ' Awa  Traoré ', sex: 'F' as const, ageValue: '31', question: 'Que faire ?', specialty: 'cardiologie', urgency: 'U1' as const, consentHow: 'oral', consentBy: 'Awa',
});

test('a draft says what it lacks, in the order of the page', () => {
  assert.deepEqual(missing(newDraft('u', 0)), ['name', 'sex', 'age', 'question', 'specialty', 'urgency', 'consentHow']);
  assert.deepEqual(missing(full()), []);
  assert.deepEqual(missing({ ...full(), ageValue: '200' }), ['age']);
  assert.deepEqual(missing({ ...full(), ageValue: '', ageKnown: 'birth', birthDate: '1990-02-03' }), []);
  assert.deepEqual(missing({ ...full(), consentBy: '' }), ['consentBy']);
  assert.deepEqual(missing({ ...full(), consentHow: 'emergency', consentBy: '' }), ['consentNote']);
  assert.ok(isEmpty(newDraft('u', 0)));
  assert.ok(!isEmpty({ ...newDraft('u', 0), question: 'x' }));
});

test('completeness grows and names what helps most', () => {
  const empty = completeness(newDraft('u', 0), 0);
  assert.equal(empty.percent, 0);
  assert.equal(empty.helps[0], 'question');
  const some = completeness(full(), 0);
  assert.ok(some.percent > 50 && some.percent < 100);
  assert.equal(some.helps[0], 'history');
  const all = { ...full(), history: 'x'.repeat(60), village: 'Kati', identifiers: [{ system: 'local', value: '12' }] };
  assert.deepEqual(completeness(all, 1), { percent: 100, helps: [] });
});

test('the opened event keeps its id and carries only what was given', () => {
  const d = full(), at = new Date('2026-11-22T10:00:00Z');
  const one = openedEvent(d, 'f1', at), two = openedEvent(d, 'f1', at);
  assert.deepEqual(one, two);
  assert.equal(one.id, d.eventId);
  const data = one.data as { patient: Record<string, unknown>; to: string[]; facility: string };
  assert.equal(data.patient.name, 'Awa Traoré');
  assert.deepEqual(data.patient.age, { value: 31, unit: 'Y' });
  assert.ok(!('birthDate' in data.patient));
  assert.deepEqual(data.patient.identifiers, []);
  assert.deepEqual(data.to, []);
});

test('the outbox sends what is mine and not refused, oldest first', () => {
  const item = (id: string, owner: string, createdAt: number, refused?: boolean): OutboxItem => ({ id, owner, caseId: 'c', kind: 'text', events: [], createdAt, tries: 0, ...(refused ? { refused: { code: 'x', text: '' } } : {}) });
  assert.deepEqual(sendable([item('b', 'me', 2), item('a', 'me', 1), item('x', 'you', 0), item('r', 'me', 0, true)], 'me').map((i) => i.id), ['a', 'b']);
});

test('only refusals that repeating cannot change are final', () => {
  for (const s of [400, 403, 404, 409, 413, 422]) assert.ok(final(s), String(s));
  for (const s of [0, 401, 408, 429, 500, 502, 503]) assert.ok(!final(s), String(s));
});

test('reconnecting waits longer each time, up to half a minute', () => {
  assert.equal(backoff(0, 0.5), 1000);
  assert.equal(backoff(3, 0.5), 8000);
  assert.equal(backoff(50, 0.5), 30_000);
  assert.notEqual(backoff(2, 0), backoff(2, 1));
});
