// The list of cases and what each asks of me.
import { signal } from '@preact/signals';
import { api, Problem } from '../api';
import type { CaseSummary, Me } from '../types';
import { fold } from '../lib/text';
import { cache } from './db';
import { atDoor } from './door';
import { onLive } from './live';
import { me } from './session';

export type Tab = 'todo' | 'waiting' | 'answered' | 'closed';
export const tabs: Tab[] = ['todo', 'waiting', 'answered', 'closed'];

export type Expectation = 'triage' | 'opinion' | 'clarify' | 'readOpinion' | 'awaitTriage' | 'awaitOpinion' | 'awaitClarification' | 'answered' | 'closed' | 'cancelled';

/** What a case asks of this person. */
export function expectation(c: CaseSummary, user: Pick<Me, 'id' | 'role'>): Expectation {
  if (c.status === 'closed') return 'closed';
  if (c.status === 'cancelled') return 'cancelled';
  const mine = c.clinician?.id === user.id;
  const expert = c.assignees.some((a) => a.id === user.id);
  switch (c.status) {
    case 'submitted': return user.role === 'dispatcher' && !mine ? 'triage' : 'awaitTriage';
    case 'assigned': return expert ? 'opinion' : 'awaitOpinion';
    case 'clarification': return mine ? 'clarify' : 'awaitClarification';
    default: return mine && c.unread > 0 ? 'readOpinion' : 'answered';
  }
}

export function tabOf(e: Expectation): Tab {
  switch (e) {
    case 'triage': case 'opinion': case 'clarify': case 'readOpinion': return 'todo';
    case 'awaitTriage': case 'awaitOpinion': case 'awaitClarification': return 'waiting';
    case 'answered': return 'answered';
    default: return 'closed';
  }
}

/** Open work by urgency, then the oldest first; what is done, the newest first. */
export function order(list: CaseSummary[], tab: Tab): CaseSummary[] {
  const copy = [...list];
  if (tab === 'todo' || tab === 'waiting') {
    return copy.sort((a, b) => a.urgency.localeCompare(b.urgency) || Date.parse(a.openedAt) - Date.parse(b.openedAt));
  }
  return copy.sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
}

/** Ids of cases whose patient bears the name of another patient in the list (told apart by sex and age). */
export function homonyms(list: CaseSummary[]): Set<string> {
  const byName = new Map<string, CaseSummary[]>();
  for (const c of list) {
    const key = fold(c.patient.name).split(' ').sort().join(' ');
    byName.set(key, [...(byName.get(key) ?? []), c]);
  }
  const who = (c: CaseSummary) => `${c.patient.sex}/${c.patient.birthDate ?? ''}/${c.patient.age?.value ?? ''}${c.patient.age?.unit ?? ''}`;
  const out = new Set<string>();
  for (const group of byName.values()) {
    if (new Set(group.map(who)).size > 1) for (const c of group) out.add(c.id);
  }
  return out;
}

export const cases = signal<CaseSummary[] | undefined>(undefined);
/** When the shown list was received; older than the link being up means it is a kept one. */
export const casesAt = signal(0);
export const fromDevice = signal(false);
export const listProblem = signal<Problem | undefined>(undefined);

let loading: Promise<void> | undefined;
let stale = false;

export function loadCases(): Promise<void> {
  if (loading) { stale = true; return loading; }
  const user = me.value;
  if (!user) return Promise.resolve();
  loading = (async () => {
    if (!cases.value) {
      const kept = await cache.get<CaseSummary[]>(`cases:${user.id}`);
      if (kept && !cases.value) { cases.value = kept.value; casesAt.value = kept.at; fromDevice.value = true; }
    }
    do {
      stale = false;
      try {
        const list = await api.cases();
        cases.value = list;
        for (const c of list) atDoor(c.id, c.waiting);
        casesAt.value = Date.now();
        fromDevice.value = false;
        listProblem.value = undefined;
        void cache.put(`cases:${user.id}`, list);
      } catch (err) {
        if (err instanceof Problem) { listProblem.value = err; if (err.offline) fromDevice.value = true; }
      }
    } while (stale && !listProblem.value);
  })().finally(() => { loading = undefined; });
  return loading;
}

export function forgetCases(): void {
  cases.value = undefined;
  fromDevice.value = false;
  listProblem.value = undefined;
}

export function watchCases(): void {
  let timer = 0;
  onLive((m) => {
    if (!me.value) return;
    if (m.type === 'case' || m.type === 'refresh') {
      clearTimeout(timer); // a burst of news is one question to the server
      timer = window.setTimeout(() => void loadCases(), m.type === 'case' ? 250 : 0);
    } else if (m.type === 'guests') {
      atDoor(m.caseId, m.waiting);
    } else if (m.type === 'call' && cases.value) {
      cases.value = cases.value.map((c) => (c.id === m.caseId ? { ...c, callParticipants: m.participants } : c));
    }
  });
}
