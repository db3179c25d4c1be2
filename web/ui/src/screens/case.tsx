// Le dossier.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { lang, t, tMaybe, type Key } from '../i18n';
import { formatAge, patientAge } from '../lib/age';
import { personName } from '../lib/person';
import { day } from '../lib/time';
import { ActionButton, ActionDialog, possible, type Doing } from '../case/actions';
import { Files } from '../case/files';
import { openCase } from '../case/model';
import { OpinionForm, OpinionView } from '../case/opinion';
import { Procedure } from '../case/procedure';
import { Thread } from '../case/thread';
import { Notice, When } from '../parts/base';
import { Door } from '../parts/door';
import { Icon } from '../parts/icon';
import { InviteButton } from '../parts/invite';
import { useReady } from '../parts/ready';
import { DueClock, UrgencyBadge } from '../parts/urgency';
import { navigate, paths, route } from '../router';
import { expectation } from '../state/cases';
import { calling } from '../state/calling';
import { now } from '../state/now';
import { me, specialtyLabel } from '../state/session';
import type { Case } from '../types';

function Banner({ c }: { c: Case }) {
  const p = c.patient;
  const age = patientAge(p, now.value);
  const wantsCall = route.value.name === 'case' && route.value.call;
  useReady(c.id, c.callParticipants > 0 && c.can.includes('call') && !calling.value);
  useEffect(() => { if (wantsCall && c.can.includes('call')) calling.value = c.id; }, [wantsCall]);
  return (
    <header class="banner" data-testid="patient-banner">
      <button type="button" class="btn quiet square back" aria-label={t('back')} onClick={() => navigate('/')}><Icon name="back" /></button>
      <div class="id">
        <h1>{p.name}</h1>
        <p class="facts"><span>{[p.sex ? tMaybe(`sex.${p.sex}`) ?? p.sex : '', formatAge(age, lang.value, 'long')].filter(Boolean).join(', ')}</span>
          {p.birthDate && <span>{t('patient.born', { date: day(p.birthDate) })}</span>}
          {(p.identifiers ?? []).map((i) => <span key={i.system + i.value}>{tMaybe(`ident.${i.system}`) ?? i.system} {i.value}</span>)}
          {p.village && <span>{p.village}</span>}{p.motherName && <span class="wide-only">{t('patient.motherShort', { name: p.motherName })}</span>}</p>
      </div>
      <div class="status"><span class="row"><UrgencyBadge level={c.urgency} word /><span class="muted num">{c.number}</span></span>
        <span class="row"><span class={`expect ${c.status}`} data-testid="case-status" data-status={c.status}>{t(`status.${c.status}` as Key)}</span> <DueClock c={c} /></span></div>
      <div class="banner-call">{c.can.includes('call') && calling.value !== c.id && (
        <button type="button" class={`btn call ${c.callParticipants ? 'main live' : ''}`} data-testid="call-open" onClick={() => { calling.value = c.id; if (!wantsCall) navigate(paths.call(c.id), true); }}>
          <Icon name="phone" /> <span>{c.callParticipants ? t('call.join') : t('call.start')}{c.callParticipants > 0 && <small data-testid="call-presence">{t('call.present', { n: c.callParticipants })}</small>}</span>
        </button>)}
      {c.can.includes('invite') && calling.value !== c.id && <InviteButton caseId={c.id} />}</div>
    </header>
  );
}

