// The frame: who is signed in, which screen, what runs beside it.
import { Component, render, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { effect, signal } from '@preact/signals';
import { lang, startLang, t } from './i18n';
import { Header } from './parts/header';
import { Toaster } from './parts/base';
import { TransfersPanel } from './parts/transfers';
import { navigate, route, startRouter } from './router';
import { Login } from './screens/login';
import { CaseList } from './screens/list';
import { forgetCases, loadCases, watchCases } from './state/cases';
import { calling, callWide, inviting } from './state/calling';
import { loadDrafts } from './state/drafts';
import { startLive, stopLive, watchLink } from './state/live';
import { startClock } from './state/now';
import { loadOutbox, startOutbox } from './state/outbox';
import { me, startSession } from './state/session';
import { startTransfers } from './state/transfers';
import { countWaiting, watchTray } from './state/tray';

/** A screen that is fetched when first wanted; says so, and offers to try again when the link failed. */
function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  const part = signal<ComponentType<P> | undefined>(undefined);
  const failed = signal(false);
  const get = () => { failed.value = false; load().then((m) => { part.value = m.default; }, () => { failed.value = true; }); };
  let asked = false;
  return function Lazy(props: P) {
    useEffect(() => { if (!asked || failed.value) { asked = true; get(); } }, []);
    const Part = part.value;
    if (Part) return <Part {...props} />;
    return <p class="loading" role="status">{failed.value ? <>{t('lazy.failed')} <button type="button" class="btn" onClick={get}>{t('retry')}</button></> : t('lazy.loading')}</p>;
  };
}

const screens = { request: () => import('./screens/request'), case: () => import('./screens/case') };
const RequestScreen = lazy<{ draftId: string }>(async () => ({ default: (await screens.request()).RequestScreen }));
const CaseScreen = lazy<{ id: string }>(async () => ({ default: (await screens.case()).CaseScreen }));
/** The list comes first; what is opened from it follows while it is read, so that a cut later does not matter. */
const fetchRest = () => setTimeout(() => { for (const get of Object.values(screens)) get().catch(() => {}); void import('./uploads/engine').catch(() => {}); }, 1500);
const Devices = lazy(() => import('./devices'));
const Admin = lazy(() => import('./admin'));
const Record = lazy(() => import('./record/Minutes'));
const Viewer = lazy(() => import('./viewer'));
const Call = lazy(() => import('./call'));
const Invite = lazy(() => import('./invite'));
const Guest = lazy(() => import('./guest'));

/** One broken part says so; the rest of the page and what was typed stay. */
class Guard extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };
  static override getDerivedStateFromError() { return { broken: true }; }
  override componentDidCatch(err: unknown) { console.error(err); }
  override render() {
    if (!this.state.broken) return this.props.children;
    return <main id="main" class="page"><p class="notice bad" role="alert">{t('broken')}</p><button type="button" class="btn big" onClick={() => location.reload()}>{t('reload')}</button></main>;
  }
}

function Screen() {
  const r = route.value;
  useEffect(() => { document.title = t(`title.${r.name}`) + ' · Sira'; }, [r.name, lang.value]);
  if (r.name === 'login') return <Login />;
  if (r.name === 'request') return <RequestScreen key={r.draft} draftId={r.draft} />;
  if (r.name === 'case') return <CaseScreen key={r.id} id={r.id} />;
  if (r.name === 'images') return <Viewer key={r.id} caseId={r.id} seriesUID={r.series} />;
  if (r.name === 'tray' || r.name === 'quarantine') return <Devices quarantine={r.name === 'quarantine'} />;
  if (r.name === 'admin') return <Admin />;
  if (r.name === 'record') return <Record key={r.id ?? r.call} caseId={r.id} call={r.call} />;
  if (r.name === 'unknown') return <main id="main" class="page" tabIndex={-1}><h1>{t('unknown.title')}</h1><p><a class="btn big" href="/">{t('home')}</a></p></main>;
  return <CaseList />;
}

function App() {
  void lang.value; // every text follows the language
  if (me.value === undefined) return <p class="loading" role="status">{t('starting')}</p>;
  if (me.value === null) return <Login />;
  const r = route.value;
  const call = calling.value;
  return (
    <div class={`frame ${call ? 'with-call' : ''} ${call && callWide.value ? 'call-wide' : ''} ${r.name === 'images' ? 'dark-screen' : ''}`}>
      {r.name !== 'images' && <Header />}
      <div class="stage">
        <div class="content"><Guard key={r.name}><Screen /></Guard></div>
        {call && <aside class="dock" aria-label={t('call.title')}><Guard key={call}><Call key={call} caseId={call} /></Guard></aside>}
      </div>
      <TransfersPanel />
      {inviting.value && <Invite key={inviting.value} caseId={inviting.value} onClose={() => { inviting.value = undefined; }} />}
    </div>
  );
}

export function start(root: HTMLElement): void {
  startRouter();
  if (route.value.name === 'guest') { // somebody without an account: none of what follows is theirs
    void startLang();
    render(<Guest />, root);
    return;
  }
  startClock();
  watchLink();
  watchCases();
  watchTray();
  startOutbox();
  let user: string | undefined;
  effect(() => {
    const id = me.value?.id;
    if (id === user) return;
    user = id;
    queueMicrotask(() => {
      if (!id) { stopLive(); forgetCases(); return; }
      if (route.value.name === 'login') navigate('/', true);
      startLive();
      void loadCases();
      void countWaiting();
      void loadDrafts(id);
      void loadOutbox(id);
      void startTransfers();
      fetchRest();
    });
  });
  void startLang().then(startSession);
  render(<><App /><Toaster /></>, root);
}
