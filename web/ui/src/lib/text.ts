/** Lower case, without accents, spaces collapsed: for searching and for comparing names. */
export function fold(s: string): string {
  return s.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Every word of the query is somewhere in the text. An empty query matches. */
export function matches(text: string, query: string): boolean {
  const t = fold(text);
  return fold(query).split(' ').every((word) => t.includes(word));
}

/** DICOM person name (Family^Given^Middle^Prefix^Suffix, groups by =) as it is said: Given Family. */
export function dicomName(pn: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = pn.split('=')[0]!.split('^').map((s) => s.trim());
  return [prefix, given, middle, family, suffix].filter(Boolean).join(' ');
}

/** DICOM date (YYYYMMDD, or already ISO) as ISO date; '' when it is neither. */
export function dicomDate(da: string): string {
  const m = /^(\d{4})-?(\d{2})-?(\d{2})/.exec(da ?? '');
  return m ? `${m[1]}-${m[2]}-${m[3]}` : '';
}