export function CaseScreen({ id }: { id: string }) {
  const open = useMemo(() => openCase(id), [id]);
  useEffect(() => () => open.close(), [open]);
  const doing = useSignal<Doing | undefined>(undefined);
  const c = open.data.value;
  if (!c) {
    const problem = open.problem.value;
    return <main id="main" class="page" tabIndex={-1}>{problem
      ? <><Notice tone="bad" testid="case-problem" action={<button type="button" class="btn" onClick={() => void open.reload()}>{t('retry')}</button>}>{problem.text}</Notice><p><a class="btn" href="/">{t('home')}</a></p></>
      : <p class="loading" role="status">{t('case.loading')}</p>}</main>;
  }
  const expect = expectation(c, me.value!);
  const acts = possible(c);
  // One main action: what is expected of me now.
  const main: Doing | undefined = expect === 'triage' ? 'assign' : c.status === 'answered' && c.clinician?.id === me.value!.id ? 'close' : undefined;
  const consent = c.consent;
  return (
    <>
      <Banner c={c} />
      <main id="main" class="page case" tabIndex={-1} data-testid="case" data-seq={c.seq}>
        {c.can.includes('admit') && calling.value !== c.id && <Door caseId={c.id} />}
        {open.keptAt.value > 0 && <Notice tone="warn" testid="case-offline" action={<button type="button" class="btn" onClick={() => void open.reload()}>{t('retry')}</button>}>{t('case.kept')} <When at={new Date(open.keptAt.value)} />.</Notice>}
        <div class="case-grid">
          <div class="case-main">
            <section class="card question-card" aria-labelledby="h-q">
              <h2 id="h-q">{t('case.question')}</h2>
              <blockquote class="question" data-testid="case-question">{c.question}</blockquote>
              <p class="muted">{t('case.askedBy', { who: personName(c.clinician), where: c.facility })} · <When at={c.openedAt} /></p>
              <p class="muted">{specialtyLabel(c.specialty)} · {c.assignees.length ? t('case.assignedTo', { who: c.assignees.map(personName).join(', ') }) : t('case.notAssigned')}</p>
              {c.outcome && <Notice tone="info">{t('case.outcome')} {tMaybe(`outcome.${c.outcome}`) ?? c.outcome}{c.outcomeNote ? `. ${c.outcomeNote}` : ''}</Notice>}
              <div class="actions">
                {main && acts.includes(main) && <ActionButton d={main} main c={c} onClick={() => { doing.value = main; }} />}
                {c.can.includes('give-opinion') && <button type="button" class="btn main" data-testid="go-opinion" onClick={() => { const el = document.getElementById('o-findings'); el?.scrollIntoView({ block: 'center' }); el?.focus(); }}><Icon name="check" /> {t('opinion.write')}</button>}
                {acts.filter((d) => d !== main).map((d) => <ActionButton key={d} d={d} c={c} onClick={() => { doing.value = d; }} />)}
              </div>
            </section>
            {c.opinions.length > 0 && <section class="card opinion-card" aria-labelledby="h-op"><h2 id="h-op">{t('case.opinion')}</h2>{[...c.opinions].reverse().map((o) => <OpinionView key={o.id} o={o} />)}</section>}
            <Files c={c} />
            <Procedure c={c} open={open} />
            {c.history && <section class="card" aria-labelledby="h-h"><h2 id="h-h">{t('case.history')}</h2><p class="text" data-testid="case-history">{c.history}</p></section>}
            <OpinionForm c={c} open={open} />
            <section class="card fine" aria-labelledby="h-c"><h2 id="h-c">{t('request.consent')}</h2>
              <p>{consent?.how ? <>{tMaybe(`consent.${consent.how}`) ?? consent.how}{consent.by ? ` · ${consent.by}` : ''}{consent.at && <> · <When at={consent.at} /></>}{consent.note ? ` · ${consent.note}` : ''}</> : '—'}</p>
              {(c.patient.phone || c.patient.motherName) && <p class="muted">{[c.patient.motherName && t('patient.motherShort', { name: c.patient.motherName }), c.patient.phone && `${t('patient.phone')} ${c.patient.phone}`].filter(Boolean).join(' · ')}</p>}
            </section>
          </div>
          <Thread c={c} fresh={open.fresh} />
        </div>
        {doing.value && <ActionDialog d={doing.value} c={c} open={open} onClose={() => { doing.value = undefined; }} />}
      </main>
    </>
  );
}
