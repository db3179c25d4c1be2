import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { t } from '../i18n';
import { personName } from '../lib/person';
import { matches } from '../lib/text';
import { Dialog, Notice, say } from '../parts/base';
import { Icon } from '../parts/icon';
import { me, specialtyLabel } from '../state/session';
import { adminApi, type Account } from './data';
import { w } from './words';

const page = 50;

export function People() {
  const list = useSignal<Account[] | undefined>(undefined), problem = useSignal(''), query = useSignal(''), limit = useSignal(page);
  const closing = useSignal<Account | undefined>(undefined), busy = useSignal(false);
  const load = () => { adminApi.users().then((r) => { list.value = r; problem.value = ''; }, (err) => { problem.value = problemText(err); }); };
  useEffect(load, []);
  const set = async (u: Account, disabled: boolean) => {
    if (busy.value) return;
    busy.value = true;
    try {
      const now = await adminApi.setDisabled(u.id, disabled);
      list.value = list.value?.map((x) => (x.id === now.id ? now : x));
      say(w(disabled ? 'closedDone' : 'openDone', { who: personName(u) }));
      closing.value = undefined;
    } catch (err) { problem.value = problemText(err); closing.value = undefined; } finally { busy.value = false; }
  };
  const found = (list.value ?? []).filter((u) => matches(`${u.name} ${u.login} ${u.facility.name} ${t(`role.${u.role}`)}`, query.value));
  const c = closing.value;
  return (
    <section class="card">
      <div class="card-head"><h2>{w('count', { n: list.value?.length ?? 0 })}</h2>
        <label class="search"><Icon name="search" size={20} /><span class="sr">{w('find')}</span><input type="search" data-testid="people-search" placeholder={w('find')} value={query.value} onInput={(e) => { query.value = e.currentTarget.value; limit.value = page; }} /></label></div>
      <p class="muted">{w('create')}</p>
      {problem.value && <Notice tone="bad" action={<button type="button" class="btn" onClick={load}>{t('retry')}</button>}>{problem.value}</Notice>}
      {!list.value && !problem.value && <p class="loading" role="status">{w('loading')}</p>}
      {list.value && found.length === 0 && <p class="empty small">{w('noOne', { q: query.value.trim() })}</p>}
      {found.length > 0 && (
        <table class="log stacked"><thead><tr><th scope="col">{w('colName')}</th><th scope="col">{w('colRole')}</th><th scope="col">{w('colLogin')}</th><th scope="col">{w('colState')}</th><td /></tr></thead>
          <tbody>{found.slice(0, limit.value).map((u) => (
            <tr key={u.id} data-testid="account-row" data-login={u.login} data-disabled={u.disabled}>
              <th scope="row">{personName(u)}{u.facility.name && <small class="muted">{u.facility.name}</small>}</th>
              <td data-label={w('colRole')}>{t(`role.${u.role}`)}{u.specialties.length > 0 && u.specialties.length <= 3 ? <small class="muted">{u.specialties.map(specialtyLabel).join(', ')}</small> : ''}</td>
              <td data-label={w('colLogin')}>{u.login}</td>
              <td data-label={w('colState')}>{u.disabled ? <span class="tag warn">{w('closed')}</span> : <span class="ok">{w('open')}</span>}</td>
              <td class="act">{u.id === me.value!.id ? <span class="muted">{w('you')}</span>
                : <button type="button" class="btn quiet" data-testid={u.disabled ? 'account-open' : 'account-close'} onClick={() => { if (u.disabled) void set(u, false); else closing.value = u; }}><Icon name={u.disabled ? 'retry' : 'lock'} size={18} /> {u.disabled ? w('reopen') : w('close')}</button>}</td>
            </tr>))}</tbody></table>)}
      {found.length > limit.value && <button type="button" class="btn" onClick={() => { limit.value = Infinity; }}>{w('more', { n: found.length - limit.value })}</button>}
      {c && <Dialog title={w('closeTitle')} onClose={() => { closing.value = undefined; }} testid="account-sure">
        <p class="strong">{personName(c)} · {t(`role.${c.role}`)}{c.facility.name ? ` · ${c.facility.name}` : ''}</p><p>{w('closeText')}</p>
        <p class="actions end"><button type="button" class="btn big" onClick={() => { closing.value = undefined; }}>{t('cancel')}</button>
          <button type="button" class="btn bad big" data-testid="account-sure-yes" aria-disabled={busy.value} onClick={() => void set(c, true)}><Icon name="lock" size={18} /> {w('close')}</button></p></Dialog>}
    </section>
  );
}
