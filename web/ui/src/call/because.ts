// Why somebody is seen small, in stills or not at all: one's own link or wish,
// or the other side's. The server decides, for only it sees both links.
import { local } from '../i18n/local';
import type { Mode, Participant, Quality, Seen } from './client';

const w = local({
  fr: {
    small: 'Image réduite : votre liaison porte la voix, mais peu d’image ({k} kbit/s).',
    off: 'Image arrêtée : votre liaison ({k} kbit/s) ne porte que la voix. Elle revient seule dès que la liaison le permet.',
    stills: 'La vidéo revient seule dès que votre liaison ({k} kbit/s) la porte.',
    stillsWish: 'Images seulement, à votre demande.',
    voice: 'Son seul, à votre demande : ni image reçue, ni image envoyée.',
    unwanted: 'À votre demande, vous ne recevez pas les images. Les autres vous voient toujours.',
    'link.small': 'Image réduite : la liaison de {who} porte la voix, mais peu d’image.',
    'link.stills': 'Images fixes : la liaison de {who} ne porte pas la vidéo.',
    'link.off': 'Image arrêtée : la liaison de {who} ne porte que la voix.',
    'choice.stills': 'Images fixes : {who} a choisi de n’envoyer que des images.', 'choice.off': '{who} a choisi de n’envoyer que des images fixes, et aucune n’arrive ici.',
    others: 'Image réduite : un autre participant a une liaison faible, et tous reçoivent la même image.',
    measuring: 'Image réduite pour l’instant : on mesure encore ce que les liaisons portent.',
    cut: 'La liaison de {who} est coupée : l’image revient avec elle.',
  },
  en: {
    small: 'Small picture: your link carries the voice, but little picture ({k} kbit/s).',
    off: 'Picture stopped: your link ({k} kbit/s) carries the voice only. It comes back by itself when the link allows.',
    stills: 'Video comes back by itself when your link ({k} kbit/s) carries it.',
    stillsWish: 'Stills only, as you asked.',
    voice: 'Sound only, as you asked: no picture received, none sent.',
    unwanted: 'As you asked, you receive no pictures. Others still see you.',
    'link.small': 'Small picture: the link of {who} carries the voice, but little picture.',
    'link.stills': 'Stills: the link of {who} does not carry video.',
    'link.off': 'Picture stopped: the link of {who} carries the voice only.',
    'choice.stills': 'Stills: {who} chose to send stills only.', 'choice.off': '{who} chose to send stills only, and none arrives here.',
    others: 'Small picture: another participant has a weak link, and all receive the same picture.',
    measuring: 'Small picture for now: what the links carry is still being measured.',
    cut: 'The link of {who} is cut: the picture comes back with it.',
  },
  bm: {},
});

/** What lies with oneself, for all pictures at once. */
export function ours(q: Quality | undefined, mode: Mode): string {
  const k = Math.round(q?.kbpsPath ?? 0);
  switch (q?.picture) {
    case 'small': return w('small', { k });
    case 'off': return w('off', { k });
    case 'stills': return mode === 'stills' ? w('stillsWish') : w('stills', { k });
    case 'unwanted': return w(mode === 'voice' ? 'voice' : 'unwanted');
    default: return '';
  }
}

export const seen = (q: Quality | undefined, p: Participant): Seen | undefined => q?.others?.find((o) => o.participant === p.id);

/** Whether somebody is seen in stills, whoever’s link or wish it is. */
export const inStills = (q: Quality | undefined): boolean => q?.picture === 'stills' || !!q?.others?.some((o) => o.picture === 'stills');

/** What lies with somebody else, on their own picture. Whose link is cut is shown as away already. */
export function theirs(s: Seen | undefined, p: Participant): string {
  const who = p.name;
  switch (s?.why) {
    case 'link': return w(`link.${s.picture}`, { who });
    case 'choice': return w(s.picture === 'stills' ? 'choice.stills' : 'choice.off', { who });
    case 'others': return w('others');
    case 'measuring': return w('measuring');
    case 'cut': return p.away ? '' : w('cut', { who });
    default: return '';
  }
}
