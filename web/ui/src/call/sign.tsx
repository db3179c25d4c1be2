// How each one's link is, in one word and one shape: is it mine or theirs?
import { local } from '../i18n/local';
import type { Participant, Phase, Quality } from './client';

const w = local({
  fr: {
    good: 'bon', weak: 'faible', cut: 'coupé', unknown: 'mesure…', titleGood: 'Liaison de {who} : bonne', titleWeak: 'Liaison de {who} : faible', titleCut: 'Liaison de {who} : coupée', you: 'Vous', measures: 'Voir les dernières minutes',
    mine: 'C’est votre liaison qui est faible. Celle des autres est bonne.', mineAlone: 'Votre liaison est faible.', theirs: 'C’est la liaison de {who} qui est faible. La vôtre est bonne.',
    both: 'Votre liaison et celle de {who} sont faibles.', theirsCut: 'La liaison de {who} est coupée. La vôtre tient. L’appel revient tout seul.',
  },
  en: {
    good: 'good', weak: 'weak', cut: 'cut', unknown: 'measuring…', titleGood: 'Link of {who}: good', titleWeak: 'Link of {who}: weak', titleCut: 'Link of {who}: cut', you: 'You', measures: 'See the last minutes',
    mine: 'It is your link that is weak. The others’ are good.', mineAlone: 'Your link is weak.', theirs: 'It is the link of {who} that is weak. Yours is good.',
    both: 'Your link and that of {who} are weak.', theirsCut: 'The link of {who} is cut. Yours holds. The call comes back by itself.',
  },
  bm: {},
});

type Link = Participant['link'];
export type Sign = 'good' | 'weak' | 'cut' | 'unknown';

/** One's own, known before the server says so. */
export function own(phase: Phase | undefined, me: Participant | undefined, q: Quality | undefined): Sign {
  if (phase === 'lost' || (phase === 'joined' && me?.link === 'cut')) return 'cut';
  return phase === 'joined' && q?.connected && me?.link ? me.link : 'unknown';
}

const bars = { good: 3, weak: 1, cut: 0, unknown: 0 } as const;

/** Bars, crossed out when cut: the shape says it too. */
export function Shape({ sign }: { sign: Sign }) {
  return (
    <svg class={`sign ${sign}`} viewBox="0 0 24 18" aria-hidden="true">
      {[1, 2, 3].map((i) => <rect x={(i - 1) * 8 + 1} y={18 - i * 6} width="6" height={i * 6} class={i <= bars[sign] ? 'lit' : ''} />)}
      {sign === 'cut' && <path d="M3 2 21 17M21 2 3 17" />}
    </svg>
  );
}

/** One's own, said so. */
export const word = (sign: Sign): string => `${w('you')} : ${w(sign)}`;

export const measures = (): string => w('measures');

/** On somebody's picture. */
export function LinkSign({ link, who }: { link: Link; who: string }) {
  if (!link) return null;
  const title = w(link === 'good' ? 'titleGood' : link === 'weak' ? 'titleWeak' : 'titleCut', { who });
  return <span class="call-link" title={title} data-testid="call-link" data-link={link}><Shape sign={link} /> <span class="call-link-word">{w(link)}</span></span>;
}

/** Whose link it is, when not all is well. */
export function whose(mine: Sign, others: Participant[]): string {
  const named = (link: Link) => others.filter((p) => p.link === link && p.via !== 'whep').map((p) => p.name).join(', ');
  const weak = named('weak'), cut = named('cut');
  if (mine === 'cut' || mine === 'unknown') return '';
  if (mine === 'weak') return weak ? w('both', { who: weak }) : others.some((p) => p.link === 'good') ? w('mine') : w('mineAlone');
  if (cut) return w('theirsCut', { who: cut });
  return weak ? w('theirs', { who: weak }) : '';
}
