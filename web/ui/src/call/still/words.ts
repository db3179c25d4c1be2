import { local } from '../../i18n/local';

export const w = local({
  fr: {
    title: 'Image de {of}', received: 'vue reçue de l’appareil, figée par {by}', asked: 'Image demandée à {who}…', taking: 'Capture de l’image…',
    sending: 'Envoi de l’image : {a} sur {b} ko', coming: '{who} envoie l’image : {a} sur {b} ko', loading: 'Image : {a} sur {b} ko reçus',
    failed: 'L’image n’a pas pu être figée. Vérifiez la caméra, puis recommencez.', failedOf: '{who} n’a pas pu figer l’image. Demandez-lui d’allumer la caméra, puis recommencez.',
    lost: 'L’image ne peut pas être lue. Elle reste dans le dossier ; figez-en une autre.', full: 'Le dessin est plein : effacez d’anciens traits pour continuer.',
    show: 'Montrer', draw: 'Dessiner', arrow: 'Flèche', undo: 'Annuler mon trait', clear: 'Effacer mes traits', close: 'Fermer l’image', smaller: 'Réduire', bigger: 'Agrandir',
    canvas: 'Image figée. Flèches du clavier : déplacer le repère ; Entrée : poser une flèche.', here: 'ici',
    guide: 'Guider la sonde de {who}', gestureBy: '{who} vous demande', sent: 'Geste envoyé : {what}', stop: 'Fermer',
    slide: 'Glisser', tilt: 'Incliner', rotate: 'Tourner', press: 'Appuyer', left: 'à gauche', right: 'à droite', up: 'vers le haut', down: 'vers le bas', more: 'plus fort', less: 'moins fort',
  },
  en: {
    title: 'Picture of {of}', received: 'received view of the device, frozen by {by}', asked: 'Asking {who} for the picture…', taking: 'Taking the picture…',
    sending: 'Sending the picture: {a} of {b} kB', coming: '{who} sends the picture: {a} of {b} kB', loading: 'Picture: {a} of {b} kB received',
    failed: 'The picture could not be frozen. Check the camera and try again.', failedOf: '{who} could not freeze the picture. Ask them to switch the camera on, then try again.',
    lost: 'The picture cannot be read. It stays in the case; freeze another one.', full: 'The drawing is full: erase older strokes to go on.',
    show: 'Point', draw: 'Draw', arrow: 'Arrow', undo: 'Undo my stroke', clear: 'Erase my strokes', close: 'Close the picture', smaller: 'Make small', bigger: 'Make large',
    canvas: 'Frozen picture. Arrow keys move the marker; Enter puts an arrow.', here: 'here',
    guide: 'Guide the probe of {who}', gestureBy: '{who} asks you', sent: 'Movement sent: {what}', stop: 'Close',
    slide: 'Slide', tilt: 'Tilt', rotate: 'Rotate', press: 'Press', left: 'to the left', right: 'to the right', up: 'upwards', down: 'downwards', more: 'harder', less: 'less',
  },
  bm: {},
});
