// Bundles test/*.test.ts with the same tool as the application and runs them
// with node --test, because this Node does not read TypeScript by itself.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = root + 'node_modules/.sira-test';
rmSync(outDir, { recursive: true, force: true });
const input = readdirSync(root + 'test').filter((n) => n.endsWith('.test.ts')).map((n) => root + 'test/' + n);
await build({
  root, configFile: false, logLevel: 'warn',
  build: { ssr: true, outDir, target: 'node20', rolldownOptions: { input, output: { entryFileNames: '[name].mjs' } } },
  ssr: { noExternal: true },
});
const files = readdirSync(outDir).filter((n) => n.endsWith('.test.mjs')).map((n) => `${outDir}/${n}`);
const run = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
process.exit(run.status ?? 1);
