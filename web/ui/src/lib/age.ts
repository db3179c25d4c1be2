import type { Age, PatientBrief } from '../types';

/** Age on a day from a birth date: YYYY, YYYY-MM or YYYY-MM-DD (YYYYMMDD too). Null when unreadable or in the future. */
export function ageOn(birth: string, now: Date): Age | null {
  const m = /^(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?$/.exec(birth.trim());
  if (!m) return null;
  const year = Number(m[1]);
  if (!m[2]) return year <= now.getFullYear() ? { value: now.getFullYear() - year, unit: 'Y' } : null;
  const born = new Date(year, Number(m[2]) - 1, Number(m[3] ?? 1));
  if (born > now) return null;
  let months = (now.getFullYear() - born.getFullYear()) * 12 + now.getMonth() - born.getMonth();
  if (now.getDate() < born.getDate()) months--;
  if (months >= 24) return { value: Math.floor(months / 12), unit: 'Y' };
  if (months >= 1) return { value: months, unit: 'M' };
  return { value: Math.floor((Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())
    - Date.UTC(born.getFullYear(), born.getMonth(), born.getDate())) / 86_400_000), unit: 'D' };
}

const short = { fr: { Y: 'a', M: 'm', D: 'j' }, en: { Y: 'y', M: 'm', D: 'd' } };
const long = {
  fr: { Y: ['an', 'ans'], M: ['mois', 'mois'], D: ['jour', 'jours'] },
  en: { Y: ['year', 'years'], M: ['month', 'months'], D: ['day', 'days'] },
};

export function formatAge(age: Age | null | undefined, lang = 'fr', style: 'short' | 'long' = 'short'): string {
  if (!age) return '';
  const l = lang === 'en' ? 'en' : 'fr';
  if (style === 'short') return `${age.value}\u00a0${short[l][age.unit]}`;
  const plural = l === 'en' ? age.value !== 1 : age.value >= 2;
  return `${age.value}\u00a0${long[l][age.unit][plural ? 1 : 0]}`;
}

export function patientAge(p: PatientBrief, now: Date): Age | null {
  return p.birthDate ? ageOn(p.birthDate, now) ?? p.age ?? null : p.age ?? null;
}

/** "F 31 a": sex and age as they are written on a ward list. */
export function sexAge(p: PatientBrief, now: Date, lang = 'fr'): string {
  const sex = p.sex === 'M' && lang !== 'en' ? 'H' : p.sex === 'F' || p.sex === 'M' ? p.sex : '';
  return [sex, formatAge(patientAge(p, now), lang)].filter(Boolean).join('\u00a0');
}
