import { useSignal } from '@preact/signals';
import { lang, setLang, t, type Lang } from '../i18n';
import { bytes, rate } from '../lib/bytes';
import { left } from '../lib/time';
import { paths, route } from '../router';
import { link, speed } from '../state/live';
import { outbox } from '../state/outbox';
import { expired, logout, me } from '../state/session';
import { panelOpen, transfers, transferTotals, uploadRate } from '../state/transfers';
import { hasQuarantine, hasTray, waiting } from '../state/tray';
import { calling } from '../state/calling';
import { Dialog } from './base';
import { Icon } from './icon';

function LinkSign() {
  const state = link.value;
  const fast = uploadRate.value || speed.value;
  const text = state === 'offline' ? t('link.offline') : state === 'polling' ? t('link.polling') : t('link.online');
  return (
    <span class={`link ${state}`} data-testid="link-state" data-state={state} title={t(`link.${state}.long` as 'link.online.long')} role="status">
      <span class="dot" aria-hidden="true" /><span class="word">{text}</span>
      {state !== 'offline' && fast > 0 && <span class="num wide-only">{rate(fast)}</span>}
    </span>
  );
}

/** What is still leaving this device; opens the list of transfers. */
function TransferSign() {
  const tt = transferTotals.value;
  const waiting = outbox.value.length;
  const failed = transfers.value.filter((x) => x.state === 'failed' || x.state === 'missing').length + outbox.value.filter((i) => i.refused).length;
  const n = tt.left + waiting;
  return (
    <button type="button" class={`btn sign ${failed ? 'bad' : ''}`} data-testid="transfers-sign" data-left={n} aria-expanded={panelOpen.value} onClick={() => { panelOpen.value = !panelOpen.value; }}>
      <Icon name={failed ? 'warn' : 'up'} size={18} />
      <span class="word">{n === 0 ? (failed ? t('transfers.failed', { n: failed }) : t('transfers.none')) : t('transfers.count', { n })}</span>
      <span class="compact" aria-hidden="true">{n || (failed ? '!' : '0')}</span>
      {tt.bytesLeft > 0 && <span class="num">{bytes(tt.bytesLeft)}{uploadRate.value > 0 ? `, ${left(tt.seconds)}` : ''}</span>}
    </button>
  );
}

function Account() {
  const open = useSignal(false);
  const user = me.value;
  if (!user) return null;
  const langs: [Lang, string][] = [['fr', 'Français'], ['en', 'English'], ['bm', 'Bamanankan']];
  const unsent = outbox.value.length + transferTotals.value.left;
  return (
    <>
      <button type="button" class="btn sign account" data-testid="account" aria-haspopup="dialog" onClick={() => { open.value = true; }} aria-label={t('account.of', { name: user.name })}>
        <Icon name="user" size={18} /><span class="word"><span class="where">{user.facility?.name ?? ''}{' · '}</span>{t(`role.${user.role}`)}</span>
      </button>
      {open.value && (
        <Dialog title={[user.title, user.name].filter(Boolean).join(' ')} onClose={() => { open.value = false; }}>
          <p class="muted">{t(`role.${user.role}`)}{user.facility?.name ? ` · ${user.facility.name}` : ''}</p>
          <fieldset class="choices"><legend>{t('account.language')}</legend>
            <div class="choice-row">
              {langs.map(([code, name]) => (
                <label class="choice" key={code}><input type="radio" name="lang" checked={lang.value === code} data-testid={`lang-${code}`} onChange={() => void setLang(code)} /><span>{name}</span></label>
              ))}
            </div>
          </fieldset>
          {lang.value === 'bm' && <p class="hint">{t('account.bm')}</p>}
          {unsent > 0 && <p class="hint">{t('account.unsent', { n: unsent })}</p>}
          <button type="button" class="btn big" data-testid="logout" onClick={() => { open.value = false; void logout(); }}><Icon name="lock" /> {t('account.logout')}</button>
        </Dialog>
      )}
    </>
  );
}

/** The way to what devices sent, and to administration. */
function Ways() {
  const user = me.value!, here = route.value.name, n = waiting.value;
  const total = n.studies + (hasQuarantine(user) ? n.quarantined : 0);
  const tray = here === 'tray' || here === 'quarantine';
  return (
    <nav class="ways" aria-label={t('header.ways')}>
      {hasTray(user) && <a class="btn sign" href={n.studies === 0 && n.quarantined > 0 && hasQuarantine(user) ? paths.quarantine : paths.tray} data-testid="tray-link" data-n={total} aria-current={tray ? 'page' : undefined}
        aria-label={t('header.trayCount', { n: total })}><Icon name="inbox" size={18} /><span class="word">{t('header.tray')}</span>{total > 0 && <span class="badge" data-testid="tray-badge">{total}</span>}</a>}
      {user.role === 'admin' && <a class="btn sign" href={paths.admin} data-testid="admin-link" aria-current={here === 'admin' ? 'page' : undefined} aria-label={t('header.admin')}><Icon name="gear" size={18} /><span class="word">{t('header.admin')}</span></a>}
    </nav>
  );
}

export function Header() {
  if (!me.value || expired.value) return null;
  const call = calling.value;
  return (
    <header class={`top ${me.value.role === 'admin' ? 'crowded' : ''}`} role="banner">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>{t('skip')}</a>
      <a class="brand" href="/" aria-label={t('home')}>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#fff" /><path d="M5 18h5l3-9 5 15 3-9 1.6 3H27" fill="none" stroke="#0b4f4a" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" /></svg>
        <span>Sira</span>
      </a>
      {call && route.value.name !== 'case' && <a class="btn sign oncall" href={paths.case(call)}><Icon name="phone" size={18} /> {t('call.back')}</a>}
      <Ways />
      <span class="grow" />
      <LinkSign /><TransferSign /><Account />
    </header>
  );
}
