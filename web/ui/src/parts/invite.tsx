// « Inviter » beside the call; what it opens is fetched when pressed.
import { t } from '../i18n';
import { inviting } from '../state/calling';
import { Icon } from './icon';

export function InviteButton({ caseId, plain }: { caseId: string; plain?: boolean }) {
  return <button type="button" class={plain ? undefined : 'btn'} data-testid="invite-open" onClick={() => { inviting.value = caseId; }}>{!plain && <Icon name="plus" />} {t('invite.open')}</button>;
}
