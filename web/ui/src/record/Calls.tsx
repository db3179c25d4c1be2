// Calls for administrators: who spoke and how well it went, never about whom.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { tMaybe } from '../i18n';
import { sumLine } from '../lib/callsum';
import { Notice, When } from '../parts/base';
import { paths } from '../router';
import { recordApi, type CallLine } from './data';
import { personOf, w } from './words';
import './record.css';

const every = 10_000; // ms

export function Calls() {
  const list = useSignal<CallLine[] | undefined>(undefined), problem = useSignal('');
  useEffect(() => {
    const load = () => void recordApi.calls().then((l) => { list.value = l; problem.value = ''; }, (err) => { problem.value = problemText(err); });
    load();
    const timer = window.setInterval(load, every);
    return () => clearInterval(timer);
  }, []);
  if (problem.value) return <Notice tone="bad">{problem.value}</Notice>;
  if (!list.value) return <p class="loading" role="status">{w('loading')}</p>;
  const now = list.value.filter((c) => !c.endedAt), past = list.value.filter((c) => c.endedAt);
  return (
    <>
      {!list.value.length && <p class="empty">{w('callsNone')}</p>}
      {now.length > 0 && <Some title={w('callsNow')} list={now} testid="calls-now" />}
      {past.length > 0 && <Some title={w('callsPast')} list={past} testid="calls-past" />}
      <p class="hint">{w('callsKept')}</p>
    </>
  );
}

function Some({ title, list, testid }: { title: string; list: CallLine[]; testid: string }) {
  return (
    <section class="card" data-testid={testid}><h2>{title}</h2>
      {list.map((c) => (
        <div key={c.id} class="call-row" data-testid="call-row"><div class="grow">
          <strong>{c.people.filter((p) => !p.via).map((p) => [personOf(p), p.facility].filter(Boolean).join(', ')).join(' · ') || (c.rehearsal ? w('rehearsal') : '—')}</strong>
          {c.people.some((p) => p.via) && <span class="muted"> + {c.people.filter((p) => p.via).map((p) => tMaybe(`call.${p.via}`) ?? w(p.via === 'whep' ? 'whep' : 'whip')).join(', ')}</span>}
          <p class="small">{sumLine(c.sum)} · <span class="muted"><When at={c.startedAt} /></span></p></div>
          <a class="btn" href={paths.recordOf(c.id)} data-testid="call-see" aria-label={`${w('see')} : ${c.people.map(personOf).join(', ')}`}>{w('see')}</a>
        </div>))}
    </section>
  );
}
