import { useEffect } from 'preact/hooks';
import { calling } from '../state/calling';

const lookAgain = 5000; // ms

/** Where somebody is in a call that may be joined from here, the connection is made before the click, and again when it has expired and somebody is at the page. */
export function useReady(caseId: string, wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    let over = false, last = 0;
    const look = () => {
      if (document.visibilityState !== 'visible' || !navigator.onLine || Date.now() - last < lookAgain) return;
      last = Date.now();
      void import('../call').then((m) => { if (!over) m.standReady(caseId); }, () => {});
    };
    const signs = ['pointermove', 'pointerdown', 'keydown', 'visibilitychange'] as const;
    look();
    for (const s of signs) document.addEventListener(s, look, { passive: true });
    return () => {
      over = true;
      for (const s of signs) document.removeEventListener(s, look);
      if (calling.value !== caseId) void import('../call').then((m) => m.letGo(), () => {});
    };
  }, [caseId, wanted]);
}
