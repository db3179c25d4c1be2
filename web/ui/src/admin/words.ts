import { local } from '../i18n/local';

export const w = local({
  fr: {
    title: 'Administration', loading: 'Chargement…', tabNode: 'Ce serveur', tabCalls: 'Appels', tabDicom: 'Appareils DICOM', tabPeople: 'Personnes', forbidden: 'Cet écran est réservé à l’administration.', yes: 'oui', no: 'non',
    state: 'État', version: 'Version', since: 'En marche depuis', database: 'Base de données', blobs: 'Fichiers et images', disk: 'Place libre sur le disque', sqlite: 'SQLite, sur ce serveur', postgres: 'PostgreSQL', file: 'dossier de ce serveur', s3: 'stockage S3', answers: 'répond', silent: 'ne répond pas : prévenez la personne qui tient le serveur',
    reserve: '{free}, dont {min} gardés en réserve', low: 'Le disque est presque plein : les envois de fichiers seront bientôt refusés. Faites de la place ou agrandissez le disque.', unknown: 'inconnue',
    holds: 'Ce qu’il contient', openCases: 'Dossiers ouverts', cases: 'Dossiers en tout', studies: 'Examens DICOM', instances: 'Objets DICOM', imageBytes: 'Taille des objets DICOM', users: 'Comptes', facilities: 'Centres', tray: 'Examens à rattacher', quarantined: 'En quarantaine', live: 'Écrans ouverts', calls: 'Appels en cours',
    port: 'Port DICOM', off: 'Aucun port DICOM n’est ouvert. Pour en ouvrir un : option --dicom-listen de « sira serve ».', address: 'Adresse d’écoute', aet: 'Nom AE de Sira', tls: 'Chiffrement (TLS)', tlsOff: 'non : à garder dans un réseau fermé', tlsOn: 'oui', tlsMutual: 'oui, et chaque appareil montre son certificat',
    peers: 'Appareils autorisés', everybody: 'Tout appareil qui connaît l’adresse et le nom AE peut envoyer (--dicom-allow *). Nommez plutôt chaque appareil et son adresse.', noPeers: 'Aucun appareil n’est nommé.', colAet: 'Nom AE', colAddress: 'Adresse', colPlace: 'Centre', colStore: 'Envoie', colWorklist: 'Liste de travail', colQuery: 'Cherche et retire tout',
    any: 'toute adresse', anyQuery: 'Sans adresse, n’importe qui peut se donner ce nom.', nowhere: 'non déclaré', unknownPlace: 'centre inconnu : {id}', notLet: 'déclaré, mais pas autorisé',
    destinations: 'Destinations', noDestinations: 'Aucune : Sira n’envoie d’images à aucun appareil.', services: 'Machines à accès complet (DICOMweb)', noServices: 'Aucune.', changed: 'Ces réglages se changent dans la configuration du serveur (docs/dicom.md), puis au redémarrage.',
    find: 'Chercher une personne', noOne: 'Personne ne correspond à « {q} ».', colName: 'Nom', colRole: 'Rôle', colLogin: 'Identifiant', colState: 'Compte', open: 'ouvert', closed: 'fermé', close: 'Fermer le compte', reopen: 'Rouvrir', you: 'vous', more: 'Montrer les {n} autres',
    closeTitle: 'Fermer ce compte ?', closeText: 'La personne est déconnectée tout de suite et ne peut plus entrer. Ses dossiers et ses avis restent. Le compte peut être rouvert.', closedDone: 'Compte de {who} fermé.', openDone: 'Compte de {who} rouvert. Les jetons de ses machines sont à refaire.', count: '{n} compte|{n} comptes',
    create: 'Créer un compte ou changer un mot de passe : commande « sira user » sur le serveur (docs/operations.md).',
  },
  en: {
    title: 'Administration', loading: 'Loading…', tabNode: 'This server', tabCalls: 'Calls', tabDicom: 'DICOM devices', tabPeople: 'People', forbidden: 'This screen is for administrators.', yes: 'yes', no: 'no',
    state: 'State', version: 'Version', since: 'Running since', database: 'Database', blobs: 'Files and images', disk: 'Free disk space', sqlite: 'SQLite, on this server', postgres: 'PostgreSQL', file: 'folder of this server', s3: 'S3 storage', answers: 'answers', silent: 'does not answer: tell whoever keeps the server',
    reserve: '{free}, of which {min} are kept in reserve', low: 'The disk is almost full: uploads will soon be refused. Make room or enlarge the disk.', unknown: 'unknown',
    holds: 'What it holds', openCases: 'Open cases', cases: 'Cases in all', studies: 'DICOM studies', instances: 'DICOM objects', imageBytes: 'Size of the DICOM objects', users: 'Accounts', facilities: 'Facilities', tray: 'Studies to attach', quarantined: 'In quarantine', live: 'Open screens', calls: 'Calls going on',
    port: 'DICOM port', off: 'No DICOM port is open. To open one: --dicom-listen of “sira serve”.', address: 'Listening address', aet: 'AE title of Sira', tls: 'Encryption (TLS)', tlsOff: 'no: keep it in a closed network', tlsOn: 'yes', tlsMutual: 'yes, and each device shows its certificate',
    peers: 'Allowed devices', everybody: 'Any device that knows the address and the AE title may send (--dicom-allow *). Better name each device and its address.', noPeers: 'No device is named.', colAet: 'AE title', colAddress: 'Address', colPlace: 'Facility', colStore: 'Sends', colWorklist: 'Worklist', colQuery: 'Queries and retrieves all',
    any: 'any address', anyQuery: 'Without an address anybody can take this name.', nowhere: 'not declared', unknownPlace: 'unknown facility: {id}', notLet: 'declared, but not allowed',
    destinations: 'Destinations', noDestinations: 'None: Sira sends images to no device.', services: 'Machines with full access (DICOMweb)', noServices: 'None.', changed: 'These settings are changed in the server’s configuration (docs/dicom.md), then at a restart.',
    find: 'Find a person', noOne: 'Nobody matches “{q}”.', colName: 'Name', colRole: 'Role', colLogin: 'Login', colState: 'Account', open: 'open', closed: 'closed', close: 'Close the account', reopen: 'Reopen', you: 'you', more: 'Show the {n} others',
    closeTitle: 'Close this account?', closeText: 'The person is signed out at once and cannot come in any more. Their cases and opinions stay. The account can be reopened.', closedDone: 'Account of {who} closed.', openDone: 'Account of {who} reopened. Tokens of their machines must be made anew.', count: '{n} account|{n} accounts',
    create: 'To make an account or change a password: the command “sira user” on the server (docs/operations.md).',
  },
  bm: {},
});
