// A request being written. Pure functions first; what touches the device is below.
import { signal } from '@preact/signals';
import type { Age, NewEvent, Urgency } from '../types';
import { uuid } from '../lib/uuid';
import { db } from './db';

export interface Draft {
  id: string;              // the case's id from the start: files can leave before the request does
  eventId: string;         // of its opened event: sending twice is sending once
  owner: string;
  createdAt: number;
  savedAt: number;
  queued?: boolean;        // handed to the outbox, no longer edited
  name: string; sex: '' | 'F' | 'M';
  birthDate: string; ageValue: string; ageUnit: Age['unit']; ageKnown: 'age' | 'birth';
  identifiers: { system: string; value: string }[];
  village: string; motherName: string; phone: string;
  question: string; history: string; specialty: string; urgency: '' | Urgency; to: string;
  consentHow: string; consentBy: string; consentNote: string; consentAt: string;
}

export function newDraft(owner: string, now: number, id = uuid()): Draft {
  return {
    id, eventId: uuid(), owner, createdAt: now, savedAt: 0,
    name: '', sex: '', birthDate: '', ageValue: '', ageUnit: 'Y', ageKnown: 'age',
    identifiers: [{ system: 'local', value: '' }], village: '', motherName: '', phone: '',
    question: '', history: '', specialty: '', urgency: '', to: '',
    consentHow: '', consentBy: '', consentNote: '', consentAt: '',
  };
}

export type Field = 'name' | 'sex' | 'age' | 'identifiers' | 'village' | 'question' | 'history' | 'specialty' | 'urgency' | 'files' | 'consentHow' | 'consentBy' | 'consentNote';

/** What stops a request from leaving, in the order of the page. */
export function missing(d: Draft): Field[] {
  const out: Field[] = [];
  if (!d.name.trim()) out.push('name');
  if (!d.sex) out.push('sex');
  if (!hasAge(d)) out.push('age');
  if (!d.question.trim()) out.push('question');
  if (!d.specialty) out.push('specialty');
  if (!d.urgency) out.push('urgency');
  if (!d.consentHow) out.push('consentHow');
  else if (d.consentHow === 'emergency') { if (!d.consentNote.trim()) out.push('consentNote'); }
  else if (!d.consentBy.trim()) out.push('consentBy');
  return out;
}

function hasAge(d: Draft): boolean {
  if (d.ageKnown === 'birth') return /^\d{4}-\d{2}-\d{2}$/.test(d.birthDate);
  const n = Number(d.ageValue);
  return d.ageValue.trim() !== '' && Number.isInteger(n) && n >= 0 && n <= (d.ageUnit === 'Y' ? 130 : 400);
}

const weights: [Field, number][] = [
  ['name', 10], ['sex', 5], ['age', 8], ['identifiers', 4], ['village', 3], ['question', 20], ['history', 18],
  ['specialty', 8], ['urgency', 6], ['files', 10], ['consentHow', 5], ['consentBy', 3],
];

/** How complete, 0..100, and what would help the expert most, heaviest first. */
export function completeness(d: Draft, files: number): { percent: number; helps: Field[] } {
  const blocked = new Set(missing(d));
  const empty = (f: Field): boolean => {
    switch (f) {
      case 'identifiers': return !d.identifiers.some((i) => i.value.trim());
      case 'village': return !d.village.trim();
      case 'history': return d.history.trim().length < 40;
      case 'files': return files === 0;
      case 'consentBy': return d.consentHow === 'emergency' ? !d.consentNote.trim() : !d.consentBy.trim();
      default: return blocked.has(f);
    }
  };
  let sum = 0, have = 0;
  const helps: [Field, number][] = [];
  for (const [field, weight] of weights) {
    sum += weight;
    if (empty(field)) helps.push([field, weight]);
    else have += weight;
  }
  helps.sort((a, b) => b[1] - a[1]);
  return { percent: Math.round((have * 100) / sum), helps: helps.map(([f]) => f) };
}

/** Nothing was typed that would be missed. */
export function isEmpty(d: Draft): boolean {
  return ![d.name, d.birthDate, d.ageValue, d.village, d.motherName, d.phone, d.question, d.history, d.consentBy, d.consentNote,
    ...d.identifiers.map((i) => i.value)].some((s) => s.trim()) && !d.sex && !d.specialty && !d.urgency && !d.consentHow;
}

/** The opened event of a draft that misses nothing. */
export function openedEvent(d: Draft, facility: string, now: Date): NewEvent {
  const at = now.toISOString();
  return {
    id: d.eventId, type: 'opened', at,
    data: {
      patient: {
        name: d.name.trim().replace(/\s+/g, ' '), sex: d.sex,
        ...(d.ageKnown === 'birth' ? { birthDate: d.birthDate } : { age: { value: Number(d.ageValue), unit: d.ageUnit } }),
        identifiers: d.identifiers.filter((i) => i.value.trim()).map((i) => ({ system: i.system, value: i.value.trim() })),
        village: d.village.trim(), motherName: d.motherName.trim(), phone: d.phone.trim(),
      },
      specialty: d.specialty, urgency: d.urgency, question: d.question.trim(), history: d.history.trim(),
      consent: { how: d.consentHow, by: d.consentBy.trim(), at: d.consentAt || at, note: d.consentNote.trim() },
      to: d.to ? [d.to] : [], facility,
    },
  };
}

// ── kept on this device ──

export const drafts = signal<Draft[]>([]);

export async function loadDrafts(owner: string): Promise<void> {
  try {
    const all = await (await db()).getAll('drafts');
    drafts.value = all.filter((d) => d.owner === owner).sort((a, b) => b.savedAt - a.savedAt);
  } catch { drafts.value = []; }
}

export async function getDraft(id: string): Promise<Draft | undefined> {
  try { return await (await db()).get('drafts', id); } catch { return undefined; }
}

let writing = Promise.resolve(true);

/** Writes in the order of the calls; resolves to false when the device refused (full, private browsing). */
export function saveDraft(d: Draft): Promise<boolean> {
  const others = drafts.value.filter((x) => x.id !== d.id);
  drafts.value = [d, ...others];
  writing = writing.then(async () => {
    try { await (await db()).put('drafts', d); return true; } catch { return false; }
  });
  return writing;
}

export function removeDraft(id: string): Promise<boolean> {
  drafts.value = drafts.value.filter((x) => x.id !== id);
  writing = writing.then(async () => {
    try { await (await db()).delete('drafts', id); return true; } catch { return false; }
  });
  return writing;
}
