import { t, type Key } from '../i18n';
import { due } from '../lib/time';
import { exact } from '../lib/time';
import { now } from '../state/now';
import type { CaseSummary } from '../types';
import { Icon } from './icon';

/** The level by letter, word and shape; colour only adds to it. */
export function UrgencyBadge({ level, word }: { level: string; word?: boolean }) {
  const name = t(`urgency.${level}` as Key);
  return <span class={`urgency ${level}`} title={name}>{level}{word && <span class="word"> {name}</span>}{!word && <span class="sr"> {name}</span>}</span>;
}

export const open = (c: Pick<CaseSummary, 'status'>) => c.status === 'submitted' || c.status === 'assigned' || c.status === 'clarification';

/** Until when an answer is due. The clock stands while more is asked for. */
export function DueClock({ c }: { c: CaseSummary }) {
  if (!open(c) || !c.dueAt) return null;
  if (c.status === 'clarification') return <span class="due" title={exact(c.dueAt)}><Icon name="pause" size={16} /> {t('due.stopped')}</span>;
  const d = due(c.dueAt, now.value);
  return <span class={`due ${d.late ? 'late' : d.soon ? 'soon' : ''}`} title={exact(c.dueAt)} data-testid="due"><Icon name={d.late ? 'warn' : 'clock'} size={16} /> {d.text}</span>;
}
