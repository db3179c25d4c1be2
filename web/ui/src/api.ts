// The one way to the server: JSON in, JSON out, every failure a Problem.
import { signal } from '@preact/signals';
import { t, tMaybe, lang } from './i18n';
import type { AccessEntry, Case, CaseSummary, Directory, Display, Intake, Me, NewEvent, SeriesManifest, Waveform } from './types';

/** Code 'offline': no answer came; whether the server acted is unknown, so only repeat what is idempotent. */
export class Problem extends Error {
  constructor(readonly code: string, readonly status: number, readonly title: string, readonly detail: string,
    readonly extra: Record<string, unknown> = {}, readonly retryAfter = 0) {
    super(`${code} (${status})`);
  }
  get offline(): boolean { return this.status === 0; }
  /** What to show: our own words for a known code, else the server's French. */
  get text(): string {
    const known = tMaybe(`error.${this.code}`, { s: this.retryAfter || 60 });
    if (lang.value === 'fr' && this.detail && this.status !== 0) return known ?? this.detail;
    return known ?? (this.detail || this.title || t('error.unknown'));
  }
}

export const problemText = (err: unknown): string => (err instanceof Problem ? err.text : t('error.unknown'));

/** Last known state of the link, judged by answers, not by navigator.onLine (which stays true when a server dies). */
export const reachable = signal(true);
/** Called when the session is no longer valid. Set by state/session. */
export const hooks = { unauthorized: () => {} };

export async function problemOf(res: Response): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try { body = await res.json(); } catch { /* a proxy's page, or nothing */ }
  const code = typeof body.code === 'string' ? body.code : `http-${res.status}`;
  return new Problem(code, res.status, String(body.title ?? ''), String(body.detail ?? ''), body, Number(res.headers.get('Retry-After')) || 0);
}

export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal, timeoutMs = 45_000): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const onAbort = () => timeout.abort();
  signal?.addEventListener('abort', onAbort);
  try {
    const res = await fetch(path, {
      method, credentials: 'same-origin', signal: timeout.signal,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    reachable.value = res.status < 502 || res.status > 504;
    if (!res.ok) {
      const problem = await problemOf(res);
      if (res.status === 401 && problem.code !== 'bad-credentials') hooks.unauthorized();
      throw problem;
    }
    return res;
  } catch (err) {
    if (err instanceof Problem) throw err;
    if (signal?.aborted) throw err;
    reachable.value = false;
    throw new Problem('offline', 0, '', '');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

export async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const res = await send(method, path, body, signal);
  if (res.status === 204) return undefined as T;
  return (await res.json()) as T;
}

export const id = encodeURIComponent;

/** Empty lists may come as null: every list is a list from here on. */
export function wholeCase(c: Case): Case {
  return {
    ...c, assignees: c.assignees ?? [], participants: c.participants ?? [], messages: c.messages ?? [], opinions: c.opinions ?? [],
    timeline: c.timeline ?? [], files: c.files ?? [], series: c.series ?? [], keyImages: c.keyImages ?? [], can: c.can ?? [],
    callParticipants: c.callParticipants ?? 0, unread: c.unread ?? 0,
  };
}

export const api = {
  login: (login: string, password: string) => json<{ user: Me }>('POST', '/api/session', { login, password }),
  session: () => json<{ user: Me }>('GET', '/api/session'),
  logout: () => json<void>('DELETE', '/api/session'),
  directory: () => json<Directory>('GET', '/api/directory'),
  cases: async (query = '') => ((await json<{ cases: CaseSummary[] | null }>('GET', '/api/cases' + (query ? `?q=${id(query)}` : ''))).cases ?? [])
    .map((c) => ({ ...c, assignees: c.assignees ?? [], unread: c.unread ?? 0 })),
  case: async (caseId: string) => wholeCase(await json<Case>('GET', `/api/cases/${id(caseId)}`)),
  postEvents: async (caseId: string, events: NewEvent[]) =>
    wholeCase((await json<{ case: Case }>('POST', `/api/cases/${id(caseId)}/events`, { events })).case),
  read: (caseId: string, seq: number) => json<void>('PUT', `/api/cases/${id(caseId)}/read`, { seq }),
  access: async (caseId: string) => (await json<{ entries: AccessEntry[] | null }>('GET', `/api/cases/${id(caseId)}/access`)).entries ?? [],
  series: (caseId: string, uid: string) => json<SeriesManifest>('GET', `/api/cases/${id(caseId)}/series/${id(uid)}`),
  display: (caseId: string, sop: string, n: number) => json<Display>('GET', `/api/cases/${id(caseId)}/instances/${id(sop)}/frames/${n}/display`),
  waveform: (caseId: string, sop: string) => json<Waveform>('GET', `/api/cases/${id(caseId)}/instances/${id(sop)}/waveform`),
  fileWaveform: (caseId: string, aid: string) => json<Waveform>('GET', `/api/cases/${id(caseId)}/attachments/${id(aid)}/waveform`),
  trayCount: () => json<{ studies: number; quarantined: number }>('GET', '/api/tray/count'),
  intake: (uploadId: string) => json<Intake>('GET', `/api/intake/${id(uploadId)}`),
};

export const urls = {
  attachment: (caseId: string, aid: string) => `/api/cases/${id(caseId)}/attachments/${id(aid)}`,
  frame: (caseId: string, sop: string, n: number, reduce: number) =>
    `/api/cases/${id(caseId)}/instances/${id(sop)}/frames/${n}${reduce ? `?reduce=${reduce}` : ''}`,
  original: (caseId: string, sop: string) => `/api/cases/${id(caseId)}/instances/${id(sop)}/file`,
  instanceThumbnail: (caseId: string, sop: string) => `/api/cases/${id(caseId)}/instances/${id(sop)}/thumbnail`,
  document: (caseId: string, sop: string) => `/api/cases/${id(caseId)}/instances/${id(sop)}/document`,
  socket: (path: string) => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`,
};
