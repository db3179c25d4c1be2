import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Électrocardiogramme', loading: 'Chargement du tracé…', again: 'Réessayer', speed: 'Vitesse', gain: 'Amplitude', format: 'Disposition',
    filters: 'Filtres de l’appareil : {f}', noFilters: 'Filtres de l’appareil : non indiqués', noExtra: 'Aucun filtre ajouté à l’écran.',
    calipers: 'Compas : faites glisser sur le tracé', fit: 'Échelle adaptée à l’écran', real: 'Grandeur réelle (à vérifier avec une règle)', mm: '{speed} mm/s · {gain} mm/mV',
    recorded: 'Enregistré le {d}', size: 'Taille', canvas: 'Tracé ECG, {n} dérivations', clear: 'Effacer le compas', print: 'Imprimer',
  },
  en: {
    title: 'Electrocardiogram', loading: 'Loading the trace…', again: 'Try again', speed: 'Speed', gain: 'Gain', format: 'Layout',
    filters: 'Filters of the device: {f}', noFilters: 'Filters of the device: not stated', noExtra: 'No filter added on screen.',
    calipers: 'Callipers: drag on the trace', fit: 'Scaled to the screen', real: 'True size (check with a ruler)', mm: '{speed} mm/s · {gain} mm/mV',
    recorded: 'Recorded {d}', size: 'Size', canvas: 'ECG trace, {n} leads', clear: 'Clear callipers', print: 'Print',
  },
  bm: {},
});
