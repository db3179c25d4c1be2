// Brotli sizes of what crosses the link, against the budget. Fails when exceeded.
import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const dist = new URL('../../dist/', import.meta.url);
const size = (path) => brotliCompressSync(readFileSync(new URL(path, dist))).length;
const assets = readdirSync(new URL('assets/', dist));
const total = (names) => names.filter((n) => assets.includes(n)).reduce((sum, n) => sum + size('assets/' + n), 0);

const rows = [
  ['first load', size('index.html') + total(['index.js', 'core.js', 'core.css', 'index.css']), 60],
  ['request', total(['request.js']), 40],
  ['case', total(['case.js']), 40],
  ['viewer', total(['viewer.js', 'viewer.css']), 40],
  ['call', total(['call.js', 'call.css']), 40],
  ['still', total(['still.js', 'marks.js', 'marks.css', 'still.css']), 20],
  ['guest', total(['guest.js', 'guest.css']), 20],
  ['invite', total(['invite.js', 'invite.css']), 20],
  ['ecg', total(['ecg.js', 'ecg.css']), 40],
  ['devices', total(['devices.js', 'devices.css']), 40],
  ['admin', total(['admin.js', 'admin.css']), 40],
  ['record', total(['record.js', 'record.css', 'Minutes.js', 'figures.js', 'Details.js', 'data.js']), 20],
  ['export', total(['export.js', 'export.css']), 20],
  ['uploads', total(['uploads.js']), 40],
];
let over = false;
for (const [name, bytes, limit] of rows) {
  const bad = bytes > limit * 1024 || bytes === 0;
  over ||= bad;
  console.log(`${bad ? 'OVER ' : 'ok   '} ${name.padEnd(11)} ${(bytes / 1024).toFixed(1).padStart(6)} KiB br  (limit ${limit})`);
}
const known = new Set(['index.js', 'core.js', 'core.css', 'index.css', 'viewer.js', 'viewer.css', 'call.js', 'call.css', 'still.js', 'still.css', 'marks.js', 'marks.css', 'ecg.js', 'ecg.css', 'export.js', 'export.css', 'uploads.js', 'devices.js', 'devices.css', 'admin.js', 'admin.css', 'guest.js', 'guest.css', 'invite.js', 'invite.css', 'request.js', 'case.js', 'record.js', 'record.css', 'Minutes.js', 'figures.js', 'Details.js', 'data.js']);
for (const name of assets.filter((n) => !known.has(n))) console.log(`      ${name} ${(size('assets/' + name) / 1024).toFixed(1)} KiB br`);
if (over) process.exit(1);
