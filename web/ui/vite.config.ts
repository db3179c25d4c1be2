import { defineConfig, type Plugin } from 'vite';

// The entry stays a few bytes and is imported by nobody: the server stamps its
// address with ?v=…, and a module that is loaded under two addresses runs twice.
// All shared code lives in core.js, which every chunk imports under its plain name.
const uploads = /\/src\/uploads\/|tus-js-client|js-base64|url-parse|querystringify|requires-port|is-stream|proper-lockfile|combine-errors/;
const lazy = /\/src\/(viewer|ecg|call|export|case|devices|admin|guest|invite|record)\/|\/screens\/(case|request)\.tsx|\/lib\/pick\.ts|\/parts\/files\.tsx|\/i18n\/(en|bm)\.json|\/i18n\/local\.ts|\/lean-qr\//;
const entry = (id: string) => id.endsWith('/src/main.ts') || id.includes('index.html') || id.includes('/src/styles/');

/** Fetches core.js beside the entry. Single quotes: the server stamps only double-quoted addresses, and this one is imported plain. */
const preloadCore: Plugin = {
  name: 'preload-core',
  transformIndexHtml: { order: 'post', handler: (html) => html.replace('</head>', `  <link rel='modulepreload' href='/assets/core.js'>\n</head>`) },
};

export default defineConfig({
  base: '/',
  publicDir: 'public',
  plugins: [preloadCore],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2020',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false, resolveDependencies: (_file, deps) => deps.filter((d) => !d.includes('core.js')) },
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
        codeSplitting: {
          groups: [
            { name: 'core', priority: 2, test: (id: string) => !lazy.test(id) && !uploads.test(id) && !entry(id) },
            { name: 'uploads', priority: 1, test: (id: string) => uploads.test(id) },
          ],
        },
      },
    },
  },
});
