import Images from './Images';

export default function Viewer({ caseId, seriesUID }: { caseId: string; seriesUID: string }) {
  return <Images caseId={caseId} series={seriesUID} />;
}
