import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Inviter dans l’appel', lead: 'La personne ouvre un lien, sans compte. Elle attend que quelqu’un la fasse entrer ; elle voit et entend l’appel, rien du dossier.',
    who: 'Qui invitez-vous ?', patient: 'La patiente ou le patient', other: 'Un proche, un collègue', name: 'Nom de la personne', nameHint: 'Les autres verront ce nom dans l’appel.',
    life: 'Lien valable', h1: '1 heure', h24: '24 heures', h72: '3 jours', make: 'Créer le lien', making: 'Création…', nameMissing: 'Écrivez le nom de la personne.',
    made: 'Lien pour : {who}', once: 'Ce lien sert une seule fois, sur un seul appareil, jusqu’au {until}. Montrez le code, ou envoyez le lien à cette personne seulement.',
    qr: 'Code à photographier avec le téléphone invité', link: 'Lien', copy: 'Copier le lien', copied: 'Lien copié.', share: 'Partager', shareText: 'Vous êtes attendu pour un appel vidéo avec un soignant.', another: 'Inviter quelqu’un d’autre', onlyOnce: 'Le lien n’est montré que maintenant. Perdu, on le reprend et on en fait un autre.',
    list: 'Invitations en cours', none: 'Aucune invitation en cours.', link_state: 'lien pas encore ouvert', outside: 'lien ouvert, absent', waiting: 'attend d’entrer', inside: 'dans l’appel', by: 'invité par {who}', until: 'jusqu’au {until}',
    takeBack: 'Reprendre', takenBack: 'Invitation reprise.', noCopy: 'La copie n’a pas marché : touchez longuement le lien pour le copier.',
  },
  en: {
    title: 'Invite to the call', lead: 'The person opens a link, without an account. They wait until somebody lets them in; they see and hear the call, nothing of the case.',
    who: 'Whom do you invite?', patient: 'The patient', other: 'A relative, a colleague', name: 'Name of the person', nameHint: 'The others will see this name in the call.',
    life: 'Link good for', h1: '1 hour', h24: '24 hours', h72: '3 days', make: 'Make the link', making: 'Making…', nameMissing: 'Write the name of the person.',
    made: 'Link for: {who}', once: 'This link works once, on one device, until {until}. Show the code, or send the link to that person only.',
    qr: 'Code to photograph with the guest’s phone', link: 'Link', copy: 'Copy the link', copied: 'Link copied.', share: 'Share', shareText: 'You are expected for a video call with a carer.', another: 'Invite somebody else', onlyOnce: 'The link is shown only now. If lost, take it back and make another.',
    list: 'Invitations under way', none: 'No invitation under way.', link_state: 'link not opened yet', outside: 'link opened, absent', waiting: 'waits to be let in', inside: 'in the call', by: 'invited by {who}', until: 'until {until}',
    takeBack: 'Take back', takenBack: 'Invitation taken back.', noCopy: 'Copying did not work: press the link for a while to copy it.',
  },
  bm: {},
});
