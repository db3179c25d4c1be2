import { signal } from '@preact/signals';

/** The time of day, moving every 20 s: relative times and clocks follow it. */
export const now = signal(new Date());

export function startClock(): void {
  setInterval(() => { now.value = new Date(); }, 20_000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) now.value = new Date(); });
}
