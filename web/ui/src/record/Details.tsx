// The figures of a call that is over, for each person, in the case.
import type { Figures as F } from '../lib/callsum';
import { paths } from '../router';
import { Figures, reasons } from './figures';
import { w } from './words';
import './record.css';

export default function Details({ caseId, people }: { caseId: string; people: { name: string; figures: F }[] }) {
  return (
    <div data-testid="call-details">
      {people.map((p) => <div key={p.name}><h3>{p.name}</h3><p class="small">{reasons(p.figures)}</p><Figures f={p.figures} /></div>)}
      <a href={paths.record(caseId)}>{w('seeMinutes')}</a>
    </div>
  );
}
