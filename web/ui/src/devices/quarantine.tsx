import { useSignal } from '@preact/signals';
import { t, tMaybe } from '../i18n';
import { personName } from '../lib/person';
import { dicomDate, dicomName } from '../lib/text';
import { day } from '../lib/time';
import { Notice, say, When } from '../parts/base';
import { Icon } from '../parts/icon';
import { devicesApi, type Difference, type Held } from './data';
import { useList } from './list';
import { Sure } from './tray';
import { w, type Word } from './words';

/** A value of a header in the words of a person. */
function value(field: string, v: string): string {
  if (!v) return w('none');
  if (field === 'patientName') return dicomName(v);
  if (field === 'patientSex') return tMaybe(`sex.${v}`) ?? v;
  if (field === 'patientBirthDate' || field === 'studyDate') return dicomDate(v) ? day(dicomDate(v)) : v;
  return v;
}

function Differs({ list }: { list: Difference[] }) {
  if (!list.length) return <p>{w('onlyPixels')}</p>;
  return (
    <table class="compare" data-testid="differs">
      <thead><tr><th scope="col">{w('attribute')}</th><th scope="col">{w('known')}</th><th scope="col">{w('later')}</th></tr></thead>
      <tbody>{list.map((d) => <tr key={d.field} data-field={d.field}><th scope="row">{w(`f.${d.field}` as Word) || d.field}</th><td>{value(d.field, d.known)}</td><td>{value(d.field, d.received)}</td></tr>)}</tbody>
    </table>
  );
}

export function Quarantine() {
  const { list, problem, reload } = useList(devicesApi.quarantine, 'quarantine');
  const leaving = useSignal<Held | undefined>(undefined);
  const l = leaving.value;
  return (
    <>
      <p class="muted">{w('quarantineIntro')}</p>
      {problem.value && <Notice tone="bad" action={<button type="button" class="btn" onClick={reload}>{t('retry')}</button>}>{problem.value}</Notice>}
      {list.value === undefined ? !problem.value && <p class="loading" role="status">{w('loading')}</p>
        : list.value.length === 0 ? <p class="empty" data-testid="quarantine-empty">{w('quarantineEmpty')}</p>
          : <><Notice>{w('what')}</Notice>
            <ul class="plain studies">{list.value.map((q) => (
              <li class="card held" key={q.id} data-testid="quarantine-entry" data-sop={q.sopUID} data-times={q.times}>
                <div class="card-head"><h2><span class="tag mod">{q.modality || '?'}</span> {w('sentBy', { who: personName(q.by) || q.device || '?' })}{q.remote ? `, ${w('from', { ip: q.remote })}` : ''}</h2>
                  <button type="button" class="btn quiet" data-testid="quarantine-drop" onClick={() => { leaving.value = q; }}><Icon name="trash" size={18} /> {w('drop')}</button></div>
                <p class="muted">{w('times', { n: q.times })}, {q.times > 1 && <>{w('first')} <When at={q.firstAt} />, {w('last')} </>}<When at={q.lastAt} /></p>
                <Differs list={q.differs} />
                <p class="muted small uid">{w('uid')} : {q.sopUID}</p>
              </li>))}</ul></>}
      {l && <Sure title={w('dropTitle')} text={w('dropText')} what={`${l.modality} · ${l.sopUID}`} act={w('drop')}
        go={() => devicesApi.drop(l.id)} onDone={() => { say(w('dropped')); reload(); }} onGone={reload} onClose={() => { leaving.value = undefined; }} />}
    </>
  );
}
