// Nouvelle demande: one page, kept as it is typed.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { lang, t, type Key } from '../i18n';
import { formatAge, ageOn } from '../lib/age';
import { fold } from '../lib/text';
import { clock, duration } from '../lib/time';
import { Area, Meter, Notice, say } from '../parts/base';
import { AddFiles, CaseTransfers } from '../parts/files';
import { Icon } from '../parts/icon';
import { UrgencyBadge } from '../parts/urgency';
import { navigate, paths } from '../router';
import { cases } from '../state/cases';
import { completeness, drafts, getDraft, isEmpty, missing, newDraft, openedEvent, removeDraft, saveDraft, type Draft, type Field } from '../state/drafts';
import { now } from '../state/now';
import { drop, enqueue, onSent, outbox, sending } from '../state/outbox';
import { directory, me } from '../state/session';
import { cancel, ofCase } from '../state/transfers';
import { reachable } from '../api';
import type { Urgency } from '../types';
import { uuid } from '../lib/uuid';

const identifierSystems = ['local', 'nina', 'amo', 'ramed', 'other'] as const;
const consentHows = ['written', 'oral', 'fingerprint', 'representative', 'emergency'] as const;
const levels: Urgency[] = ['U0', 'U1', 'U2', 'U3'];
const fieldId: Record<Field, string> = { name: 'f-name', sex: 'f-sex-F', age: 'f-age', identifiers: 'f-ident-0', village: 'f-village', question: 'f-question', history: 'f-history', specialty: 'f-specialty', urgency: 'f-urgency-U0', files: 'f-files', consentHow: 'f-consent-written', consentBy: 'f-consent-by', consentNote: 'f-consent-note' };

