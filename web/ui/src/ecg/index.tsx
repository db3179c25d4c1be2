import { api } from '../api';
import type { Attachment } from '../types';
import Paper from './Ecg';

export function FromInstance({ caseId, sop, title }: { caseId: string; sop: string; title: string }) {
  return <Paper load={() => api.waveform(caseId, sop)} title={title} />;
}

/** An ECG that is no DICOM object: SCP-ECG, HL7 aECG. */
export function FromFile({ caseId, file }: { caseId: string; file: Attachment }) {
  return <Paper load={() => api.fileWaveform(caseId, file.id)} title={file.name} />;
}
