// The opinion: written by the expert, signed once, read by all.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, Problem, problemText } from '../api';
import { t } from '../i18n';
import { personName } from '../lib/person';
import { clock, exact } from '../lib/time';
import { uuid } from '../lib/uuid';
import { Area, Dialog, Notice, say, When } from '../parts/base';
import { Icon } from '../parts/icon';
import { texts } from '../state/db';
import { me } from '../state/session';
import { loadCases } from '../state/cases';
import type { Case, Opinion, Person } from '../types';
import { event, postText, type OpenCase } from './model';

export function OpinionView({ o }: { o: Opinion }) {
  return (
    <article class="opinion" data-testid="opinion">
      {o.findings && <><h3>{t('opinion.findings')}</h3><p class="text">{o.findings}</p></>}
      <h3>{t('opinion.conclusion')}</h3><p class="text strong" data-testid="opinion-conclusion">{o.conclusion}</p>
      {o.advice && <><h3>{t('opinion.advice')}</h3><p class="text" data-testid="opinion-advice">{o.advice}</p></>}
      <p class="signed"><Icon name="lock" size={16} /> {t('opinion.signedBy', { who: personName(o.by) })}{o.by?.facility ? `, ${o.by.facility}` : ''} · <When at={o.at} /></p>
    </article>
  );
}

interface Text { id: string; findings: string; conclusion: string; advice: string; savedAt: number }
interface Earlier { by: string; at: string; closed: boolean }

