// Ma liste: who, what, what is expected of me, by when.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../api';
import { lang, t, type Key } from '../i18n';
import { sexAge } from '../lib/age';
import { matches } from '../lib/text';
import { When } from '../parts/base';
import { Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import { DueClock, UrgencyBadge } from '../parts/urgency';
import { navigate, paths } from '../router';
import { cases, casesAt, expectation, fromDevice, homonyms, listProblem, loadCases, order, tabOf, tabs, type Tab } from '../state/cases';
import { drafts, isEmpty } from '../state/drafts';
import { now } from '../state/now';
import { outbox } from '../state/outbox';
import { doors } from '../state/door';
import { me, specialtyLabel } from '../state/session';
import type { CaseSummary } from '../types';

const shownTab = { value: undefined as Tab | undefined }; // kept when coming back from a case

function Row({ c, twin }: { c: CaseSummary; twin: boolean }) {
  const e = expectation(c, me.value!);
  return (
    <li>
      <a class={`case-row ${c.unread ? 'unread' : ''}`} href={paths.case(c.id)} data-testid="case-row" data-case={c.id} data-status={c.status} data-unread={c.unread}>
        <UrgencyBadge level={c.urgency} />
        <span class="who"><span class="name">{c.patient.name}</span><span class="age">{sexAge(c.patient, now.value, lang.value)}</span>
          {twin && <span class="tag warn" title={t('list.homonymLong')}>{t('list.homonym')}</span>}</span>
        <span class="what"><span class="spec">{specialtyLabel(c.specialty)}</span> <q>{c.question}</q></span>
        <span class="state"><span class={`expect ${tabOf(e)}`}>{t(`expect.${e}` as Key)}</span> <DueClock c={c} /></span>
        <span class="meta">
          {(doors.value[c.id]?.length ?? 0) > 0 && <span class="tag warn" data-testid="row-door">{t('door.some', { n: doors.value[c.id]!.length })}</span>}
          {c.callParticipants > 0 && <span class="tag live"><Icon name="phone" size={14} /> {t('list.inCall', { n: c.callParticipants })}</span>}
          {c.unread > 0 && <span class="count" data-testid="unread" title={t('list.unread', { n: c.unread })}>{c.unread}<span class="sr"> {t('list.unread', { n: c.unread })}</span></span>}
          <span class="muted"><When at={c.updatedAt} /></span>
          <span class="muted place">{c.facility}</span>
        </span>
      </a>
    </li>
  );
}

/** What is only on this device: drafts, and requests on their way. */
function OnThisDevice() {
  const waiting = new Map(outbox.value.filter((i) => i.kind === 'request').map((i) => [i.caseId, i]));
  const mine = drafts.value.filter((d) => !isEmpty(d) || d.queued);
  if (!mine.length) return null;
  return (
    <ul class="plain device" aria-label={t('list.device')}>
      {mine.map((d) => {
        const out = waiting.get(d.id);
        return (
          <li key={d.id}>
            <a class="case-row draft" href={paths.draft(d.id)} data-testid="draft-row" data-state={out ? (out.refused ? 'refused' : 'waiting') : 'draft'}>
              {d.urgency ? <UrgencyBadge level={d.urgency} /> : <span class="urgency none" aria-hidden="true">—</span>}
              <span class="who"><span class="name">{d.name || t('list.noName')}</span></span>
              <span class="what">{d.question ? <q>{d.question}</q> : <span class="muted">{t('list.noQuestion')}</span>}</span>
              <span class="state"><span class="tag">{out ? (out.refused ? t('list.refused') : t('list.waiting')) : t('list.draft')}</span></span>
              <span class="meta"><span class="muted">{t('list.onDevice')} <When at={new Date(d.savedAt || d.createdAt)} /></span></span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

export function CaseList() {
  const user = me.value!;
  const tab = useSignal<Tab>(shownTab.value ?? 'todo');
  const query = useSignal('');
  const found = useSignal<CaseSummary[]>([]);
  useEffect(() => { void loadCases(); }, []);
  // The list holds what concerns me now; an old case is looked up on the server.
  useEffect(() => {
    const q = query.value.trim();
    if (q.length < 2) { found.value = []; return; }
    const timer = setTimeout(() => { api.cases(q).then((r) => { if (query.value.trim() === q) found.value = r; }, () => {}); }, 350);
    return () => clearTimeout(timer);
  }, [query.value]);

  const groups = useComputed(() => {
    const by: Record<Tab, CaseSummary[]> = { todo: [], waiting: [], answered: [], closed: [] };
    for (const c of cases.value ?? []) by[tabOf(expectation(c, user))].push(c);
    for (const k of tabs) by[k] = order(by[k], k);
    return by;
  });
  const twins = useComputed(() => homonyms(cases.value ?? []));
  const searching = query.value.trim() !== '';
  const known = new Set((cases.value ?? []).map((c) => c.id));
  const list = searching
    ? [...(cases.value ?? []).filter((c) => matches(`${c.patient.name} ${c.number} ${c.question} ${c.facility} ${specialtyLabel(c.specialty)}`, query.value)), ...found.value.filter((c) => !known.has(c.id))]
    : groups.value[tab.value];
  const pick = (k: Tab) => { tab.value = k; shownTab.value = k; };
  const onTabKey = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    e.preventDefault();
    const next = tabs[(tabs.indexOf(tab.value) + step + tabs.length) % tabs.length]!;
    pick(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <main id="main" class="page list" tabIndex={-1} aria-label={t('title.list')}>
      <div class="list-bar">
        {user.role === 'clinician' && <button type="button" class="btn main" data-testid="new-request" onClick={() => navigate('/nouvelle')}><Icon name="plus" /> {t('list.new')}</button>}
        <div class="tabs" role="tablist" aria-label={t('title.list')} onKeyDown={onTabKey}>
          {tabs.map((k) => (
            <button type="button" key={k} id={`tab-${k}`} role="tab" aria-selected={!searching && tab.value === k} aria-controls="cases" tabIndex={tab.value === k ? 0 : -1} data-testid={`tab-${k}`} onClick={() => { query.value = ''; pick(k); }}>
              {t(`tab.${k}`)} <span class="n">{groups.value[k].length}</span>
            </button>
          ))}
        </div>
        <label class="search"><Icon name="search" size={20} /><span class="sr">{t('list.search')}</span>
          <input type="search" data-testid="search" placeholder={t('list.search')} value={query.value} onInput={(e) => { query.value = e.currentTarget.value; }} /></label>
      </div>
      {fromDevice.value && cases.value && <Notice tone="warn" testid="list-offline" action={<button type="button" class="btn" onClick={() => void loadCases()}>{t('retry')}</button>}>{t('list.kept')} <When at={new Date(casesAt.value)} />.</Notice>}
      {!fromDevice.value && listProblem.value && !listProblem.value.offline && <Notice tone="bad">{listProblem.value.text}</Notice>}
      {!searching && (tab.value === 'todo') && <OnThisDevice />}
      <div id="cases" data-testid="case-list" role="tabpanel" aria-labelledby={`tab-${tab.value}`}>
        {cases.value === undefined
          ? <p class="empty">{listProblem.value ? listProblem.value.text : t('list.loading')}</p>
          : list.length
            ? <ul class="plain cases">{list.map((c) => <Row key={c.id} c={c} twin={twins.value.has(c.id)} />)}</ul>
            : <p class="empty" data-testid="list-empty">{searching ? t('list.nothingFound', { q: query.value.trim() }) : t(`empty.${tab.value}` as Key)}</p>}
      </div>
    </main>
  );
}
