import { local } from '../i18n/local';

export const w = local({
  fr: {
    back: 'Retour au dossier', loading: 'Chargement de la série…', series: 'Séries', slice: '{n} / {total}', zoom: 'zoom {n} %',
    preview: 'Aperçu, non diagnostique', full: 'Pleine résolution', waiting: 'Image en route…', received: '{done} / {total} images · {size}',
    failed: 'Image non reçue. Vérifiez la liaison.', again: 'Réessayer', notShown: 'Ce format d’image ({syntax}) ne s’affiche pas encore ici.',
    filmElsewhere: 'Ce film est codé en {coding}, que les navigateurs ne lisent pas. Téléchargez-le et ouvrez-le avec un lecteur vidéo, par exemple VLC.', filmFailed: 'Cet appareil ne lit pas ce film ({coding}), ou la liaison a coupé. Réessayez, ou téléchargez-le et ouvrez-le avec un lecteur vidéo.', filmGet: 'Télécharger le film ({size})', film: 'Film de la série',
    download: 'Télécharger l’original', empty: 'Cette série ne contient pas d’image.',
    toolWindow: 'Fenêtrage', toolPan: 'Déplacer', toolZoom: 'Zoom', toolScroll: 'Coupes', toolMeasure: 'Mesure', toolAngle: 'Angle', toolRegion: 'Région', overlays: 'Annotations',
    angleNext: 'Second côté : faites glisser', mean: 'moy.', range: 'de', hounsfield: 'UH', regionWaits: 'Valeurs en pleine résolution…',
    invert: 'Inverser', cine: 'Ciné', stop: 'Pause', reset: 'Réinitialiser', presets: 'Fenêtre', fromFile: 'Du fichier', auto: 'Automatique',
    brain: 'Cerveau', subdural: 'Sous-dural', soft: 'Parties molles', lung: 'Poumon', bone: 'Os',
    position: 'Coupe affichée', uncalibrated: 'non calibré', calPixel: 'calibré (pixel)', calImager: 'au détecteur', calRegion: 'calibré (échographe)', calNominal: 'échelle nominale', differs: 'Ces images portent le nom « {name} », qui n’est pas celui du dossier. Vérifiez le patient avant de conclure.',
    clear: 'Effacer les mesures', keys: 'Clavier : W fenêtrage, Z zoom, P déplacer, M mesure, K image clé, A angle, R région, Suppr. dernière mesure, O annotations, I inverser, C ciné, espace lecture, flèches coupes, 0 réinitialiser',
    born: 'né(e) le {d}', keyImage: 'Image clé', undo: 'Annuler', keyMarked: 'Image clé marquée pour tous les participants.', keyUnmarked: 'Cette image n’est plus une image clé.', image: 'Image de la série', measure: 'Mesure', canvas: 'Image {n} sur {total}',
  },
  en: {
    back: 'Back to the case', loading: 'Loading the series…', series: 'Series', slice: '{n} / {total}', zoom: 'zoom {n} %',
    preview: 'Preview, not for diagnosis', full: 'Full resolution', waiting: 'Image on its way…', received: '{done} / {total} images · {size}',
    failed: 'Image not received. Check the link.', again: 'Try again', notShown: 'This image format ({syntax}) cannot be shown here yet.',
    filmElsewhere: 'This film is coded as {coding}, which browsers do not play. Download it and open it with a video player such as VLC.', filmFailed: 'This device does not play this film ({coding}), or the link was cut. Try again, or download it and open it with a video player.', filmGet: 'Download the film ({size})', film: 'Film of the series',
    download: 'Download the original', empty: 'This series holds no image.',
    toolWindow: 'Window', toolPan: 'Pan', toolZoom: 'Zoom', toolScroll: 'Slices', toolMeasure: 'Measure', toolAngle: 'Angle', toolRegion: 'Region', overlays: 'Overlays',
    angleNext: 'Second arm: drag', mean: 'mean', range: 'from', hounsfield: 'HU', regionWaits: 'Values at full resolution…',
    invert: 'Invert', cine: 'Cine', stop: 'Pause', reset: 'Reset', presets: 'Window', fromFile: 'From the file', auto: 'Automatic',
    brain: 'Brain', subdural: 'Subdural', soft: 'Soft tissue', lung: 'Lung', bone: 'Bone',
    position: 'Slice shown', uncalibrated: 'not calibrated', calPixel: 'calibrated (pixel)', calImager: 'at the detector', calRegion: 'calibrated (ultrasound)', calNominal: 'nominal scale', differs: 'These images bear the name “{name}”, which is not that of the record. Check the patient before concluding.',
    clear: 'Clear measures', keys: 'Keys: W window, Z zoom, P pan, M measure, K key image, A angle, R region, Del last measure, O overlays, I invert, C cine, space play, arrows slices, 0 reset',
    born: 'born {d}', keyImage: 'Key image', undo: 'Undo', keyMarked: 'Marked as a key image for everybody in the case.', keyUnmarked: 'No longer a key image.', image: 'Image of the series', measure: 'Measure', canvas: 'Image {n} of {total}',
  },
  bm: {},
});
