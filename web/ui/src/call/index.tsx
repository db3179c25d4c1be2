import { calling, callWide, inCall } from '../state/calling';
import Panel from './Call';

export { Session } from './Call';
export { letGo, standReady } from './ready';

export default function Call({ caseId }: { caseId: string }) {
  const close = () => { calling.value = undefined; inCall.value = false; callWide.value = false; };
  return <Panel caseId={caseId} onClose={close} />;
}
