import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Électrocardiogramme', loading: 'Chargement du tracé…', again: 'Réessayer', speed: 'Vitesse', gain: 'Amplitude', format: 'Disposition',
    filters: 'Filtres de l’appareil : {f}', noFilters: 'Filtres de l’appareil : non indiqués', noExtra: 'sans filtre ajouté', extra: 'Filtres de l’écran : {f}', add: 'Filtres', fBaseline: 'ligne de base (≥ 0,5 Hz)', fMuscle: 'tremblement (≤ 40 Hz)', fMains: 'secteur 50 Hz',
    device: 'Appareil : {d}', owner: 'Fichier au nom de {n}', page: 'page {n} / {of}', paper: 'Échelle vraie à 100 % : un grand carreau mesure 5 mm', part: '{a}–{b} s sur {of} s', earlier: 'Avant', later: 'Après', other: '{n} voie(s) sans unité électrique, non tracée(s)',
    calipers: 'Compas : faites glisser sur le tracé, ou Entrée puis les flèches (Maj : 5 mm, Alt : tout déplacer, Échap : effacer)', fit: 'Échelle adaptée à l’écran', real: 'Grandeur réelle (à vérifier avec une règle)', mm: '{speed} mm/s · {gain} mm/mV',
    recorded: 'Enregistré le {d}', size: 'Taille', canvas: 'Tracé ECG, {n} dérivations', clear: 'Effacer le compas', print: 'Imprimer',
  },
  en: {
    title: 'Electrocardiogram', loading: 'Loading the trace…', again: 'Try again', speed: 'Speed', gain: 'Gain', format: 'Layout',
    filters: 'Filters of the device: {f}', noFilters: 'Filters of the device: not stated', noExtra: 'no filter added', extra: 'Filters of the screen: {f}', add: 'Filters', fBaseline: 'baseline (≥ 0.5 Hz)', fMuscle: 'tremor (≤ 40 Hz)', fMains: 'mains 50 Hz',
    device: 'Device: {d}', owner: 'File in the name of {n}', page: 'page {n} / {of}', paper: 'True scale at 100 %: a large square is 5 mm', part: '{a}–{b} s of {of} s', earlier: 'Earlier', later: 'Later', other: '{n} channel(s) of no electrical unit, not drawn',
    calipers: 'Callipers: drag on the trace, or Enter and the arrows (Shift: 5 mm, Alt: move all, Esc: clear)', fit: 'Scaled to the screen', real: 'True size (check with a ruler)', mm: '{speed} mm/s · {gain} mm/mV',
    recorded: 'Recorded {d}', size: 'Size', canvas: 'ECG trace, {n} leads', clear: 'Clear callipers', print: 'Print',
  },
  bm: {},
});
