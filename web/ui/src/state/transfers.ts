// Files on their way, as the screens see them. The work is done in uploads/engine, loaded when there is any.
import { computed, signal } from '@preact/signals';
import type { IntakeFile } from '../types';
import { totals } from '../lib/queue';
import { db } from './db';
import { me } from './session';

export type TransferState = 'queued' | 'sending' | 'waiting' | 'paused' | 'missing' | 'processing' | 'done' | 'failed';

export interface StoredFile {
  id: string; owner: string; caseId: string; batch: string;
  name: string; path: string; size: number; type: string; modified: number; addedAt: number;
  kept: boolean;            // its bytes are on this device and survive a reload
  state: TransferState;
  sent: number;             // bytes; exact after a resume, ahead by what the system buffers while sending
  url?: string;             // of the upload: it is taken up again at the byte
  results?: IntakeFile[];   // what became of it (several for a ZIP)
  error?: string;           // a sentence for the person
  retryAt?: number;
}

export interface Picked { file: File; path: string }

export const transfers = signal<StoredFile[]>([]);
export const uploadRate = signal(0);
export const allPaused = signal(false);
export const panelOpen = signal(false);

export const transferTotals = computed(() => totals(transfers.value.filter((t) => t.state !== 'done'), uploadRate.value));
export const ofCase = (caseId: string): StoredFile[] => transfers.value.filter((t) => t.caseId === caseId);

const engine = () => import('../uploads/engine');

export async function addFiles(caseId: string, picked: Picked[]): Promise<void> {
  if (picked.length) (await engine()).add(caseId, picked);
}
export const pause = async (id: string) => (await engine()).pause(id);
export const resume = async (id: string) => (await engine()).resume(id);
export const cancel = async (id: string) => (await engine()).cancel(id);
export const clearDone = async () => (await engine()).clearDone();
export const pauseAll = async (on: boolean) => { allPaused.value = on; (await engine()).pump(); };

/** At sign-in: load the engine only when this device holds something to send. */
export async function startTransfers(): Promise<void> {
  try {
    const mine = (await (await db()).getAll('files')).filter((f) => f.owner === me.value?.id);
    if (mine.length) await (await engine()).resumeStored(mine);
  } catch { /* no storage: nothing was kept */ }
}
