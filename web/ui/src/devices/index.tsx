// Examens reçus: what waits for a case, and what is in quarantine.
import { t } from '../i18n';
import { paths } from '../router';
import { me } from '../state/session';
import { hasQuarantine, hasTray, waiting } from '../state/tray';
import { Notice } from '../parts/base';
import { Quarantine } from './quarantine';
import { Tray } from './tray';
import { w } from './words';
import './devices.css';

export default function Devices({ quarantine }: { quarantine: boolean }) {
  const user = me.value!;
  if (!hasTray(user)) return <main id="main" class="page" tabIndex={-1}><h1>{w('title')}</h1><Notice tone="bad">{t('error.forbidden')}</Notice></main>;
  const n = waiting.value;
  return (
    <main id="main" class="page devices" tabIndex={-1} data-testid={quarantine ? 'quarantine' : 'tray'}>
      <div class="list-bar"><h1>{w('title')}</h1>
        {hasQuarantine(user) && (
          <nav class="tabs" aria-label={w('title')}>
            <a href={paths.tray} aria-current={quarantine ? undefined : 'page'} data-testid="tab-tray">{w('tabTray')} <span class="n">{n.studies}</span></a>
            <a href={paths.quarantine} aria-current={quarantine ? 'page' : undefined} data-testid="tab-quarantine">{w('tabQuarantine')} <span class="n">{n.quarantined}</span></a>
          </nav>)}
      </div>
      {quarantine ? hasQuarantine(user) ? <Quarantine /> : <Notice tone="bad">{w('notYours')}</Notice> : <Tray />}
    </main>
  );
}
