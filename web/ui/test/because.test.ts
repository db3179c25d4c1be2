import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ours, seen, theirs } from '../src/call/because';
import type { Participant, Quality } from '../src/call/client';

const q = (more: Partial<Quality>): Quality => ({ connected: true, rttMs: 0, lossUp: 0, lossDown: 0, kbpsUp: 0, kbpsDown: 0, kbpsPath: 42.4, ...more });
const p = (more: Partial<Participant> = {}): Participant => ({ id: 'p1', userId: 'u', name: 'Dr Koné', role: 'specialist', audio: true, video: true, ...more });

test('one’s own link is named only where the server says that it is', () => {
  assert.match(ours(q({ picture: 'off' }), 'video'), /^Image arrêtée\s: votre liaison \(42\skbit\/s\)/);
  assert.match(ours(q({ picture: 'stills' }), 'stills'), /à votre demande/);
  assert.match(ours(q({ picture: 'unwanted' }), 'voice'), /^Son seul, à votre demande/);
  assert.equal(ours(q({ others: [{ participant: 'p1', picture: 'off', why: 'cut' }] }), 'video'), '');
  assert.equal(ours(undefined, 'video'), '');
});

test('the other’s link, choice or outage is theirs', () => {
  const say = (picture: 'small' | 'stills' | 'off', why: 'link' | 'cut' | 'choice' | 'others' | 'measuring', who = p()) => theirs(seen(q({ others: [{ participant: 'p1', picture, why }] }), who), who);
  for (const picture of ['small', 'stills', 'off'] as const) assert.match(say(picture, 'link'), /la liaison de Dr Koné/);
  assert.match(say('stills', 'choice'), /Dr Koné a choisi/);
  assert.match(say('off', 'choice'), /aucune n’arrive/);
  assert.match(say('small', 'others'), /un autre participant/);
  assert.match(say('small', 'measuring'), /on mesure encore/);
  assert.match(say('off', 'cut'), /La liaison de Dr Koné est coupée/);
  assert.equal(say('off', 'cut', p({ away: true })), '', 'shown as away');
  assert.equal(say('off', 'link', p({ id: 'p2' })), '', 'of somebody else');
  for (const why of ['link', 'cut', 'choice', 'others', 'measuring'] as const) for (const picture of ['small', 'stills', 'off'] as const) assert.doesNotMatch(say(picture, why), /votre/);
});
