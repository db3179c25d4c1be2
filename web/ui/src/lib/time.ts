import { lang, t } from '../i18n';

const locale = () => (lang.value === 'en' ? 'en-GB' : 'fr-FR');

export function clock(at: Date): string {
  return at.toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' });
}

export function exact(at: string | Date): string {
  return new Date(at).toLocaleString(locale(), { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}

export function day(iso: string): string {
  const d = new Date(iso + (iso.length === 10 ? 'T12:00:00' : ''));
  return isNaN(+d) ? iso : d.toLocaleDateString(locale(), { day: '2-digit', month: '2-digit', year: 'numeric' });
}

const daysApart = (a: Date, b: Date) =>
  Math.round((Date.UTC(a.getFullYear(), a.getMonth(), a.getDate()) - Date.UTC(b.getFullYear(), b.getMonth(), b.getDate())) / 86_400_000);

/** "il y a 12 min", "hier à 14:05", "12/03/2026": short, for a list. */
export function relative(at: string | Date, now: Date): string {
  const then = new Date(at);
  const minutes = Math.floor((+now - +then) / 60_000);
  if (minutes < 1) return t('time.now');
  if (minutes < 60) return t('time.minutesAgo', { n: minutes });
  const days = daysApart(now, then);
  if (days === 0) return minutes < 360 ? t('time.hoursAgo', { n: Math.floor(minutes / 60) }) : t('time.todayAt', { at: clock(then) });
  if (days === 1) return t('time.yesterdayAt', { at: clock(then) });
  return day(then.toISOString());
}

/** A length of time in words of at most two units: "48 min", "2 h 05", "3 j". Minutes ≥ 0. */
export function duration(minutes: number): string {
  return inWords(minutes).replace(/ /g, '\u00a0'); // never broken over two lines
}

function inWords(minutes: number): string {
  const m = Math.max(0, Math.round(minutes));
  if (m < 60) return t('time.min', { n: m });
  if (m < 48 * 60) return m % 60 ? t('time.hmin', { h: Math.floor(m / 60), m: String(m % 60).padStart(2, '0') }) : t('time.h', { n: m / 60 });
  return t('time.d', { n: Math.round(m / 1440) });
}

/** Due time as said: "avant 14:20 (48 min)", "demain 9:10", "en retard de 2 h". */
export function due(at: string, now: Date): { text: string; late: boolean; soon: boolean } {
  const then = new Date(at);
  const minutes = (+then - +now) / 60_000;
  if (minutes < 0) return { text: t('due.late', { d: duration(-minutes) }), late: true, soon: true };
  const days = daysApart(then, now);
  const when = days === 0 ? clock(then) : days === 1 ? t('due.tomorrow', { at: clock(then) })
    : then.toLocaleString(locale(), { weekday: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
  return { text: t('due.before', { at: when, d: duration(minutes) }), late: false, soon: minutes < 60 };
}

/** Seconds left of a transfer: "40 s", "12 min", "2 h 05". */
export function left(seconds: number): string {
  if (!isFinite(seconds)) return '…';
  return seconds < 90 ? t('time.s', { n: Math.max(1, Math.round(seconds)) }) : duration(seconds / 60);
}
