import { defineConfig } from 'vite';

// The entry stays a few bytes and is imported by nobody: the server may stamp
// its address with ?v=…, and a module that is loaded under two addresses runs
// twice. All shared code lives in core.js, which every chunk imports as it is.
const lazy = /\/src\/(viewer|ecg|call|uploads|media)\/|\/i18n\/(en|bm)\.json|tus-js-client|js-base64|url-parse|querystringify|requires-port|is-stream/;

export default defineConfig({
  base: '/',
  publicDir: 'public',
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2020',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
        codeSplitting: {
          groups: [
            { name: 'core', test: (id: string) => !lazy.test(id) && !id.endsWith('/src/main.ts') && !id.endsWith('index.html') },
          ],
        },
      },
    },
  },
});
