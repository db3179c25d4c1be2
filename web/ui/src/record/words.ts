import { lang } from '../i18n';
import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Mesures de l’appel', loading: 'Lecture des mesures…', since: 'en cours depuis {d}', ended: 'terminé le {at}, après {d}', back: 'Retour', none: 'Personne n’a encore été mesuré.', lag: 'Mesures d’il y a {n} s : la liaison ne répond pas.',
    guest: 'Invité', whip: 'appareil', whep: 'écran', good: 'liaison bonne', weak: 'liaison faible', cut: 'liaison coupée', unknown: 'en cours de mesure', gone: 'a quitté l’appel',
    rate: 'Reçu, en kbit/s', rateUp: 'Envoyé, en kbit/s', wayDown: 'Ce que chacun reçoit', wayUp: 'Ce que chacun envoie', delay: 'Délai, en ms, et pertes', estimate: 'ce que la liaison porte', delivered: 'arrivé', voice: 'voix', picture: 'images', repair: 'réparations', still: 'image figée pour tous', files: 'fichiers',
    rtt: 'délai aller-retour', lossUp: 'pertes à l’envoi', lossDown: 'pertes à la réception', outage: 'coupure', frozen: 'image figée', pictureOff: 'image arrêtée', pictureSmall: 'image réduite', pictureStills: 'images fixes', pictureUnwanted: 'sans image, à sa demande', lines: '{n} lignes', ago: 'il y a {n} min', now: 'maintenant',
    chartRate: 'Débit vers {who} : {sent} kbit/s envoyés, {delivered} arrivés, la liaison porte {estimate} kbit/s.', chartUp: 'Débit de {who} : {sent} kbit/s envoyés, la liaison porte {estimate} kbit/s.', chartDelay: 'Délai {rtt} ms, pertes {up} % à l’envoi, {down} % à la réception, {n} coupure dans ces minutes.|Délai {rtt} ms, pertes {up} % à l’envoi, {down} % à la réception, {n} coupures dans ces minutes.',
    table: 'Tableau', figures: 'Tous les chiffres', hide: 'Fermer', time: 'Heure', tEstimate: 'Porte', tSent: 'Envoyé', tDelivered: 'Arrivé', tVoice: 'dont voix', tRtt: 'Délai', tUp: 'Pertes envoi', tDown: 'Pertes réc.', tPicture: 'Image reçue', tNote: 'Remarque', tenSeconds: 'Moyennes de dix secondes, la dernière en haut.',
    fPresent: 'Présence', fUsable: 'Parole utile', fUsableOf: '{p} % ({u} sur {d})', fConcealed: 'Parole reconstituée', fFirstAudio: 'Premier son après', fFirstVideo: 'Première image après', fFreezes: 'Images figées', fFreezesOf: '{n} fois, {d}', fOutages: 'Coupures', fOutagesOf: '{n}, la plus longue {l}, {d} en tout', fResume: 'Reprise la plus lente', atOnce: 'tout de suite', fRtt: 'Délai aller-retour moyen', fLoss: 'Pertes', fLossOf: '{up} % à l’envoi, {down} % à la réception', fRate: 'Débit moyen vers cette personne', fRateOf: '{d} kbit/s arrivés, {e} possibles (au moins {l})', fPath: 'Chemin', udp: 'direct (UDP)', tcp: 'TCP : l’UDP est bloqué', relay: 'relais HTTPS : le réseau bloque les appels', fDown: 'Reçu', fUp: 'Envoyé', never: 'aucun', no: 'aucune',
    rOutages: '{n} coupure ({d})|{n} coupures ({d} en tout)', rSpeech: '{p} % de la parole des autres seulement a été utile', rUp: '{p} % de pertes à l’envoi', rDown: '{p} % de pertes à la réception', rRtt: 'délai de {n} ms', rThin: 'liaison de {n} kbit/s seulement', rRelay: 'le réseau bloque les appels : passage par le relais', rFrozen: 'images figées {d}', rFine: 'rien à signaler sur cette liaison',
    calls: 'Appels', callsNow: 'En cours', callsPast: 'Derniers appels', callsNone: 'Aucun appel depuis le démarrage du serveur.', callsKept: 'Les 50 derniers appels de deux jours, gardés en mémoire jusqu’au redémarrage. Les chiffres de chaque appel restent dans son dossier.', see: 'Voir', rehearsal: 'essai', people: 'Personnes',
    seeMinutes: 'Voir les dernières minutes', perPerson: 'Chiffres par personne',
  },
  en: {
    title: 'Figures of the call', loading: 'Reading the figures…', since: 'going on for {d}', ended: 'ended on {at}, after {d}', back: 'Back', none: 'Nobody was measured yet.', lag: 'Figures of {n} s ago: the link does not answer.',
    guest: 'Guest', whip: 'device', whep: 'screen', good: 'good link', weak: 'weak link', cut: 'link cut', unknown: 'being measured', gone: 'left the call',
    rate: 'Received, in kbit/s', rateUp: 'Sent, in kbit/s', wayDown: 'What each receives', wayUp: 'What each sends', delay: 'Delay, in ms, and losses', estimate: 'what the link carries', delivered: 'arrived', voice: 'voice', picture: 'pictures', repair: 'repairs', still: 'still for all', files: 'files',
    rtt: 'round trip', lossUp: 'lost when sending', lossDown: 'lost when receiving', outage: 'outage', frozen: 'frozen picture', pictureOff: 'picture stopped', pictureSmall: 'small picture', pictureStills: 'stills', pictureUnwanted: 'no picture, as asked', lines: '{n} lines', ago: '{n} min ago', now: 'now',
    chartRate: 'Rate to {who}: {sent} kbit/s sent, {delivered} arrived, the link carries {estimate} kbit/s.', chartUp: 'Rate from {who}: {sent} kbit/s sent, the link carries {estimate} kbit/s.', chartDelay: 'Delay {rtt} ms, {up}% lost when sending, {down}% when receiving, {n} outage in these minutes.|Delay {rtt} ms, {up}% lost when sending, {down}% when receiving, {n} outages in these minutes.',
    table: 'Table', figures: 'All figures', hide: 'Close', time: 'Time', tEstimate: 'Carries', tSent: 'Sent', tDelivered: 'Arrived', tVoice: 'of which voice', tRtt: 'Delay', tUp: 'Lost up', tDown: 'Lost down', tPicture: 'Picture', tNote: 'Note', tenSeconds: 'Means of ten seconds, the newest first.',
    fPresent: 'Present', fUsable: 'Usable speech', fUsableOf: '{p}% ({u} of {d})', fConcealed: 'Speech made up', fFirstAudio: 'First sound after', fFirstVideo: 'First picture after', fFreezes: 'Frozen pictures', fFreezesOf: '{n} times, {d}', fOutages: 'Outages', fOutagesOf: '{n}, the longest {l}, {d} in all', fResume: 'Slowest resume', atOnce: 'at once', fRtt: 'Mean round trip', fLoss: 'Losses', fLossOf: '{up}% when sending, {down}% when receiving', fRate: 'Mean rate to this person', fRateOf: '{d} kbit/s arrived, {e} possible (at least {l})', fPath: 'Path', udp: 'direct (UDP)', tcp: 'TCP: UDP is blocked', relay: 'HTTPS relay: the network blocks calls', fDown: 'Received', fUp: 'Sent', never: 'none', no: 'none',
    rOutages: '{n} outage ({d})|{n} outages ({d} in all)', rSpeech: 'only {p}% of the others’ speech was usable', rUp: '{p}% lost when sending', rDown: '{p}% lost when receiving', rRtt: 'delay of {n} ms', rThin: 'a link of {n} kbit/s only', rRelay: 'the network blocks calls: by the relay', rFrozen: 'pictures frozen for {d}', rFine: 'nothing to report on this link',
    calls: 'Calls', callsNow: 'Going on', callsPast: 'Last calls', callsNone: 'No call since the server started.', callsKept: 'The last 50 calls of two days, kept in memory until a restart. The figures of each call stay in its case.', see: 'See', rehearsal: 'rehearsal', people: 'People',
    seeMinutes: 'See the last minutes', perPerson: 'Figures of each person',
  },
  bm: {},
});

export const personOf = (p: { name: string; role: string }): string => p.name || (p.role === 'guest' ? w('guest') : '—');
/** With at most one decimal, as the language writes it. */
export const tenth = (n: number): string => n.toLocaleString(lang.value === 'en' ? 'en-GB' : 'fr-FR', { maximumFractionDigits: 1 });
/** Per mille as per cent. */
export const share = (perMille: number): string => tenth(perMille < 100 ? perMille / 10 : Math.round(perMille / 10));
