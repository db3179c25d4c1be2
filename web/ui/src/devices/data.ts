// What devices sent, as the server tells it, and how its patient compares with a case's.
import { id, json } from '../api';
import { dicomDate, dicomName, fold } from '../lib/text';
import type { CaseSummary, Me, Person } from '../types';

export interface TrayStudy {
  studyUID: string; device: string; facility: string; patient: { name: string; id: string; sex: string; birthDate: string };
  modalities: string[]; description: string; studyDate: string; accession: string; instances: number; size: number;
  firstAt: string; lastAt: string; reason: string;
}
export interface Difference { field: string; known: string; received: string }
export interface Held {
  id: string; sopUID: string; studyUID: string; modality: string; device?: string; remote?: string; by: Person;
  firstAt: string; lastAt: string; times: number; differs: Difference[];
}

export const devicesApi = {
  tray: async () => (await json<{ studies: TrayStudy[] | null }>('GET', '/api/tray')).studies ?? [],
  attach: (study: string, caseId: string, confirm: boolean) => json<{ instances: number }>('POST', `/api/tray/${id(study)}/attach`, { caseId, confirm }),
  discard: (study: string) => json<void>('DELETE', `/api/tray/${id(study)}`),
  thumbnail: (study: string) => `/api/tray/${id(study)}/thumbnail`,
  quarantine: async () => (await json<{ entries: Held[] | null }>('GET', '/api/quarantine')).entries ?? [],
  drop: (entry: string) => json<void>('DELETE', `/api/quarantine/${id(entry)}`),
};

export type Verdict = 'same' | 'differs' | 'unknown';

const words = (name: string) => fold(name).replace(/['’]/g, '').split(/[^\p{L}]+/u).filter(Boolean);

/** A hint for the eye, line by line; whether the two contradict each other is the server's decision. */
export function compareName(device: string, ours: string): Verdict {
  const a = words(dicomName(device)), b = words(ours);
  if (!a.length || !b.length) return 'unknown';
  return a.some((x) => b.includes(x)) ? 'same' : 'differs';
}
export function compareSex(device: string, ours: string): Verdict {
  const known = (s: string) => s === 'M' || s === 'F';
  return known(device) && known(ours) ? (device === ours ? 'same' : 'differs') : 'unknown';
}
export function compareBirth(device: string, ours: string | undefined): Verdict {
  const a = dicomDate(device);
  return a && ours?.length === 10 ? (a === ours ? 'same' : 'differs') : 'unknown';
}

const open = new Set(['submitted', 'assigned', 'clarification', 'answered']);

/** The cases to which this person may attach a study: those of the patient's likely name first. */
export function candidates(list: CaseSummary[], user: Pick<Me, 'id' | 'role' | 'specialties'>, study: TrayStudy): CaseSummary[] {
  const mine = list.filter((c) => open.has(c.status) && (c.clinician?.id === user.id || (user.role === 'dispatcher' && user.specialties.includes(c.specialty))));
  const rank = (c: CaseSummary) => (c.number === study.accession.trim().toUpperCase() ? 0 : compareName(study.patient.name, c.patient.name) === 'same' ? 1 : 2);
  return mine.sort((a, b) => rank(a) - rank(b) || Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
}
