import type { SeriesSummary } from '../types';
import Paper from './Ecg';

export { Paper };

export default function Ecg({ caseId, sop, series }: { caseId: string; sop: string; series: SeriesSummary }) {
  return <Paper caseId={caseId} sop={sop} title={series.description} />;
}
