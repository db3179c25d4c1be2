import { local } from '../i18n/local';

export const w = local({
  fr: {
    reading: 'Ouverture du lien…', invites: '{who} vous invite à un appel vidéo', as: 'Vous entrez comme : {name}',
    ask: 'Votre appareil va demander le micro et la caméra : acceptez pour qu’on vous entende et qu’on vous voie.', wait: 'Ensuite, on vous fera entrer.',
    noMedia: 'Ce navigateur ne donne pas accès au micro. Ouvrez ce lien dans Chrome, Firefox ou Safari : il n’est pas encore utilisé.',
    enter: 'Entrer', once: 'Ce lien ne sert qu’une fois, sur cet appareil. Valable jusqu’au {until}.', retry: 'Réessayer',
    offline: 'Pas de liaison avec le serveur. Vérifiez le réseau, puis réessayez.',
    ended: 'L’appel est terminé pour vous.', again: 'Revenir dans l’appel', left: 'Vous avez quitté l’appel.', over: 'Appel terminé', sorry: 'Ce lien ne peut pas être ouvert', none: 'Ouvrez le lien que vous avez reçu pour rejoindre l’appel.', elsewhere: 'L’appel continue dans un autre onglet de cet appareil.', expired: 'Votre invitation a pris fin. Demandez un nouveau lien à la personne qui vous invite.',
  },
  en: {
    reading: 'Opening the link…', invites: '{who} invites you to a video call', as: 'You enter as: {name}',
    ask: 'Your device will ask for microphone and camera: accept, so that you are heard and seen.', wait: 'Then somebody will let you in.',
    noMedia: 'This browser gives no access to the microphone. Open this link in Chrome, Firefox or Safari: it is not used yet.',
    enter: 'Enter', once: 'This link works once, on this device. Good until {until}.', retry: 'Try again',
    offline: 'No connection to the server. Check the network, then try again.',
    ended: 'The call is over for you.', again: 'Come back to the call', left: 'You left the call.', over: 'Call over', sorry: 'This link cannot be opened', none: 'Open the link that you received to join the call.', elsewhere: 'The call goes on in another tab of this device.', expired: 'Your invitation is over. Ask the person who invites you for a new link.',
  },
  bm: {},
});
