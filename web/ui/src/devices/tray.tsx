import { useSignal } from '@preact/signals';
import { problemText, Problem } from '../api';
import { t, tMaybe } from '../i18n';
import { bytes } from '../lib/bytes';
import { dicomDate, dicomName } from '../lib/text';
import { day } from '../lib/time';
import { Dialog, Notice, say, When } from '../parts/base';
import { Icon } from '../parts/icon';
import { paths } from '../router';
import { me } from '../state/session';
import { AttachDialog, type Attached } from './attach';
import { devicesApi, type TrayStudy } from './data';
import { useList } from './list';
import { w, type Word } from './words';

/** How much it is: images, or objects when it is no picture. */
export const amount = (s: TrayStudy): string => w(s.modalities.every((m) => m === 'ECG') ? 'object' : 'image', { n: s.instances });

/** The patient as the device wrote it: "Oumou KEITA, F, 01/01/1995, K-77". */
export const written = (p: TrayStudy['patient']): string =>
  [dicomName(p.name) || w('noName'), p.sex ? tMaybe(`sex.${p.sex}`) ?? p.sex : '', p.birthDate ? day(dicomDate(p.birthDate)) : '', p.id].filter(Boolean).join(' · ');

const reasons = new Set(['no-accession', 'unknown-accession', 'patient-differs', 'case-closed', 'case-full']);
const why = (s: TrayStudy): string => w(`why.${reasons.has(s.reason) ? s.reason : ''}` as Word, { x: s.accession });

function Picture({ s }: { s: TrayStudy }) {
  const failed = useSignal(s.modalities.length === 1 && s.modalities[0] === 'ECG');
  return <span class="thumb">{failed.value ? <><Icon name={s.modalities.includes('ECG') ? 'heart' : 'stack'} size={36} /><span class="sr">{w('noPicture')}</span></>
    : <img src={devicesApi.thumbnail(s.studyUID)} alt="" loading="lazy" decoding="async" data-testid="tray-picture" onError={() => { failed.value = true; }} />}</span>;
}

function Study({ s, attach, discard }: { s: TrayStudy; attach: () => void; discard: () => void }) {
  const may = me.value!.role !== 'admin';
  const kind = tMaybe(`modality.${s.modalities[0] ?? ''}`);
  return (
    <li class="study card" data-testid="tray-study" data-study={s.studyUID} data-reason={s.reason} data-count={s.instances}>
      <Picture s={s} />
      <div class="study-text">
        <h2>{s.modalities.map((m) => <span class="tag mod" key={m}>{m}</span>)} {s.description || kind || w('noDescription')}</h2>
        <p class="strong" data-testid="tray-patient"><span class="sr">{w('asWritten')} </span><Icon name="user" size={16} /> {written(s.patient)}</p>
        <p class="muted">{[amount(s), bytes(s.size), s.studyDate && w('of', { date: day(dicomDate(s.studyDate)) })].filter(Boolean).join(' · ')} · {w('received')} <When at={s.lastAt} /></p>
        <p class="muted">{w('device', { aet: s.device })}, {s.facility || w('noPlace')}{s.accession ? ` · ${w('accession', { n: s.accession })}` : ''}</p>
        <p class="why" data-testid="tray-reason"><Icon name="warn" size={16} /> {why(s)}</p>
      </div>
      <div class="study-acts">
        {may && <button type="button" class="btn main" data-testid="tray-attach" onClick={attach}><Icon name="folder" size={18} /> {w('attach')}</button>}
        <button type="button" class="btn quiet" data-testid="tray-discard" onClick={discard}><Icon name="trash" size={18} /> {w('discard')}</button>
      </div>
    </li>
  );
}

/** Says what will be lost before it is; used for both lists. */
export function Sure({ title, text, what, go, act, onDone, onGone, onClose }: { title: string; text: string; what: string; go: () => Promise<void>; act: string; onDone: () => void; onGone: () => void; onClose: () => void }) {
  const busy = useSignal(false), problem = useSignal('');
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    try { await go(); onDone(); onClose(); } catch (err) {
      problem.value = err instanceof Problem && err.status === 404 ? w('gone') : problemText(err);
      if (err instanceof Problem && err.status === 404) onGone();
    } finally { busy.value = false; }
  };
  return (
    <Dialog title={title} onClose={onClose} testid="sure">
      <p class="strong">{what}</p><p>{text}</p>
      {problem.value && <Notice tone="bad">{problem.value}</Notice>}
      <p class="actions end"><button type="button" class="btn big" onClick={onClose}>{w('keep')}</button>
        <button type="button" class="btn bad big" data-testid="sure-yes" aria-disabled={busy.value} onClick={() => void run()}><Icon name="trash" size={18} /> {act}</button></p>
    </Dialog>
  );
}

export function Tray() {
  const { list, problem, reload } = useList(devicesApi.tray, 'tray');
  const attaching = useSignal<TrayStudy | undefined>(undefined), leaving = useSignal<TrayStudy | undefined>(undefined), done = useSignal<Attached | undefined>(undefined);
  const d = done.value, a = attaching.value, l = leaving.value;
  return (
    <>
      <p class="muted">{w('intro')}{me.value!.role === 'admin' ? ` ${w('adminHint')}` : ''}</p>
      {d && <Notice tone="good" testid="tray-attached" action={<a class="btn" href={paths.case(d.caseId)} data-testid="tray-open-case">{w('openCase')}</a>}>{w('attached', { n: d.instances, number: d.number })}</Notice>}
      {problem.value && <Notice tone="bad" action={<button type="button" class="btn" onClick={reload}>{t('retry')}</button>}>{problem.value}</Notice>}
      {list.value === undefined ? !problem.value && <p class="loading" role="status">{w('loading')}</p>
        : list.value.length ? <ul class="plain studies">{list.value.map((s) => <Study key={s.studyUID + s.device} s={s} attach={() => { done.value = undefined; attaching.value = s; }} discard={() => { leaving.value = s; }} />)}</ul>
          : <p class="empty" data-testid="tray-empty">{w('empty')}</p>}
      {a && <AttachDialog s={a} onDone={(r) => { done.value = r; reload(); }} onGone={reload} onClose={() => { attaching.value = undefined; }} />}
      {l && <Sure title={w('discardTitle')} text={w('discardText')} what={`${l.modalities.join(', ')} · ${written(l.patient)} · ${amount(l)}`} act={w('discard')}
        go={() => devicesApi.discard(l.studyUID)} onDone={() => { say(w('discarded')); reload(); }} onGone={reload} onClose={() => { leaving.value = undefined; }} />}
    </>
  );
}
