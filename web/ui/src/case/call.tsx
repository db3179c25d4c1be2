// What a call was like, under the line that says it ended.
import { signal, useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { t } from '../i18n';
import { sumLine, type Figures } from '../lib/callsum';
import { personName } from '../lib/person';
import type { Case, TimelineItem } from '../types';

interface DetailsProps { caseId: string; people: { name: string; figures: Figures }[] }
const Details = signal<ComponentType<DetailsProps> | undefined>(undefined);

/** The newest figures of each person of a call. */
function figures(c: Case, call: string): DetailsProps['people'] {
  const by = new Map<string, { name: string; figures: Figures }>();
  for (const item of c.timeline) if (item.type === 'call-left' && item.call?.call === call && item.call.own) by.set(item.by.id, { name: personName(item.by), figures: item.call.own });
  return [...by.values()];
}

export function CallLine({ item, c }: { item: TimelineItem; c: Case }) {
  const open = useSignal(false);
  const all = item.call?.all;
  if (!all) return null;
  const toggle = () => {
    open.value = !open.value;
    if (!Details.value) void import('../record/Details').then((m) => { Details.value = m.default; }, () => { open.value = false; });
  };
  const Part = Details.value;
  return (
    <span class="call-sum" data-testid="call-sum">{sumLine(all)}. <button type="button" class="linklike" aria-expanded={open.value} data-testid="call-sum-open" onClick={toggle}>{t('callsum.details')}</button>
      {open.value && (Part ? <Part caseId={c.id} people={figures(c, item.call!.call ?? '')} /> : <span role="status"> {t('lazy.loading')}</span>)}</span>
  );
}