export function OpinionForm({ c, open }: { c: Case; open: OpenCase }) {
  const key = `opinion:${c.id}:${me.value!.id}`;
  const text = useSignal<Text>({ id: uuid(), findings: '', conclusion: '', advice: '', savedAt: 0 });
  const confirm = useSignal(false), busy = useSignal(false), problem = useSignal(''), lost = useSignal<Earlier | undefined>(undefined), kept = useSignal(true);
  useEffect(() => { void texts.get<Text>(key).then((k) => { if (k && !text.value.savedAt) text.value = k.value; }); }, [key]);
  const typed = text.value.findings.trim() || text.value.conclusion.trim() || text.value.advice.trim();
  const may = c.can.includes('give-opinion');
  if (!may && !lost.value && !typed) return null;
  // Someone answered while I was writing: the same as losing at the signature.
  const last = c.opinions[c.opinions.length - 1];
  const earlier = lost.value ?? (!may && typed ? { by: personName(last?.by), at: last?.at ?? c.updatedAt, closed: c.status === 'closed' || c.status === 'cancelled' } : undefined);

  const set = (patch: Partial<Text>) => {
    text.value = { ...text.value, ...patch, savedAt: Date.now() };
    problem.value = '';
    void texts.put(key, text.value).then((ok) => { kept.value = ok; });
  };
  const forget = () => { text.value = { id: uuid(), findings: '', conclusion: '', advice: '', savedAt: 0 }; void texts.delete(key); };
  const review = (e: Event) => {
    e.preventDefault();
    if (!text.value.conclusion.trim()) { problem.value = t('opinion.needsConclusion'); document.getElementById('o-conclusion')?.focus(); return; }
    confirm.value = true;
  };
  const sign = async () => {
    busy.value = true;
    const v = text.value;
    try {
      const result = await api.postEvents(c.id, [event('opinion-given', { findings: v.findings.trim(), conclusion: v.conclusion.trim(), advice: v.advice.trim() }, v.id)]);
      forget();
      open.data.value = result;
      void loadCases();
      say(t('opinion.sent'));
    } catch (err) {
      if (err instanceof Problem && err.status === 409) {
        const by = err.extra.by as Person | string | undefined;
        lost.value = { by: typeof by === 'string' ? by : personName(by), at: String(err.extra.at ?? new Date().toISOString()), closed: err.code !== 'answered' };
        void open.reload();
      } else problem.value = err instanceof Problem && err.offline ? t('opinion.offline') : problemText(err);
    } finally { busy.value = false; confirm.value = false; }
  };
  const asMessage = () => {
    const v = text.value;
    void postText(c.id, 'message-posted', [t('opinion.extra'), v.findings.trim(), v.conclusion.trim(), v.advice.trim()].filter(Boolean).join('\n\n'));
    forget();
    lost.value = undefined;
    say(t('opinion.asMessageDone'));
  };

  return (
    <section class="card opinion-card" aria-labelledby="h-opinion" id="opinion">
      <h2 id="h-opinion">{t('opinion.write')}</h2>
      {earlier && (
        <Notice tone="warn" testid="opinion-conflict">
          <p><strong>{earlier.closed ? t('opinion.caseEnded') : t('opinion.otherFirst', { who: earlier.by || t('someone'), at: clock(new Date(earlier.at)) })}</strong> {t('opinion.kept')}</p>
          <p class="actions">{c.can.includes('post-message') && <button type="button" class="btn main" data-testid="opinion-as-message" onClick={asMessage}>{t('opinion.asMessage')}</button>}
            <button type="button" class="btn quiet" onClick={() => { forget(); lost.value = undefined; }}>{t('opinion.dropText')}</button></p>
        </Notice>
      )}
      <form onSubmit={review} data-testid="opinion-form">
        <div class="field"><label for="o-findings">{t('opinion.findings')}</label><Area id="o-findings" testid="opinion-findings" value={text.value.findings} placeholder={t('opinion.findingsHint')} onInput={(v) => set({ findings: v })} /></div>
        <div class="field"><label for="o-conclusion">{t('opinion.conclusion')} <span class="req">{t('required')}</span></label><Area id="o-conclusion" testid="opinion-conclusion-field" required value={text.value.conclusion} placeholder={t('opinion.conclusionHint')} onInput={(v) => set({ conclusion: v })} /></div>
        <div class="field"><label for="o-advice">{t('opinion.advice')}</label><Area id="o-advice" testid="opinion-advice-field" value={text.value.advice} placeholder={t('opinion.adviceHint')} onInput={(v) => set({ advice: v })} /></div>
        {problem.value && <Notice tone="bad" testid="opinion-problem">{problem.value}</Notice>}
        <div class="form-foot">
          <span class={kept.value ? 'muted' : 'no'} data-testid="opinion-saved">{!kept.value ? t('request.saveFailed') : text.value.savedAt ? t('request.saved', { at: clock(new Date(text.value.savedAt)) }) : t('opinion.autosave')}</span>
          {!earlier && <button type="submit" class="btn main big" data-testid="opinion-review"><Icon name="check" /> {t('opinion.review')}</button>}
        </div>
      </form>
      {confirm.value && (
        <Dialog title={t('opinion.confirmTitle')} onClose={() => { confirm.value = false; }} testid="opinion-confirm">
          <p class="muted">{c.patient.name} · {c.number} · {exact(new Date())}</p>
          <div class="opinion">
            {text.value.findings.trim() && <><h3>{t('opinion.findings')}</h3><p class="text">{text.value.findings}</p></>}
            <h3>{t('opinion.conclusion')}</h3><p class="text strong">{text.value.conclusion}</p>
            {text.value.advice.trim() && <><h3>{t('opinion.advice')}</h3><p class="text">{text.value.advice}</p></>}
          </div>
          <Notice>{t('opinion.confirmText')}</Notice>
          <p class="actions end"><button type="button" class="btn big" onClick={() => { confirm.value = false; }}>{t('opinion.back')}</button>
            <button type="button" class="btn main big" data-testid="opinion-sign" aria-disabled={busy.value} onClick={() => { if (!busy.value) void sign(); }}><Icon name="lock" /> {busy.value ? t('opinion.signing') : t('opinion.sign')}</button></p>
        </Dialog>
      )}
    </section>
  );
}
