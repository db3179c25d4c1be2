import { Problem } from '../api';
import type { Intake } from '../types';

/** Asks until the server has sorted a received file; live news may end it earlier (then wanted() turns false or end is harmless). */
export function follow(id: string, ask: (id: string) => Promise<Intake>, end: (r: Intake | Problem) => void, wanted: () => boolean): void {
  let wait = 700;
  const again = () => { setTimeout(step, wait); wait = Math.min(wait * 1.6, 15_000); };
  const step = async () => {
    if (!wanted()) return;
    try {
      const intake = await ask(id);
      if (intake.state === 'done') end(intake);
      else again();
    } catch (err) {
      if (err instanceof Problem && (err.status === 404 || err.status === 403) && wait > 6000) end(err);
      else again();
    }
  };
  setTimeout(step, 300);
}
