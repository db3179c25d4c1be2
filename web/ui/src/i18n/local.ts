// Words that only one lazily loaded part of the interface needs travel with it.
import { fill, frenchSpaces, lang } from './index';

type Words<K extends string> = { fr: Record<K, string>; en: Record<K, string>; bm: Partial<Record<K, string>> };

/** A t() for the words of one part; an empty or missing word falls back to French. */
export function local<K extends string>(words: Words<K>): (key: K, params?: Record<string, string | number>) => string {
  const french = Object.fromEntries(Object.entries<string>(words.fr).map(([k, v]) => [k, frenchSpaces(v)])) as Record<K, string>;
  const tables: Record<string, Partial<Record<K, string>>> = { fr: french, en: words.en, bm: words.bm };
  return (key, params) => {
    const l = lang.value;
    return fill(tables[l]?.[key] || french[key], params, l);
  };
}
