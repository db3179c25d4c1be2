// The page of somebody invited to a call, who has no account: who invites, one
// button, the waiting room, the call. It knows nothing else of Sira.
import { useEffect, useState } from 'preact/hooks';
import { json, Problem } from '../api';
import { Session } from '../call';
import { lang, t } from '../i18n';
import { exact } from '../lib/time';
import { w } from './words';
import './guest.css';

interface Invitation { by: string; facility: string; name: string; until: string; open: boolean }
type End = { code: string; message: string };
const inside = 'sira.guest'; // this tab was in the call: a reload goes on with it

/** Some messengers open links in a browser of their own that has no microphone: there the link is not used up. */
const able = (): boolean => !!navigator.mediaDevices?.getUserMedia;
const textOf = (err: unknown): string => (err instanceof Problem && !err.offline ? err.text : w('offline'));
const stored = (yes?: boolean): boolean => {
  try {
    if (yes !== undefined) sessionStorage.setItem(inside, yes ? '1' : '');
    return sessionStorage.getItem(inside) === '1';
  } catch { return false; } // private browsing: « Entrer » once more
};

/** Why the server lets us in no more; undefined: it does, or cannot be reached. */
async function refused(): Promise<End | undefined> {
  try { await json('GET', '/api/guest/session'); } catch (err) {
    if (err instanceof Problem && err.status >= 400 && err.status < 500 && err.status !== 429) return { code: err.code, message: err.text };
  }
  return undefined;
}

export default function Guest() {
  void lang.value;
  const secret = location.hash.slice(1);
  const [seen, setSeen] = useState<Invitation>();
  const [bad, setBad] = useState<{ text: string; retry: boolean }>();
  const [round, setRound] = useState(0); // above 0: in, or at the door
  const [end, setEnd] = useState<End | 'left'>();
  const [busy, setBusy] = useState(false);
  const fail = (err: unknown) => setBad({ text: textOf(err), retry: !(err instanceof Problem) || err.offline || err.status >= 429 });
  const look = () => {
    setBad(undefined);
    const asked = secret ? json<Invitation>('POST', '/api/guest/invitation', { secret }) : json<Invitation>('GET', '/api/guest/session');
    asked.then((i) => { setSeen(i); if (i.open && stored()) setRound(1); }, fail);
  };
  useEffect(look, []);
  useEffect(() => { document.title = `${t('title.guest')} · Sira`; }, [lang.value]);
  const enter = async () => {
    if (busy) return;
    setBusy(true);
    setBad(undefined);
    try {
      if (!seen!.open) setSeen(await json<Invitation>('POST', '/api/guest/session', { secret }));
      stored(true);
      setEnd(undefined);
      setRound((n) => n + 1);
    } catch (err) { fail(err); } finally { setBusy(false); }
  };
  if (round && !end) {
    const ended = (err?: End) => { stored(false); setEnd(err ?? 'left'); };
    return <main id="main" class="guest in" data-testid="guest-in"><Session key={round} caseId="" guest={{ refused, ended }} onClose={() => ended()} onAgain={() => setRound(round + 1)} /></main>;
  }
  return (
    <main id="main" class="guest" data-testid="guest">
      <p class="guest-brand"><svg viewBox="0 0 32 32" width="36" height="36" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#0b4f4a" /><path d="M5 18h5l3-9 5 15 3-9 1.6 3H27" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" /></svg> Sira</p>
      {end ? <Over end={end} busy={busy} onAgain={() => void enter()} />
        : bad && !bad.retry ? <><h1>{w('sorry')}</h1><p class="guest-text" role="alert" data-testid="guest-problem">{bad.text}</p></>
          : !seen && !bad ? <p class="guest-text" role="status">{w('reading')}</p>
            : seen && (
              <>
                <h1 data-testid="guest-by">{w('invites', { who: seen.by })}</h1>
                {seen.facility && <p class="muted">{seen.facility}</p>}
                {able() || seen.open
                  ? <><p class="guest-text">{w('ask')}</p><p class="guest-text">{w('wait')}</p></>
                  : <p class="guest-text" role="alert" data-testid="guest-unable">{w('noMedia')}</p>}
                {(able() || seen.open) && <button type="button" class="btn main guest-enter" data-testid="guest-enter" aria-disabled={busy} onClick={() => void enter()}>{w('enter')}</button>}
                <p class="muted">{w('as', { name: seen.name })}</p>
                <p class="muted">{w('once', { until: exact(seen.until) })}</p>
              </>)}
      {bad?.retry && <p class="guest-text" role="alert" data-testid="guest-problem">{bad.text} {!seen && <button type="button" class="btn big" onClick={look}>{w('retry')}</button>}</p>}
    </main>
  );
}

/** The call is over for this person: some may come back to the door, some may not. */
function Over({ end, busy, onAgain }: { end: End | 'left'; busy: boolean; onAgain: () => void }) {
  const again = end === 'left' || ['alone', 'room-full', 'waiting-full', 'replaced'].includes(end.code);
  const text = end === 'left' ? w('left') : end.code === 'replaced' ? w('elsewhere') : end.code === 'forbidden' ? w('expired') : end.message || w('ended');
  return (
    <>
      <h1>{w('over')}</h1>
      <p class="guest-text" role="alert" data-testid="guest-over" data-code={end === 'left' ? 'left' : end.code}>{text}</p>
      {again && <button type="button" class="btn main guest-enter" data-testid="guest-again" aria-disabled={busy} onClick={onAgain}>{w('again')}</button>}
    </>
  );
}
