// Guests who wait at the door of a call.
import { signal } from '@preact/signals';
import { json, id } from '../api';
import type { Waiting } from '../types';

export const doors = signal<Record<string, Waiting[]>>({});

export function atDoor(caseId: string, list: Waiting[] | null | undefined): void {
  const next = list ?? [];
  if (next.length || doors.value[caseId]?.length) doors.value = { ...doors.value, [caseId]: next };
}

/** Lets a guest in; or refuses them, or puts them out, for good. */
export const admission = (caseId: string, guest: string, admit: boolean): Promise<void> =>
  json('PUT', `/api/cases/${id(caseId)}/guests/${id(guest)}/admission`, { admit });
