// What leaves a case: the shapes of its API, and rectangles on images.
import { send } from '../api';

export type Mode = 'full' | 'anonymous';
export type Box = [x: number, y: number, width: number, height: number];
export interface Sight { sop: string; seriesUID: string; modality: string; rows: number; cols: number; frames: number; masks: Box[]; warnings: string[] }
export interface Left { attachment: string; sop?: string; name: string; modality?: string; reason: string }
export interface Survey {
  mode: Mode; objects: number; others: number; bytes: number; opinions: number; keyImages: number; faces: number;
  left: Left[]; look: Sight[]; recipients: string[];
}
export interface Options { dates: 'removed' | 'shifted' | 'kept'; patient: boolean; device: boolean; institution: boolean; descriptions: boolean }
export interface Order { mode: Mode; recipient: string; purpose?: string; options?: Options; looked?: { sop: string; masks: Box[] }[]; exclude?: string[] }
export interface Ready { id: string; file: string; status: string; bytes: number }
export interface Progress { state: 'waiting' | 'running' | 'done' | 'interrupted'; sent: number; done: number; total: number }

const id = encodeURIComponent;
// Thousands of slices are read before the answer.
const patience = 300_000;
export const survey = async (caseId: string, mode: Mode) => (await (await send('GET', `/api/cases/${id(caseId)}/export?mode=${mode}`, undefined, undefined, patience)).json()) as Survey;
export const order = async (caseId: string, o: Order) => (await (await send('POST', `/api/cases/${id(caseId)}/exports`, o, undefined, patience)).json()) as Ready;
export const progress = async (url: string) => (await (await send('GET', url)).json()) as Progress;
export const picture = (caseId: string, sop: string, frame: number) => `/api/cases/${id(caseId)}/instances/${id(sop)}/frames/${frame}/picture?side=800`;

/** Instances that are masked alike and looked at in one go. */
export interface Group { key: string; items: Sight[]; proposed: Box[]; masks: Box[]; seen: Set<string>; state: 'look' | 'seen' | 'out' }

export function groupsOf(look: Sight[]): Group[] {
  const groups = new Map<string, Group>();
  for (const s of look) {
    const key = [s.seriesUID, s.rows, s.cols, JSON.stringify(s.masks)].join('|');
    const g = groups.get(key);
    if (g) g.items.push(s);
    else groups.set(key, { key, items: [s], proposed: s.masks, masks: s.masks.map((m) => [...m] as Box), seen: new Set(), state: 'look' });
  }
  return [...groups.values()];
}

export interface Shot { sop: string; frame: number }
export const shotsOf = (g: Group): Shot[] => g.items.flatMap((i) => Array.from({ length: i.frames }, (_, n) => ({ sop: i.sop, frame: n + 1 })));
export const shotKey = (s: Shot) => `${s.sop}/${s.frame}`;

const inside = (a: Box, b: Box) => a[0] >= b[0] && a[1] >= b[1] && a[0] + a[2] <= b[0] + b[2] && a[1] + a[3] <= b[1] + b[3];
/** Nothing that was hidden shows: what was seen stays seen. */
export const hidesStill = (before: Box[], after: Box[]) => before.every((b) => after.some((a) => inside(b, a)));

/** A box within the image, of at least four pixels a side, in whole pixels. */
export function fit(b: Box, cols: number, rows: number): Box {
  const width = Math.min(Math.max(4, Math.round(b[2])), cols), height = Math.min(Math.max(4, Math.round(b[3])), rows);
  return [Math.min(Math.max(0, Math.round(b[0])), cols - width), Math.min(Math.max(0, Math.round(b[1])), rows - height), width, height];
}

/** How long bytes take on a link of 256 kbit/s. */
export function onLink(bytes: number): string {
  const s = (bytes * 8) / 256_000;
  return s < 90 ? `${Math.max(1, Math.round(s))} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1).replace('.', ',')} h`;
}
