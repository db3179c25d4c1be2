import { local } from '../i18n/local';

export const w = local({
  fr: {
    call: 'Appel', connecting: 'Connexion…', alone: 'Vous êtes seul dans l’appel. Les autres voient que vous attendez.', together: 'En ligne avec {names}',
    lost: 'Liaison coupée. L’appel revient tout seul ({n} s)…', back: 'Reprise de l’appel…', ended: 'Appel terminé.', again: 'Rejoindre l’appel', close: 'Fermer',
    mute: 'Couper le micro', unmute: 'Rétablir le micro', cameraOff: 'Couper la caméra', cameraOn: 'Allumer la caméra', hangUp: 'Raccrocher', devices: 'Micro et caméra',
    microphone: 'Micro', camera: 'Caméra', micOff: 'micro coupé', camOff: 'caméra coupée', you: 'Vous', noDevice: 'aucun', whip: 'appareil', whep: 'regarde',
    denied: 'L’accès au micro est refusé. Touchez le cadenas près de l’adresse, autorisez le micro, puis rejoignez l’appel.',
    noMic: 'Aucun micro trouvé : vous entendez les autres, ils ne vous entendent pas. Branchez un micro puis choisissez-le dans « Micro et caméra ».',
    noCam: 'Pas de caméra : l’appel continue au son seul.', insecure: 'Le navigateur n’autorise le micro que sur une adresse https. Prévenez l’administrateur.',
    busy: 'Le micro ou la caméra est utilisé par une autre application. Fermez-la, puis réessayez.',
    replaced: 'L’appel a été repris sur un autre appareil ou un autre onglet.', failed: 'L’appel n’a pas pu commencer.', silent: 'Aucun média ne passe : le réseau bloque peut-être les appels (UDP). Les messages restent possibles.',
    quality: 'Liaison', q3: 'Bonne liaison', q2: 'Liaison moyenne', q1: 'Liaison faible : parlez lentement, coupez la caméra', q0: 'Mesure en cours',
    why: 'Délai {rtt} ms · pertes {up} % envoyées, {down} % reçues · {kup} kbit/s envoyés, {kdown} kbit/s reçus',
  },
  en: {
    call: 'Call', connecting: 'Connecting…', alone: 'You are alone in the call. The others can see that you wait.', together: 'Online with {names}',
    lost: 'Link lost. The call comes back by itself ({n} s)…', back: 'Resuming the call…', ended: 'Call ended.', again: 'Join the call', close: 'Close',
    mute: 'Mute', unmute: 'Unmute', cameraOff: 'Camera off', cameraOn: 'Camera on', hangUp: 'Hang up', devices: 'Microphone and camera',
    microphone: 'Microphone', camera: 'Camera', micOff: 'muted', camOff: 'camera off', you: 'You', noDevice: 'none', whip: 'device', whep: 'watching',
    denied: 'Access to the microphone is denied. Tap the lock near the address, allow the microphone, then join again.',
    noMic: 'No microphone found: you hear the others, they cannot hear you. Plug one in and choose it in “Microphone and camera”.',
    noCam: 'No camera: the call goes on with sound only.', insecure: 'The browser allows the microphone on https addresses only. Tell the administrator.',
    busy: 'Another application uses the microphone or camera. Close it, then try again.',
    replaced: 'The call was taken over by another device or tab.', failed: 'The call could not start.', silent: 'No media passes: the network may block calls (UDP). Messages still work.',
    quality: 'Link', q3: 'Good link', q2: 'Fair link', q1: 'Weak link: speak slowly, switch the camera off', q0: 'Being measured',
    why: 'Delay {rtt} ms · lost {up} % sent, {down} % received · {kup} kbit/s sent, {kdown} kbit/s received',
  },
  bm: {},
});
