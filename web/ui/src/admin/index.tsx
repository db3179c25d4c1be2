// Administration: this server, the devices it talks to, the people who may come in.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { t } from '../i18n';
import { onLive } from '../state/live';
import { me } from '../state/session';
import { Notice } from '../parts/base';
import { adminApi, type Node } from './data';
import { Dicom } from './dicom';
import { NodeCards } from './node';
import { Calls } from '../record/Calls';
import { People } from './people';
import { w } from './words';
import './admin.css';

const tabs = ['node', 'calls', 'dicom', 'people'] as const;
const words = { node: 'tabNode', calls: 'tabCalls', dicom: 'tabDicom', people: 'tabPeople' } as const;

export default function Admin() {
  const tab = useSignal<(typeof tabs)[number]>('node'), node = useSignal<Node | undefined>(undefined), problem = useSignal('');
  const allowed = me.value!.role === 'admin';
  const load = () => { if (allowed) adminApi.node().then((n) => { node.value = n; problem.value = ''; }, (err) => { problem.value = problemText(err); }); };
  useEffect(() => {
    load();
    const every = window.setInterval(load, 60_000);
    const off = onLive((m) => { if (m.type === 'refresh' || m.type === 'tray' || m.type === 'quarantine') load(); });
    return () => { clearInterval(every); off(); };
  }, []);
  if (!allowed) return <main id="main" class="page" tabIndex={-1}><h1>{w('title')}</h1><Notice tone="bad">{w('forbidden')}</Notice></main>;
  const onKey = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    e.preventDefault();
    tab.value = tabs[(tabs.indexOf(tab.value) + step + tabs.length) % tabs.length]!;
    document.getElementById(`adm-${tab.value}`)?.focus();
  };
  const n = node.value;
  return (
    <main id="main" class="page admin" tabIndex={-1} data-testid="admin">
      <div class="list-bar"><h1>{w('title')}</h1>
        <div class="tabs" role="tablist" aria-label={w('title')} onKeyDown={onKey}>
          {tabs.map((k) => <button type="button" key={k} id={`adm-${k}`} role="tab" aria-selected={tab.value === k} aria-controls="adm-panel" tabIndex={tab.value === k ? 0 : -1} data-testid={`admin-${k}`} onClick={() => { tab.value = k; }}>{w(words[k])}</button>)}
        </div></div>
      {problem.value && <Notice tone="bad" action={<button type="button" class="btn" onClick={load}>{t('retry')}</button>}>{problem.value}</Notice>}
      <div id="adm-panel" class="panel-list" role="tabpanel" aria-labelledby={`adm-${tab.value}`}>
        {tab.value === 'people' ? <People /> : tab.value === 'calls' ? <Calls /> : !n ? !problem.value && <p class="loading" role="status">{w('loading')}</p> : tab.value === 'node' ? <NodeCards n={n} /> : <Dicom d={n.dicom} />}
      </div>
    </main>
  );
}
