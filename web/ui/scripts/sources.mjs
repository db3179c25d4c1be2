// Writes ../dist/SOURCES: one hash over everything the build is made from.
// The algorithm is written down in README.md; a Go test computes it again, so
// that a dist older than its sources is seen without npm.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const files = ['index.html', 'package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts'];

function walk(dir) {
  for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory()) walk(path);
    else if (/\.(ts|tsx|css|json|svg|html|webmanifest)$/.test(entry.name)) files.push(path);
  }
}
walk('src');
walk('public');

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const hash = createHash('sha256');
for (const path of files.sort(byBytes)) {
  const content = readFileSync(join(root, path));
  hash.update(`${path}\0${content.length}\0`);
  hash.update(content);
}
writeFileSync(join(root, '../dist/SOURCES'), hash.digest('hex') + '\n');
