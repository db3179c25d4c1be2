// A connection that stands ready while the page shows a call that somebody is
// in: then a click is followed by voice after one way there and back. Nothing
// is sent or received over it before.
import { id as part } from '../api';
import { Call } from './client';

const forMs = 170_000; // the server keeps it three minutes
let kept: { caseId: string; call: Call; timer: number } | undefined;

/** Connects, unless there is one for that call. */
export function standReady(caseId: string): void {
  if (kept?.caseId === caseId && !kept.call.dead) return;
  letGo();
  kept = { caseId, call: new Call(`/api/calls/${part(caseId)}`, {}, () => {}, () => {}, undefined, true), timer: window.setTimeout(letGo, forMs) };
}

/** The one for that call, which is the caller's from now on. */
export function takeReady(caseId: string): Call | undefined {
  const k = kept;
  if (!k || k.caseId !== caseId) { letGo(); return undefined; }
  clearTimeout(k.timer);
  kept = undefined;
  return k.call;
}

export function letGo(): void {
  if (!kept) return;
  clearTimeout(kept.timer);
  kept.call.close();
  kept = undefined;
}
