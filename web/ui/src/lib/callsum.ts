// A call in one line: how long, how much of it could be understood, how often it was cut.
import { t } from '../i18n';
import { left } from './time';

export interface CallSum { seconds: number; people: number; voice: number; usable: number; outages: number; outageMs: number; longestMs: number }
/** One person's figures, as the server keeps them. */
export interface Figures {
  seconds: number; voice: number; usable: number; concealedMs: number; freezes: number; frozenMs: number; firstAudioMs: number; firstVideoMs: number;
  rttMs: number; lossUp: number; lossDown: number; estimateKbps: number; leastKbps: number; deliveredKbps: number;
  up: Record<string, number>; down: Record<string, number>; path: '' | 'udp' | 'tcp' | 'relay'; outages: number; outageMs: number; longestMs: number; resumeMs: number;
}

/** 100 only when nothing is missing. */
export const percent = (part: number, of: number): number => (of <= 0 ? 0 : part >= of ? 100 : Math.min(99, Math.round((100 * part) / of)));

export function sumLine(s: CallSum): string {
  const cut = Math.max(1, s.outageMs / 1000);
  return [
    t('callsum.length', { d: left(s.seconds) }),
    s.voice > 0 ? t('callsum.usable', { p: percent(s.usable, s.voice) }) : t('callsum.noVoice'),
    s.outages ? t('callsum.cuts', { n: s.outages, d: left(cut) }) : t('callsum.noCut'),
  ].join(', ');
}
