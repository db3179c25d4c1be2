// One open case: kept copy first, then the server's, then each change as it comes.
import { signal, type Signal } from '@preact/signals';
import { api, Problem } from '../api';
import { uuid } from '../lib/uuid';
import { cache } from '../state/db';
import { atDoor } from '../state/door';
import { onLive } from '../state/live';
import { enqueue, onSent } from '../state/outbox';
import { me } from '../state/session';
import { loadCases } from '../state/cases';
import type { Case, NewEvent, TimelineItem } from '../types';

export interface OpenCase {
  data: Signal<Case | undefined>;
  keptAt: Signal<number>;          // when the shown copy was received, if it comes from this device; else 0
  problem: Signal<Problem | undefined>;
  fresh: Signal<Set<string>>;      // ids of what is new since my last visit
  reload: () => Promise<void>;
  close: () => void;
}

/** The last n items of the story that others wrote. */
export function unseen(timeline: TimelineItem[], n: number, mine: string): Set<string> {
  const out = new Set<string>();
  for (let i = timeline.length - 1; i >= 0 && n > 0; i--) {
    const item = timeline[i]!;
    if (item.by?.id === mine) continue;
    out.add(item.id);
    n -= item.count ?? 1;
  }
  return out;
}

export function openCase(id: string): OpenCase {
  const data = signal<Case | undefined>(undefined);
  const keptAt = signal(0), problem = signal<Problem | undefined>(undefined), fresh = signal(new Set<string>());
  const user = me.value!.id, key = `case:${user}:${id}`;
  let alive = true, busy = false, again = false, timer = 0;

  const take = (c: Case) => {
    if (data.value && c.seq < data.value.seq) return; // an older answer that came late
    if (c.unread > 0) fresh.value = new Set([...fresh.value, ...unseen(c.timeline, c.unread, user)]);
    data.value = c;
    atDoor(id, c.waiting);
    keptAt.value = 0;
    problem.value = undefined;
    void cache.put(key, c);
    seen();
  };
  const seen = () => {
    const c = data.value;
    if (!c || !alive || document.hidden || !c.unread || keptAt.value) return;
    api.read(id, c.seq).then(() => { if (data.value) data.value = { ...data.value, unread: 0 }; void loadCases(); }, () => {});
  };
  const reload = async (): Promise<void> => {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      try { const c = await api.case(id); if (alive) take(c); } catch (err) {
        if (!alive) return;
        if (err instanceof Problem) {
          problem.value = err;
          if (err.status === 404 || err.status === 403) { data.value = undefined; void cache.put(key, undefined); }
        }
      }
    } while (again && alive);
    busy = false;
  };
  const soon = () => { clearTimeout(timer); timer = window.setTimeout(() => void reload(), 200); };

  void cache.get<Case>(key).then((kept) => {
    if (alive && kept?.value && !data.value && !problem.value) { data.value = kept.value; keptAt.value = kept.at; }
    else if (alive && kept?.value && !data.value && problem.value?.offline) { data.value = kept.value; keptAt.value = kept.at; }
  });
  void reload();
  const offLive = onLive((m) => {
    if (m.type === 'case' && m.id === id && m.seq !== data.value?.seq) soon();
    else if (m.type === 'refresh') soon();
    else if (m.type === 'intake' && m.intake.caseId === id && m.intake.state === 'done') soon();
    else if (m.type === 'call' && m.caseId === id && data.value) data.value = { ...data.value, callParticipants: m.participants };
  });
  const offSent = onSent((item, result) => { if (item.caseId === id) take(result); });
  const onVisible = () => { if (!document.hidden) seen(); };
  document.addEventListener('visibilitychange', onVisible);
  return {
    data, keptAt, problem, fresh, reload,
    close: () => { alive = false; clearTimeout(timer); offLive(); offSent(); document.removeEventListener('visibilitychange', onVisible); },
  };
}

export const event = (type: string, data: unknown, id = uuid()): NewEvent => ({ id, type, at: new Date().toISOString(), data });

/** A message leaves now or later, by itself. */
export function postText(caseId: string, type: string, text: string): Promise<void> {
  const e = event(type, { text });
  return enqueue({ id: e.id, owner: me.value!.id, caseId, kind: 'text', events: [e], createdAt: Date.now(), tries: 0 });
}
