import { useSignal } from '@preact/signals';
import { Problem } from '../api';
import { t } from '../i18n';
import { Notice } from '../parts/base';
import { expired, login } from '../state/session';

export function Login() {
  const name = useSignal(''), password = useSignal(''), shown = useSignal(false);
  const busy = useSignal(false), problem = useSignal<string>('');
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy.value) return;
    if (!name.value.trim() || !password.value) { problem.value = t('login.empty'); return; }
    busy.value = true;
    problem.value = '';
    try {
      await login(name.value.trim(), password.value);
    } catch (err) {
      problem.value = err instanceof Problem ? err.text : t('error.unknown');
      busy.value = false;
    }
  };
  return (
    <main id="main" class="login" tabIndex={-1}>
      <form class="login-card" onSubmit={submit} data-testid="login-form">
        <div class="login-brand">
          <svg viewBox="0 0 32 32" width="44" height="44" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#0b4f4a" /><path d="M5 18h5l3-9 5 15 3-9 1.6 3H27" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" /></svg>
          <div><h1>Sira</h1><p class="muted">{t('login.motto')}</p></div>
        </div>
        {expired.value && <Notice tone="info">{t('login.expired')}</Notice>}
        <div class="field"><label for="login">{t('login.name')}</label>
          <input id="login" data-testid="login-name" autoComplete="username" autoCapitalize="none" spellcheck={false} value={name.value} onInput={(e) => { name.value = e.currentTarget.value; }} autoFocus /></div>
        <div class="field"><label for="password">{t('login.password')}</label>
          <div class="with-button">
            <input id="password" data-testid="login-password" type={(shown.value ? 'text' : 'password') as 'text'} autoComplete="current-password" value={password.value} onInput={(e) => { password.value = e.currentTarget.value; }} />
            <button type="button" class="btn quiet" aria-pressed={shown.value} onClick={() => { shown.value = !shown.value; }}>{shown.value ? t('login.hide') : t('login.show')}</button>
          </div></div>
        {problem.value && <Notice tone="bad" testid="login-error">{problem.value}</Notice>}
        <button type="submit" class="btn main big" data-testid="login-submit" aria-disabled={busy.value}>{busy.value ? t('login.busy') : t('login.submit')}</button>
        <p class="hint">{t('login.help')}</p>
      </form>
    </main>
  );
}
