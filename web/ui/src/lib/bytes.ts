import { lang } from '../i18n';

/** Bytes in units of 1000, as links are counted: "312 o", "14,1 Mo". */
export function bytes(n: number): string {
  const unit = lang.value === 'en' ? 'B' : 'o';
  if (n < 1000) return `${Math.round(n)}\u00a0${unit}`;
  let value = n / 1000, i = 0;
  while (value >= 999.5 && i < 3) { value /= 1000; i++; }
  const text = value.toFixed(value < 9.95 && i > 0 ? 1 : 0);
  return `${lang.value === 'en' ? text : text.replace('.', ',')}\u00a0${'kMGT'[i]}${unit}`;
}

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`;
