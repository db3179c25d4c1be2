// A guest is put out in two steps: their link is worth nothing afterwards.
import { useState } from 'preact/hooks';
import { problemText } from '../api';
import { admission } from '../state/door';
import type { Participant } from './client';
import { w } from './words';

export function PutOut({ caseId, p }: { caseId: string; p: Participant }) {
  const [asked, setAsked] = useState(false), [problem, setProblem] = useState('');
  const go = async () => {
    setProblem('');
    try { await admission(caseId, p.userId.replace('guest:', ''), false); } catch (err) { setProblem(problemText(err)); }
  };
  if (!asked) return <button type="button" data-testid="guest-out" onClick={() => setAsked(true)}>{w('putOut')}</button>;
  return (
    <div class="call-sure" role="group">
      <p>{problem || w('putOutSure', { who: p.name })}</p>
      <button type="button" class="call-danger" data-testid="guest-out-yes" onClick={() => void go()}>{w('yes')}</button>
      <button type="button" onClick={() => setAsked(false)}>{w('no')}</button>
    </div>
  );
}
