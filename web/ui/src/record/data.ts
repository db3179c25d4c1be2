// A call's last minutes as the server tells them, and how looks are joined.
import { id, json } from '../api';
import type { CallSum, Figures } from '../lib/callsum';

export interface Columns {
  at: number[]; estimate: number[]; uplink: number[]; delivered: number[]; up: Record<string, number[]>; down: Record<string, number[]>;
  rttMs: number[]; lossUp: number[]; lossDown: number[]; frozenMs: number[]; height: number[]; cut: number[]; picture: number[];
}
export interface Outage { at: number; ms: number; resumeMs: number; going?: boolean }
export interface Person {
  user: string; name: string; role: string; facility?: string; via?: 'whip' | 'whep'; here: boolean; sign?: 'good' | 'weak' | 'cut';
  joinedAt: string; leftAt?: string; totals: Figures; received?: { width: number; height: number; fps: number }; outages: Outage[]; samples: Columns;
}
export interface View { id: string; startedAt: string; endedAt?: string; at: number; everyMs: number; people: Person[] }
export interface CallLine { id: string; startedAt: string; endedAt?: string; rehearsal: boolean; people: { name: string; role: string; facility?: string; via?: string; sign?: string }[]; sum: CallSum }

export const recordApi = {
  ofCase: (caseId: string, after: number) => json<View>('GET', `/api/calls/${id(caseId)}/record${after ? `?after=${after}` : ''}`),
  ofCall: (call: string, after: number) => json<View>('GET', `/api/admin/calls/${id(call)}${after ? `?after=${after}` : ''}`),
  calls: async () => (await json<{ calls: CallLine[] | null }>('GET', '/api/admin/calls')).calls ?? [],
};

export const shown = 600_000; // ms

const lists = ['estimate', 'uplink', 'delivered', 'rttMs', 'lossUp', 'lossDown', 'frozenMs', 'height', 'cut', 'picture'] as const;

/** A column of zeros comes empty. */
const full = (list: number[] | undefined, n: number): number[] => (list?.length ? list : new Array<number>(n).fill(0));

/** Older looks with newer ones behind them, from a time on. */
export function join(a: Columns, b: Columns, from: number): Columns {
  const n = a.at.length, m = b.at.length, at = [...a.at, ...b.at];
  const drop = at.findIndex((x) => x >= from), cut = drop < 0 ? at.length : drop;
  const both = (x: number[] | undefined, y: number[] | undefined) => [...full(x, n), ...full(y, m)].slice(cut);
  const byName = (x: Record<string, number[]>, y: Record<string, number[]>) => Object.fromEntries([...new Set([...Object.keys(x), ...Object.keys(y)])].map((k) => [k, both(x[k], y[k])]));
  const out = { at: at.slice(cut), up: byName(a.up, b.up), down: byName(a.down, b.down) } as Columns;
  for (const k of lists) out[k] = both(a[k], b[k]);
  return out;
}

const none: Columns = { at: [], estimate: [], uplink: [], delivered: [], up: {}, down: {}, rttMs: [], lossUp: [], lossDown: [], frozenMs: [], height: [], cut: [], picture: [] };
const same = (p: Person, q: Person): boolean => p.user === q.user && p.via === q.via && p.joinedAt === q.joinedAt;

/** The newest view with the looks that are known already. */
export function merge(old: View | undefined, v: View): View {
  const from = v.at - shown, known = old?.id === v.id ? old.people : [];
  return { ...v, people: v.people.map((p) => ({ ...p, samples: join(known.find((q) => same(p, q))?.samples ?? none, p.samples, from) })) };
}

export type Way = 'down' | 'up';

/** What goes to somebody, or comes from them, in all. */
export const sent = (c: Columns, i: number, way: Way = 'down'): number => Object.values(c[way]).reduce((sum, list) => sum + (list[i] ?? 0), 0);

export interface Row { at: number; estimate: number; sent: number; delivered: number; voice: number; rttMs: number; lossUp: number; lossDown: number; frozenMs: number; cut: boolean; picture: number; height: number }

/** Means of ten seconds, the newest first. */
export function rows(c: Columns): Row[] {
  const groups = new Map<number, number[]>();
  c.at.forEach((at, i) => { const g = Math.floor(at / 10_000); groups.set(g, [...(groups.get(g) ?? []), i]); });
  const out: Row[] = [];
  for (const [g, list] of groups) {
    const mean = (of: (i: number) => number) => Math.round(list.reduce((s, i) => s + of(i), 0) / list.length);
    out.unshift({ at: g * 10_000, estimate: mean((i) => c.estimate[i]!), sent: mean((i) => sent(c, i)), delivered: mean((i) => c.delivered[i]!), voice: mean((i) => c.down.voice?.[i] ?? 0), rttMs: mean((i) => c.rttMs[i]!),
      lossUp: mean((i) => c.lossUp[i]!), lossDown: mean((i) => c.lossDown[i]!), frozenMs: list.reduce((s, i) => s + c.frozenMs[i]!, 0), cut: list.some((i) => c.cut[i]! > 0), picture: c.picture[list[list.length - 1]!]!, height: c.height[list[list.length - 1]!]! });
  }
  return out;
}
