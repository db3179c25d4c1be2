import { signal } from '@preact/signals';
import fr from './fr.json';

export type Key = keyof typeof fr;
export type Lang = 'fr' | 'en' | 'bm';
type Table = Partial<Record<string, string>>;

const stored = (): Lang => {
  try {
    const l = localStorage.getItem('sira.lang');
    return l === 'en' || l === 'bm' ? l : 'fr';
  } catch {
    return 'fr';
  }
};

/** French puts a no-break space before its double signs and inside its quotes. */
export function frenchSpaces(s: string): string {
  return s.replace(/ ([:;?!»%])/g, '\u00a0$1').replace(/« /g, '«\u00a0');
}

const french: Table = Object.fromEntries(Object.entries(fr).map(([k, v]) => [k, frenchSpaces(v)]));
const tables: Record<Lang, Table> = { fr: french, en: {}, bm: {} };

export const lang = signal<Lang>('fr');

export async function setLang(next: Lang): Promise<void> {
  if (next === 'en') tables.en = (await import('./en.json')).default;
  if (next === 'bm') tables.bm = (await import('./bm.json')).default;
  lang.value = next;
  if (typeof document !== 'undefined') document.documentElement.lang = next;
  try { localStorage.setItem('sira.lang', next); } catch { /* private browsing: the choice lasts as long as the page */ }
}

/** At start: the stored language, without holding up the page when its table cannot be fetched. */
export async function startLang(): Promise<void> {
  const l = stored();
  if (l !== 'fr') await setLang(l).catch(() => {});
}

/** Fills {name}; "one|many" is chosen by n (French: 0 and 1 are singular). */
export function fill(text: string, params: Record<string, string | number> | undefined, l: Lang): string {
  if (!params) return text;
  const n = params.n;
  if (typeof n === 'number' && text.includes('|')) {
    const [one = '', many = ''] = text.split('|');
    text = (l === 'en' ? n === 1 : Math.abs(n) < 2) ? one : many;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

/** The text for a key in the chosen language; an empty or missing one falls back to French. */
export function t(key: Key, params?: Record<string, string | number>): string {
  const l = lang.value;
  return fill(tables[l][key] || french[key] || key, params, l);
}

/** Same for a key made at run time (a code from the server): undefined when there is none. */
export function tMaybe(key: string, params?: Record<string, string | number>): string | undefined {
  return key in french ? t(key as Key, params) : undefined;
}
