// Attaching a study to a case: pick the case, compare the two patients, confirm when they contradict.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Problem, problemText } from '../api';
import { lang, t, tMaybe } from '../i18n';
import { formatAge, patientAge, sexAge } from '../lib/age';
import { dicomDate, dicomName, matches } from '../lib/text';
import { day } from '../lib/time';
import { Dialog, Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import { UrgencyBadge } from '../parts/urgency';
import { cases, loadCases } from '../state/cases';
import { now } from '../state/now';
import { me, specialtyLabel } from '../state/session';
import type { CaseSummary } from '../types';
import { candidates, compareBirth, compareName, compareSex, devicesApi, type TrayStudy, type Verdict } from './data';
import { amount, written } from './tray';
import { w } from './words';

export interface Attached { caseId: string; number: string; instances: number }
const shown = 30;

function Row({ label, left, right, verdict }: { label: string; left: string; right: string; verdict: Verdict }) {
  return (
    <tr data-verdict={verdict}><th scope="row">{label}</th><td>{left || w('unsaid')}</td><td>{right || w('unsaid')}</td>
      <td class="verdict">{verdict === 'differs' ? <span class="no"><Icon name="warn" size={16} /> {w('different')}</span> : verdict === 'same' ? <span class="ok"><Icon name="check" size={16} /> {w('same')}</span> : ''}</td></tr>
  );
}

function Compare({ s, c }: { s: TrayStudy; c: CaseSummary }) {
  const p = s.patient, sex = (v: string) => (v ? tMaybe(`sex.${v}`) ?? v : '');
  const age = formatAge(patientAge(c.patient, now.value), lang.value, 'long');
  return (
    <table class="compare" data-testid="compare">
      <caption>{w('compare')}</caption>
      <thead><tr><td /><th scope="col">{w('onDevice')}</th><th scope="col">{w('inCase')}</th><td /></tr></thead>
      <tbody>
        <Row label={w('name')} left={dicomName(p.name)} right={c.patient.name} verdict={compareName(p.name, c.patient.name)} />
        <Row label={w('sex')} left={sex(p.sex)} right={sex(c.patient.sex)} verdict={compareSex(p.sex, c.patient.sex)} />
        <Row label={w('birth')} left={p.birthDate ? [day(dicomDate(p.birthDate)), formatAge(patientAge({ name: '', sex: '', birthDate: dicomDate(p.birthDate) }, now.value), lang.value, 'long')].filter(Boolean).join(', ') : ''}
          right={[c.patient.birthDate && day(c.patient.birthDate), age].filter(Boolean).join(', ')} verdict={compareBirth(p.birthDate, c.patient.birthDate)} />
        <Row label={w('ident')} left={p.id} right={c.number} verdict="unknown" />
      </tbody>
    </table>
  );
}

export function AttachDialog({ s, onDone, onGone, onClose }: { s: TrayStudy; onDone: (r: Attached) => void; onGone: () => void; onClose: () => void }) {
  const query = useSignal(''), chosen = useSignal(''), busy = useSignal(false), problem = useSignal('');
  const contradicts = useSignal(false), sure = useSignal(false);
  useEffect(() => { void loadCases(); }, []);
  const warned = contradicts.value;
  useEffect(() => { if (warned) document.getElementById('attach-tick')?.scrollIntoView({ block: 'center' }); }, [warned]);
  const all = candidates(cases.value ?? [], me.value!, s);
  const found = all.filter((c) => matches(`${c.patient.name} ${c.number} ${c.question}`, query.value)).slice(0, shown);
  const c = all.find((x) => x.id === chosen.value);
  const pick = (id: string) => { chosen.value = id; contradicts.value = sure.value = false; problem.value = ''; };
  const run = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    if (!c) { problem.value = w('choose'); return; }
    if (contradicts.value && !sure.value) { problem.value = w('mustConfirm'); return; }
    busy.value = true;
    problem.value = '';
    try {
      const r = await devicesApi.attach(s.studyUID, c.id, sure.value);
      void loadCases();
      onDone({ caseId: c.id, number: c.number, instances: r.instances });
      onClose();
    } catch (err) {
      if (err instanceof Problem && err.code === 'patient-differs') contradicts.value = true;
      else if (err instanceof Problem && err.status === 404) { problem.value = w('gone'); onGone(); } else problem.value = problemText(err);
    } finally { busy.value = false; }
  };
  return (
    <Dialog title={w('attachTitle')} onClose={onClose} testid="attach-dialog">
      <form onSubmit={run}>
        <p class="strong">{s.modalities.join(', ')} · {written(s.patient)} · {amount(s)}</p>
        {all.length === 0 ? <Notice tone="warn">{w('noCases')}</Notice> : <>
          {all.length > 4 && <label class="search"><Icon name="search" size={20} /><span class="sr">{w('findCase')}</span>
            <input type="search" data-testid="attach-search" placeholder={w('findCase')} value={query.value} onInput={(e) => { query.value = e.currentTarget.value; }} /></label>}
          <fieldset class="field pick"><legend>{w('cases')}</legend>
            {found.length === 0 && <p class="empty small">{w('noMatch', { q: query.value.trim() })}</p>}
            <div class="choice-col pick-list">{found.map((x) => (
              <label class="choice" key={x.id}><input type="radio" name="case" data-testid="attach-case" value={x.id} checked={chosen.value === x.id} onChange={() => pick(x.id)} />
                <span><strong><UrgencyBadge level={x.urgency} /> {x.patient.name}, {sexAge(x.patient, now.value, lang.value)}</strong><small>{x.number} · {specialtyLabel(x.specialty)} · {x.question}</small></span></label>))}</div>
          </fieldset></>}
        {c && <Compare s={s} c={c} />}
        {contradicts.value && <Notice tone="warn" testid="attach-contradicts"><p>{w('contradict')}</p>
          <label class="tick"><input type="checkbox" id="attach-tick" data-testid="attach-sure" checked={sure.value} onChange={(e) => { sure.value = e.currentTarget.checked; problem.value = ''; }} /> <strong>{w('sure')}</strong></label></Notice>}
        {problem.value && <Notice tone="bad" testid="attach-problem">{problem.value}</Notice>}
        <p class="actions end"><button type="button" class="btn big" onClick={onClose}>{t('cancel')}</button>
          {all.length > 0 && <button type="submit" class={`btn big ${contradicts.value ? 'bad' : 'main'}`} data-testid="attach-confirm" aria-disabled={busy.value || !c}>{busy.value ? w('attaching') : contradicts.value ? w('anyway') : w('attachN', { n: s.instances })}</button>}</p>
      </form>
    </Dialog>
  );
}