export function RequestScreen({ draftId }: { draftId: string }) {
  const draft = useSignal<Draft | undefined>(undefined);
  const saveFailed = useSignal(false);
  const tried = useSignal(false);
  const user = me.value!;

  useEffect(() => {
    if (!draftId) { navigate(paths.draft(uuid()), true); return; }
    let alive = true;
    void getDraft(draftId).then((d) => { if (alive) draft.value = d && d.owner === user.id ? d : newDraft(user.id, Date.now(), draftId); });
    return () => { alive = false; };
  }, [draftId]);

  // Sent meanwhile (also by another attempt): go to the case.
  useEffect(() => onSent((item, result) => {
    if (item.kind !== 'request' || item.caseId !== draftId) return;
    void removeDraft(item.caseId);
    say(t('request.sent', { number: result.number ?? '' }));
    navigate(paths.case(item.caseId), true);
  }), [draftId]);

  const d = draft.value;
  if (!d) return <main id="main" class="page" tabIndex={-1}><p class="loading" role="status">{t('starting')}</p></main>;

  const change = (patch: Partial<Draft>) => {
    const next = { ...draft.value!, ...patch, savedAt: Date.now() };
    draft.value = next;
    void saveDraft(next).then((ok) => { saveFailed.value = !ok; });
  };
  const keep = () => change({}); // files were added: the draft is worth keeping
  const files = ofCase(d.id);
  const lacking = missing(d);
  const done = completeness(d, files.length);
  const bad = (f: Field) => tried.value && lacking.includes(f);
  const out = outbox.value.find((i) => i.caseId === d.id && i.kind === 'request');
  const dir = directory.value;
  const experts = (dir?.specialists ?? []).filter((s) => s.specialties.includes(d.specialty));
  const others = drafts.value.filter((x) => x.id !== d.id && !isEmpty(x) && !x.queued);
  const twin = d.name.trim().length > 3 ? (cases.value ?? []).filter((c) => fold(c.patient.name) === fold(d.name)).slice(0, 3) : [];

  const sendIt = (e: Event) => {
    e.preventDefault();
    if (lacking.length) {
      tried.value = true;
      const el = document.getElementById(fieldId[lacking[0]!]);
      el?.focus();
      el?.scrollIntoView({ block: 'center' });
      return;
    }
    change({ queued: true });
    void enqueue({ id: d.eventId, owner: user.id, caseId: d.id, kind: 'request', events: [openedEvent(draft.value!, user.facility?.id ?? '', new Date())], createdAt: Date.now(), tries: 0 });
  };
  const edit = () => { if (out) void drop(out.id); change({ queued: false }); };
  const discard = () => {
    const kept = { ...d };
    void removeDraft(d.id);
    navigate('/');
    let undone = false;
    say(t('request.deleted'), () => { undone = true; void saveDraft(kept).then(() => navigate(paths.draft(kept.id))); });
    setTimeout(() => { if (!undone) for (const f of ofCase(kept.id)) void cancel(f.id); }, 13_000);
  };

  if (d.queued) {
    const refused = out?.refused;
    return (
      <main id="main" class="page narrow" tabIndex={-1}>
        <h1>{d.name}</h1>
        {refused
          ? <Notice tone="bad" testid="request-refused">{t('request.refused')} {refused.text}</Notice>
          : <Notice tone={reachable.value ? 'info' : 'warn'} testid="request-waiting">
              <strong>{sending.value && reachable.value ? t('request.sending') : t('request.waiting')}</strong><br />{t('request.waitingLong')}
            </Notice>}
        <section class="card"><q class="question">{d.question}</q></section>
        {files.length > 0 && <section class="card"><h2>{t('request.files')}</h2><CaseTransfers caseId={d.id} /></section>}
        <p class="actions"><button type="button" class="btn big" data-testid="request-edit" onClick={edit}>{t('request.edit')}</button> <a class="btn big main" href="/">{t('request.toList')}</a></p>
      </main>
    );
  }

  return (
    <main id="main" class="page form-page" tabIndex={-1}>
      <form onSubmit={sendIt} data-testid="request-form" noValidate autocomplete="off">
        <div class="form-title"><h1>{t('list.new')}</h1>
          {others.length > 0 && <span class="other-drafts">{t('request.otherDrafts')} {others.slice(0, 3).map((x) => <a key={x.id} href={paths.draft(x.id)}>{x.name || t('list.noName')}</a>)}</span>}</div>

        <section class="card" aria-labelledby="h-patient"><h2 id="h-patient">{t('request.patient')}</h2>
          <div class="grid who">
            <div class="field"><label for="f-name">{t('patient.name')} <Req /></label>
              <input id="f-name" data-testid="field-name" value={d.name} maxLength={200} aria-required="true" aria-invalid={bad('name') || undefined} placeholder={t('patient.namePlaceholder')} onInput={(e) => change({ name: e.currentTarget.value })} /><Lack on={bad('name')} f="name" /></div>
            <fieldset class="field choices"><legend>{t('patient.sex')} <Req /></legend><div class="choice-row">
              {(['F', 'M'] as const).map((s) => <label class="choice" key={s}><input id={`f-sex-${s}`} data-testid={`field-sex-${s}`} type="radio" name="sex" checked={d.sex === s} onChange={() => change({ sex: s })} /><span>{t(`sex.${s}`)}</span></label>)}
            </div><Lack on={bad('sex')} f="sex" /></fieldset>
            <fieldset class="field choices"><legend>{t('patient.age')} <Req /></legend>
              <div class="choice-row age">
                {d.ageKnown === 'age'
                  ? <><input id="f-age" class="short" data-testid="field-age" inputMode="numeric" aria-label={t('patient.age')} aria-invalid={bad('age') || undefined} value={d.ageValue} maxLength={3} onInput={(e) => change({ ageValue: e.currentTarget.value.replace(/\D/g, '') })} />
                    <select data-testid="field-age-unit" aria-label={t('patient.ageUnit')} value={d.ageUnit} onChange={(e) => change({ ageUnit: e.currentTarget.value as Draft['ageUnit'] })}>
                      <option value="Y">{t('age.Y')}</option><option value="M">{t('age.M')}</option><option value="D">{t('age.D')}</option></select></>
                  : <><input id="f-age" type="date" data-testid="field-birthdate" aria-label={t('patient.birthDate')} aria-invalid={bad('age') || undefined} value={d.birthDate} max={new Date().toISOString().slice(0, 10)} onInput={(e) => change({ birthDate: e.currentTarget.value })} />
                    {d.birthDate && <span class="muted">{formatAge(ageOn(d.birthDate, now.value), lang.value, 'long')}</span>}</>}
                <button type="button" class="btn quiet" data-testid="age-switch" onClick={() => change({ ageKnown: d.ageKnown === 'age' ? 'birth' : 'age' })}>{d.ageKnown === 'age' ? t('patient.useBirth') : t('patient.useAge')}</button>
              </div><Lack on={bad('age')} f="age" /></fieldset>
          </div>
          {twin.length > 0 && <Notice tone="warn">{t('request.twin')} {twin.map((c) => <a key={c.id} href={paths.case(c.id)}>{c.number}</a>)}</Notice>}
          <div class="grid">
            {d.identifiers.map((idn, i) => (
              <div class="field" key={i}><label for={`f-ident-${i}`}>{t('patient.identifier')}</label>
                <div class="joined">
                  <select aria-label={t('patient.identifierKind')} value={idn.system} onChange={(e) => change({ identifiers: d.identifiers.map((x, k) => (k === i ? { ...x, system: e.currentTarget.value } : x)) })}>
                    {identifierSystems.map((s) => <option key={s} value={s}>{t(`ident.${s}`)}</option>)}</select>
                  <input id={`f-ident-${i}`} data-testid={i ? undefined : 'field-identifier'} value={idn.value} maxLength={64} onInput={(e) => change({ identifiers: d.identifiers.map((x, k) => (k === i ? { ...x, value: e.currentTarget.value } : x)) })} />
                  {i === d.identifiers.length - 1 && d.identifiers.length < 5 && <button type="button" class="btn quiet square" aria-label={t('patient.addIdentifier')} title={t('patient.addIdentifier')} onClick={() => change({ identifiers: [...d.identifiers, { system: 'nina', value: '' }] })}><Icon name="plus" /></button>}
                </div></div>
            ))}
            <div class="field"><label for="f-village">{t('patient.village')}</label><input id="f-village" data-testid="field-village" value={d.village} maxLength={120} onInput={(e) => change({ village: e.currentTarget.value })} /></div>
            <div class="field"><label for="f-mother">{t('patient.mother')}</label><input id="f-mother" data-testid="field-mother" value={d.motherName} maxLength={200} onInput={(e) => change({ motherName: e.currentTarget.value })} /></div>
            <div class="field"><label for="f-phone">{t('patient.phone')}</label><input id="f-phone" data-testid="field-phone" type="tel" inputMode="tel" value={d.phone} maxLength={32} onInput={(e) => change({ phone: e.currentTarget.value })} /></div>
          </div>
        </section>

        <section class="card" aria-labelledby="h-question"><h2 id="h-question">{t('request.question')}</h2>
          <div class="field"><label for="f-question">{t('request.questionLabel')} <Req /></label>
            <Area id="f-question" testid="field-question" value={d.question} required maxLength={2000} placeholder={t('request.questionPlaceholder')} invalid={bad('question')} onInput={(v) => change({ question: v })} /><Lack on={bad('question')} f="question" /></div>
          <div class="grid">
            <div class="field"><label for="f-specialty">{t('request.specialty')} <Req /></label>
              <select id="f-specialty" data-testid="field-specialty" value={d.specialty} aria-required="true" aria-invalid={bad('specialty') || undefined} onChange={(e) => change({ specialty: e.currentTarget.value, to: '' })}>
                <option value="">{t('choose')}</option>
                {(dir?.specialties ?? []).map((s) => <option key={s.code} value={s.code}>{s.label}</option>)}</select><Lack on={bad('specialty')} f="specialty" /></div>
            <div class="field"><label for="f-to">{t('request.to')}</label>
              <select id="f-to" data-testid="field-to" value={d.to} onChange={(e) => change({ to: e.currentTarget.value })}>
                <option value="">{t('request.dispatch')}</option>
                {experts.map((s) => <option key={s.id} value={s.id}>{[s.title, s.name].filter(Boolean).join(' ')}{s.facility ? ` · ${s.facility}` : ''}</option>)}</select>
              <p class="hint">{d.to ? t('request.toHint') : t('request.dispatchHint')}</p></div>
          </div>
          <fieldset class="field choices"><legend>{t('request.urgency')} <Req /></legend>
            <div class="urgencies">{levels.map((u) => {
              const minutes = dir?.urgencies.find((x) => x.code === u)?.minutes ?? { U0: 15, U1: 120, U2: 1440, U3: 4320 }[u];
              return <label class={`choice urgency-choice ${d.urgency === u ? 'on' : ''}`} key={u}><input id={`f-urgency-${u}`} data-testid={`field-urgency-${u}`} type="radio" name="urgency" checked={d.urgency === u} onChange={() => change({ urgency: u })} />
                <span><UrgencyBadge level={u} word /><small>{t(`urgency.${u}.means`)}</small><small class="delay"><Icon name="clock" size={14} /> {t('urgency.within', { d: minutes % 1440 === 0 && minutes > 1440 ? duration(minutes) : minutes >= 60 ? t('time.h', { n: minutes / 60 }) : t('time.min', { n: minutes }) })}</small></span></label>;
            })}</div><Lack on={bad('urgency')} f="urgency" /></fieldset>
          <div class="field"><label for="f-history">{t('request.history')}</label>
            <Area id="f-history" testid="field-history" rows={4} value={d.history} placeholder={t('request.historyPlaceholder')} onInput={(v) => change({ history: v })} describedBy="f-history-hint" />
            <p class="hint" id="f-history-hint">{t('request.historyHint')}</p></div>
        </section>

        <section class="card" id="f-files" tabIndex={-1} aria-labelledby="h-files"><h2 id="h-files">{t('request.files')}</h2>
          <AddFiles caseId={d.id} onPicked={keep} />
          <CaseTransfers caseId={d.id} />
        </section>

        <section class="card" aria-labelledby="h-consent"><h2 id="h-consent">{t('request.consent')}</h2>
          <p class="hint">{t('consent.explain')}</p>
          <fieldset class="field choices"><legend>{t('consent.how')} <Req /></legend><div class="choice-row">
            {consentHows.map((h) => <label class="choice" key={h}><input id={`f-consent-${h}`} data-testid={`field-consent-${h}`} type="radio" name="consent" checked={d.consentHow === h} onChange={() => change({ consentHow: h, consentAt: new Date().toISOString() })} /><span>{t(`consent.${h}`)}</span></label>)}
          </div><Lack on={bad('consentHow')} f="consentHow" /></fieldset>
          <div class="grid">
            <div class="field"><label for="f-consent-by">{d.consentHow === 'emergency' ? t('consent.byEmergency') : t('consent.by')} {d.consentHow !== 'emergency' && <Req />}</label>
              <input id="f-consent-by" data-testid="field-consent-by" value={d.consentBy} maxLength={200} aria-invalid={bad('consentBy') || undefined} onInput={(e) => change({ consentBy: e.currentTarget.value })} list="consent-people" />
              <datalist id="consent-people">{[d.name, d.motherName].filter((s) => s.trim()).map((s) => <option key={s} value={s} />)}</datalist><Lack on={bad('consentBy')} f="consentBy" /></div>
            <div class="field"><label for="f-consent-note">{d.consentHow === 'emergency' ? <>{t('consent.reason')} <Req /></> : t('consent.note')}</label>
              <input id="f-consent-note" data-testid="field-consent-note" value={d.consentNote} maxLength={500} aria-invalid={bad('consentNote') || undefined} onInput={(e) => change({ consentNote: e.currentTarget.value })} /><Lack on={bad('consentNote')} f="consentNote" /></div>
          </div>
        </section>

        <div class="send-bar" role="group" aria-label={t('request.send')}>
          <div class="completeness"><Meter percent={done.percent} label={t('request.complete', { percent: done.percent })} tone={lacking.length ? 'warn' : 'good'} />
            <span data-testid="completeness" data-percent={done.percent}>{t('request.complete', { percent: done.percent })}{done.helps[0] && <> · {t('request.helps')} <button type="button" class="linklike" onClick={() => { const el = document.getElementById(fieldId[done.helps[0]!]); el?.focus(); el?.scrollIntoView({ block: 'center' }); }}>{t(`need.${done.helps[0]}` as Key)}</button></>}</span>
            <span class={saveFailed.value ? 'no' : 'muted'} data-testid="saved-state" data-saved={d.savedAt ? 'yes' : 'no'}>{saveFailed.value ? t('request.saveFailed') : d.savedAt ? t('request.saved', { at: clock(new Date(d.savedAt)) }) : t('request.notYet')}</span>
          </div>
          <button type="button" class="btn quiet" data-testid="draft-delete" onClick={discard} title={t('request.delete')}><Icon name="trash" /><span class="wide-only"> {t('request.delete')}</span></button>
          <button type="submit" class="btn main big" data-testid="request-send"><Icon name="send" /> {t('request.send')}</button>
        </div>
      </form>
    </main>
  );
}

const Req = () => <span class="req">{t('required')}</span>;
const Lack = ({ on, f }: { on: boolean; f: Field }) => (on ? <p class="lack" role="alert"><Icon name="warn" size={16} /> {t(`lack.${f}` as Key)}</p> : null);
