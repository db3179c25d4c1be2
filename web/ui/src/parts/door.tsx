// Who waits to be let into the call, beside the call and in the open case.
import { useSignal } from '@preact/signals';
import { problemText } from '../api';
import { t } from '../i18n';
import { admission, doors } from '../state/door';
import { Icon } from './icon';

export function Door({ caseId }: { caseId: string }) {
  const busy = useSignal(''), problem = useSignal('');
  const decide = async (guest: string, yes: boolean) => {
    if (busy.value) return;
    busy.value = guest;
    problem.value = '';
    try { await admission(caseId, guest, yes); } catch (err) { problem.value = problemText(err); } finally { busy.value = ''; }
  };
  const list = doors.value[caseId] ?? [];
  if (!list.length && !problem.value) return null;
  return (
    <div class="door" role="alert" data-testid="door">
      {list.map((g) => (
        <div class="door-guest" key={g.id} data-testid="door-guest" data-guest={g.id}>
          <span><Icon name="user" size={20} /> {t('door.waits', { name: g.name })}</span>
          <button type="button" class="btn main" data-testid="door-admit" aria-disabled={busy.value === g.id} onClick={() => void decide(g.id, true)}>{t('door.admit')}</button>
          <button type="button" class="btn" data-testid="door-refuse" aria-disabled={busy.value === g.id} onClick={() => void decide(g.id, false)}>{t('door.refuse')}</button>
        </div>))}
      {problem.value && <p class="door-problem" data-testid="door-problem">{problem.value}</p>}
    </div>
  );
}
