// The thread: everything that happened, and what one writes next.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t, tMaybe, type Key } from '../i18n';
import { personName } from '../lib/person';
import { Area, When } from '../parts/base';
import { Icon, type IconName } from '../parts/icon';
import { texts } from '../state/db';
import { drop, outbox } from '../state/outbox';
import { me } from '../state/session';
import type { Case, TimelineItem } from '../types';
import { CallLine } from './call';
import { postText } from './model';

const written = new Set(['message-posted', 'clarification-asked', 'clarification-answered']);
const icons: Record<string, IconName> = { opened: 'board', 'attachment-added': 'file', assigned: 'user', 'opinion-given': 'check', closed: 'lock', reopened: 'retry', cancelled: 'close', 'procedure-scheduled': 'clock', 'procedure-cancelled': 'trash', 'call-joined': 'phone', 'call-left': 'hangup', 'key-image-marked': 'photo', 'key-image-unmarked': 'photo', 'still-drawn': 'photo' };

function Line({ item, c, fresh }: { item: TimelineItem; c: Case; fresh: boolean }) {
  const mine = item.by?.id === me.value?.id;
  const who = mine ? t('me') : personName(item.by);
  if (written.has(item.type)) {
    const text = item.text || c.messages.find((m) => m.id === item.id)?.text || '';
    const kind = item.type === 'message-posted' ? 'message' : item.type;
    return (
      <li class={`msg ${mine ? 'mine' : ''} ${kind}`} data-testid="message" data-kind={kind} data-new={fresh || undefined}>
        <p class="msg-head"><strong>{who}</strong>{kind !== 'message' && <span class="tag">{t(`thread.${kind}` as Key)}</span>}{fresh && <span class="tag new">{t('new')}</span>}<span class="muted"><When at={item.at} /></span></p>
        <p class="msg-text">{text}</p>
      </li>
    );
  }
  const params = { who: personName(item.by) || t('someone'), to: personName(item.to), n: item.count ?? 1 };
  let text = item.type === 'attachment-added' ? t('story.attachment-added', params) : tMaybe(`story.${item.type}`, params) ?? item.type;
  if (item.type === 'closed' && item.text) text += ` (${tMaybe(`outcome.${item.text}`) ?? item.text})`;
  else if (item.type !== 'opinion-given' && item.text) text += ` : ${item.text}`;
  return (
    <li class={`story ${item.type}`} data-testid="story" data-type={item.type} data-new={fresh || undefined}>
      <Icon name={icons[item.type] ?? 'info'} size={16} /><span>{text}{item.call?.all && <CallLine item={item} c={c} />}</span>{fresh && <span class="tag new">{t('new')}</span>} <span class="muted"><When at={item.at} /></span>
    </li>
  );
}

export function Thread({ c, fresh }: { c: Case; fresh: Signal<Set<string>> }) {
  const end = useRef<HTMLOListElement>(null);
  const pending = outbox.value.filter((i) => i.caseId === c.id && i.kind === 'text');
  const count = c.timeline.length + pending.length;
  useEffect(() => { const box = end.current; if (box) box.scrollTop = box.scrollHeight; }, [count]);
  return (
    <section class="card thread" aria-labelledby="h-thread">
      <h2 id="h-thread">{t('case.thread')}</h2>
      <ol ref={end} class="plain lines" aria-live="polite" tabIndex={0} aria-label={t('case.thread')}>
        {c.timeline.map((item) => <Line key={item.id} item={item} c={c} fresh={fresh.value.has(item.id)} />)}
        {pending.map((i) => {
          const text = (i.events[0]?.data as { text?: string })?.text ?? '';
          return <li class="msg mine pending" key={i.id} data-testid="message-pending">
            <p class="msg-head"><strong>{t('me')}</strong><span class={`tag ${i.refused ? 'warn' : ''}`}>{i.refused ? t('thread.refused') : t('thread.waiting')}</span></p>
            <p class="msg-text">{text}</p>
            {i.refused && <p class="no"><Icon name="warn" size={16} /> {i.refused.text} <button type="button" class="linklike" onClick={() => void drop(i.id)}>{t('outbox.drop')}</button></p>}
          </li>;
        })}
      </ol>
      <Composer c={c} />
    </section>
  );
}

function Composer({ c }: { c: Case }) {
  const key = `message:${c.id}:${me.value!.id}`;
  const text = useSignal('');
  useEffect(() => { void texts.get<string>(key).then((kept) => { if (kept && !text.value) text.value = kept.value; }); }, [key]);
  const can = (a: string) => c.can.includes(a as never);
  const answering = outbox.value.some((i) => i.caseId === c.id && !i.refused && i.events.some((e) => e.type === 'clarification-answered'));
  const asked = c.status === 'clarification' && can('answer-clarification') && !answering;
  if (!can('post-message') && !can('ask') && !asked) return <p class="hint composer">{t('thread.closed')}</p>;
  const set = (v: string) => { text.value = v; void (v ? texts.put(key, v) : texts.delete(key)); };
  const post = (type: string) => {
    const v = text.value.trim();
    if (!v) { document.getElementById('composer')?.focus(); return; }
    set('');
    void postText(c.id, type, v);
  };
  const first = asked ? 'clarification-answered' : 'message-posted';
  return (
    <form class="composer" onSubmit={(e) => { e.preventDefault(); post(first); }}>
      {asked && <p class="asked"><Icon name="help" size={18} /> {t('thread.youAreAsked')}</p>}
      <label class="sr" for="composer">{t('thread.write')}</label>
      <Area id="composer" testid="message-text" value={text.value} maxLength={8000} placeholder={asked ? t('thread.writeAnswer') : t('thread.write')} onInput={set}
        onKeyDown={(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); post(first); } }} />
      <div class="composer-acts">
        {asked
          ? <button type="submit" class="btn main" data-testid="answer-clarification"><Icon name="send" size={18} /> {t('thread.answer')}</button>
          : can('post-message') && <button type="submit" class="btn" data-testid="message-send"><Icon name="send" size={18} /> {t('thread.send')}</button>}
        {can('ask') && <button type="button" class="btn quiet" data-testid="ask-clarification" onClick={() => post('clarification-asked')}><Icon name="help" size={18} /> {t('thread.ask')}</button>}
      </div>
    </form>
  );
}
