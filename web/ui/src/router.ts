// Addresses of the screens. Nothing in an address names a patient.
import { computed, signal } from '@preact/signals';

export type Route =
  | { name: 'list' } | { name: 'login' } | { name: 'request'; draft: string }
  | { name: 'case'; id: string; call: boolean } | { name: 'images'; id: string; series: string; image?: string } 
  | { name: 'guest' } | { name: 'tray' } | { name: 'quarantine' } | { name: 'admin' } | { name: 'record'; id?: string; call?: string } | { name: 'unknown' };

export function parse(path: string, search: string): Route {
  const parts = path.split('/').filter(Boolean).map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
  const [first, id, third, fourth] = parts;
  if (!first) return { name: 'list' };
  if (first === 'connexion') return { name: 'login' };
  if (first === 'nouvelle') return { name: 'request', draft: new URLSearchParams(search).get('b') ?? '' };
  if (first === 'invitation' && !id) return { name: 'guest' };
  if (first === 'recus' && !id) return { name: 'tray' };
  if (first === 'quarantaine' && !id) return { name: 'quarantine' };
  if (first === 'administration' && !id) return { name: 'admin' };
  if (first === 'administration' && id === 'appels' && third) return { name: 'record', call: third };
  if (first === 'dossier' && id) {
    if (!third) return { name: 'case', id, call: false };
    if (third === 'appel') return fourth === 'mesures' ? { name: 'record', id } : { name: 'case', id, call: true };
    if (third === 'images' && fourth) return { name: 'images', id, series: fourth, image: new URLSearchParams(search).get('image') ?? undefined };
  }
  return { name: 'unknown' };
}

const here = () => (typeof location === 'undefined' ? '/' : location.pathname + location.search);
export const address = signal(here());
export const route = computed<Route>(() => {
  const [path = '/', search = ''] = address.value.split('?');
  return parse(path, search);
});

export function navigate(to: string, replace = false): void {
  if (to === address.value) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  address.value = here();
  if (!replace) scrollTo(0, 0);
}

export const paths = {
  case: (id: string) => `/dossier/${encodeURIComponent(id)}`,
  call: (id: string) => `/dossier/${encodeURIComponent(id)}/appel`,
  record: (id: string) => `/dossier/${encodeURIComponent(id)}/appel/mesures`,
  recordOf: (call: string) => `/administration/appels/${encodeURIComponent(call)}`,
  images: (id: string, series: string) => `/dossier/${encodeURIComponent(id)}/images/${encodeURIComponent(series)}`,
  tray: '/recus', quarantine: '/quarantaine', admin: '/administration',
  image: (id: string, series: string, sop: string, frame: number) => `/dossier/${encodeURIComponent(id)}/images/${encodeURIComponent(series)}?image=${encodeURIComponent(`${sop}/${frame}`)}`,
  draft: (id: string) => `/nouvelle?b=${encodeURIComponent(id)}`,
};

/** Plain clicks on links inside the application change the screen without loading the page again. */
export function startRouter(): void {
  addEventListener('popstate', () => { address.value = here(); });
  document.addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element).closest?.('a');
    if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin || a.pathname.startsWith('/api/')) return;
    e.preventDefault();
    navigate(a.pathname + a.search);
  });
}
