// All figures of one person, and in a few words what was wrong.
import { bytes } from '../lib/bytes';
import { percent, type Figures as F } from '../lib/callsum';
import { left } from '../lib/time';
import { share, tenth, w } from './words';

const lots = { lossUp: 50, lossDown: 50, rttMs: 900, kbps: 64, frozen: 0.05, speech: 95 };
const seconds = (ms: number): string => (ms < 10_000 ? `${tenth(ms / 1000)}\u00a0s` : left(ms / 1000));

/** What an administrator answers who is asked why a call was bad. */
export function reasons(f: F, speech = true): string {
  const out: string[] = [];
  if (f.outages) out.push(w('rOutages', { n: f.outages, d: left(Math.max(1, f.outageMs / 1000)) }));
  if (speech && f.voice > 5 && percent(f.usable, f.voice) < lots.speech) out.push(w('rSpeech', { p: percent(f.usable, f.voice) }));
  if (f.lossUp >= lots.lossUp) out.push(w('rUp', { p: share(f.lossUp) }));
  if (f.lossDown >= lots.lossDown) out.push(w('rDown', { p: share(f.lossDown) }));
  if (f.rttMs >= lots.rttMs) out.push(w('rRtt', { n: f.rttMs }));
  if (f.estimateKbps > 0 && f.estimateKbps < lots.kbps) out.push(w('rThin', { n: f.estimateKbps }));
  if (f.frozenMs > lots.frozen * f.seconds * 1000) out.push(w('rFrozen', { d: seconds(f.frozenMs) }));
  if (f.path === 'relay') out.push(w('rRelay'));
  return out.join(' · ') || w('rFine');
}

const names = { voice: 'voice', still: 'still', picture: 'picture', repair: 'repair', files: 'files' } as const;
const sum = (m: Record<string, number>): string => {
  const part = (k: string) => (k in names ? w(names[k as keyof typeof names]) : k);
  const list = Object.entries(m).filter(([, n]) => n > 0);
  return list.length ? `${bytes(list.reduce((s, [, n]) => s + n, 0))} (${list.map(([k, n]) => `${part(k)} ${bytes(n)}`).join(', ')})` : '—';
};

export function Figures({ f }: { f: F }) {
  const rows: [string, string][] = [
    [w('fPresent'), left(f.seconds)],
    [w('fUsable'), f.voice ? w('fUsableOf', { p: percent(f.usable, f.voice), u: left(f.usable), d: left(f.voice) }) : '—'],
    [w('fConcealed'), seconds(f.concealedMs)],
    [w('fFirstAudio'), f.firstAudioMs ? seconds(f.firstAudioMs) : w('never')],
    [w('fFirstVideo'), f.firstVideoMs ? seconds(f.firstVideoMs) : w('no')],
    [w('fFreezes'), f.freezes ? w('fFreezesOf', { n: f.freezes, d: seconds(f.frozenMs) }) : w('no')],
    [w('fOutages'), f.outages === 1 ? `1 (${seconds(f.outageMs)})` : f.outages ? w('fOutagesOf', { n: f.outages, l: seconds(f.longestMs), d: seconds(f.outageMs) }) : w('no')],
    ...(f.outages ? [[w('fResume'), f.resumeMs ? seconds(f.resumeMs) : w('atOnce')] as [string, string]] : []),
    [w('fRtt'), f.rttMs ? `${f.rttMs}\u00a0ms` : '—'],
    [w('fLoss'), w('fLossOf', { up: share(f.lossUp), down: share(f.lossDown) })],
    [w('fRate'), f.estimateKbps ? w('fRateOf', { d: f.deliveredKbps, e: f.estimateKbps, l: f.leastKbps }) : '—'],
    [w('fDown'), sum(f.down)], [w('fUp'), sum(f.up)],
    [w('fPath'), f.path ? w(f.path) : '—'],
  ];
  return <dl class="figures" data-testid="figures">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>;
}
