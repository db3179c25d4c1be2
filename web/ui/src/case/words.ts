import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Examen demandé', ask: 'Demander un examen', askOther: 'Demander un autre examen', change: 'Modifier', cancel: 'Retirer la demande',
    waiting: 'en attente', done: 'reçu', planned: 'prévu', by: 'demandé par {who}', on: 'sur {aet}', anyDevice: 'sur tout appareil de mon centre', number: 'Sans liste de travail, écrivez sur l’appareil le n° de dossier {n} : les images viendront ici toutes seules.',
    hint: 'L’examen paraît sur la liste de travail de l’appareil, avec le patient déjà rempli. Les images qu’il envoie arrivent dans ce dossier.',
    modality: 'Type d’examen', device: 'Appareil', any: 'Tout appareil de mon centre', noDevice: 'Aucun appareil de votre centre n’est déclaré : prévenez l’administration. En attendant, écrivez sur l’appareil le n° de dossier {n}.',
    description: 'Quel examen, de quelle région ?', descriptionHint: 'Exemple : scanner cérébral sans injection', at: 'Date et heure prévues', send: 'Demander', sending: 'Envoi…', lackDescription: 'Écrivez quel examen est demandé.', lackDate: 'Choisissez une date.',
    sent: 'Examen demandé.', cancelled: 'La demande d’examen est retirée.', replaces: 'Cette demande prend la place de la précédente.', sureTitle: 'Retirer cette demande d’examen ?', sureText: 'Elle disparaît de la liste de travail de l’appareil. Ce qui est déjà reçu reste dans le dossier.',
  },
  en: {
    title: 'Requested examination', ask: 'Request an examination', askOther: 'Request another examination', change: 'Change', cancel: 'Take the request back',
    waiting: 'waiting', done: 'received', planned: 'planned', by: 'requested by {who}', on: 'on {aet}', anyDevice: 'on any device of my facility', number: 'Without a worklist, write the case number {n} on the device: the images will come here by themselves.',
    hint: 'The examination shows on the device’s worklist, with the patient filled in. The images that it sends come to this case.',
    modality: 'Kind of examination', device: 'Device', any: 'Any device of my facility', noDevice: 'No device of your facility is declared: tell the administrator. Until then, write the case number {n} on the device.',
    description: 'Which examination, of which region?', descriptionHint: 'Example: brain CT without contrast', at: 'Planned date and time', send: 'Request', sending: 'Sending…', lackDescription: 'Write which examination is requested.', lackDate: 'Choose a date.',
    sent: 'Examination requested.', cancelled: 'The request is taken back.', replaces: 'This request takes the place of the one before.', sureTitle: 'Take this request back?', sureText: 'It disappears from the device’s worklist. What was received stays in the case.',
  },
  bm: {},
});
