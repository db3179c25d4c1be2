import { api } from '../api';
import type { Attachment } from '../types';
import Paper from './Ecg';

/** owner: the name that the file itself bears. */
export function FromInstance({ caseId, sop, title, owner }: { caseId: string; sop: string; title: string; owner?: string }) {
  return <Paper caseId={caseId} load={() => api.waveform(caseId, sop)} title={title} owner={owner} />;
}

/** An ECG that is no DICOM object: SCP-ECG, HL7 aECG. */
export function FromFile({ caseId, file }: { caseId: string; file: Attachment }) {
  return <Paper caseId={caseId} load={() => api.fileWaveform(caseId, file.id)} title={file.name} />;
}
