// How many studies from devices wait for this person, and conflicts for those who look after them.
import { signal } from '@preact/signals';
import { api } from '../api';
import type { Me } from '../types';
import { onLive } from './live';
import { me } from './session';

export const waiting = signal({ studies: 0, quarantined: 0 });

/** Who has a tray at all; whose devices' is the server's decision. */
export const hasTray = (user: Pick<Me, 'role'>): boolean => user.role === 'clinician' || user.role === 'dispatcher' || user.role === 'admin';
export const hasQuarantine = (user: Pick<Me, 'role'>): boolean => user.role === 'dispatcher' || user.role === 'admin';

export async function countWaiting(): Promise<void> {
  const user = me.value;
  if (!user || !hasTray(user)) { waiting.value = { studies: 0, quarantined: 0 }; return; }
  try {
    const n = await api.trayCount();
    if (me.value?.id === user.id) waiting.value = n;
  } catch { /* the last number stays; the next news asks again */ }
}

export function watchTray(): void {
  let timer = 0;
  onLive((m) => {
    if (m.type !== 'tray' && m.type !== 'quarantine' && m.type !== 'refresh') return;
    clearTimeout(timer); // a series is many pieces of news and one question
    timer = window.setTimeout(() => void countWaiting(), 300);
  });
}
