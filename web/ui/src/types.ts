// The shapes of the JSON API, as the server writes them.

import type { CallSum, Figures } from './lib/callsum';

export type Role = 'clinician' | 'specialist' | 'radiologist' | 'dispatcher' | 'admin';
export type Status = 'submitted' | 'assigned' | 'clarification' | 'answered' | 'closed' | 'cancelled';
export type Urgency = 'U0' | 'U1' | 'U2' | 'U3';

export interface Facility { id: string; name: string; kind: string; region: string; code: string; phone: string }
export interface Me { id: string; login: string; name: string; title: string; role: Role; facility: Facility; specialties: string[] }
export interface Person { id: string; name: string; title: string; role: Role; facility: string; phone: string }
export interface Specialty { code: string; label: string }
export interface UrgencyLevel { code: Urgency; label: string; minutes: number }
export interface Directory {
  facilities: Facility[];
  specialties: Specialty[];
  urgencies: UrgencyLevel[];
  specialists: (Person & { specialties: string[] })[];
  devices: string[]; // AE titles at my facility
}

export interface Age { value: number; unit: 'Y' | 'M' | 'D' }
export interface Identifier { system: string; value: string }
export interface PatientBrief { name: string; sex: string; birthDate?: string; age?: Age | null }
export interface Patient extends PatientBrief { identifiers?: Identifier[] | null; village?: string; motherName?: string; phone?: string }
export interface Consent { how: string; by: string; at: string; note?: string }

export interface CaseSummary {
  id: string; number: string; status: Status; urgency: Urgency; specialty: string; question: string;
  patient: PatientBrief; facility: string; clinician: Person; assignees: Person[];
  openedAt: string; updatedAt: string; dueAt: string;
  seq: number; unread: number; attachments: number; callParticipants: number; waiting?: Waiting[];
}
/** A guest at the door of the call; the id is that of the invitation. */
export interface Waiting { id: string; name: string; since: string }
/** An invitation to the call; until when depends on whether the link was used. */
export interface Guest { id: string; kind: 'patient' | 'other'; name: string; by: Person; created: string; expires: string; state: 'link' | 'outside' | 'waiting' | 'inside' }
export type Action =
  | 'view' | 'post-message' | 'attach' | 'assign' | 'ask' | 'answer-clarification' | 'give-opinion'
  | 'close' | 'reopen' | 'cancel' | 'call' | 'export' | 'see-access-log' | 'create'
  | 'attach-study' | 'schedule' | 'mark-image' | 'export-anonymous' | 'invite' | 'admit';
export interface Message { id: string; text: string; kind: 'message' | 'clarification-asked' | 'clarification-answered'; by: Person; at: string }
export interface Opinion { id: string; findings: string; conclusion: string; advice: string; by: Person; at: string }
export interface TimelineItem { id: string; type: string; by: Person; at: string; seq: number; text?: string; to?: Person; count?: number; call?: { call?: string; own?: Figures; all?: CallSum } }
export interface Attachment { id: string; name: string; kind: string; mediaType: string; size: number; addedAt: string; addedBy: Person; hash: string; still?: StillOf }
/** A picture frozen in a call, with what each person drew on it (0 to 9999 of width and height). */
export interface StillOf { of: string; ofName: string; width: number; height: number; received: boolean; drawings: { by: string; name: string; at: string; marks: { kind: 'stroke' | 'arrow'; points: number[] }[] }[] }
export interface SeriesSummary {
  studyUID: string; seriesUID: string; modality: string; description: string; studyDescription: string; studyDate: string;
  instances: number; frames: number; size: number; kind: 'image' | 'waveform' | 'pdf' | 'video' | 'other';
  thumbnail: string; patientName: string; warning?: string;
}
export interface Case extends CaseSummary {
  patient: Patient; history: string; consent: Consent; participants: Person[];
  messages: Message[]; opinions: Opinion[]; timeline: TimelineItem[];
  files: Attachment[]; series: SeriesSummary[]; keyImages: KeyImage[]; can: Action[]; outcome?: string; outcomeNote?: string; procedure?: Procedure;
}
/** An examination asked of a device. */
export interface Procedure { modality: string; device?: string; at: string; description: string; by: Person; accession: string; done: boolean }
export interface KeyImage { sop: string; frame: number; seriesUID: string; modality: string; by: Person; at: string; picture: string }
export interface NewEvent { id: string; type: string; at: string; data: unknown }
export interface AccessEntry { at: string; by: Person; action: string; outcome?: string; detail?: string; surface: string }

export interface ViewWindow { center: number; width: number; label?: string }
export interface InstanceManifest {
  sop: string; number: number; rows: number; cols: number; frames: number; samples: number; bits: number; signed: boolean;
  photometric: string; slope: number; intercept: number; windows: ViewWindow[] | null; voi: string; invert: boolean;
  spacing: [number, number] | null; spacingKind: string; position?: number[] | null; orientation?: number[] | null;
  frameTimeMs: number; padding?: [number, number] | null; unit: string; overlays: number; display: boolean; lossy?: boolean; encoding: 'raw' | 'jpeg' | 'film' | 'unsupported'; syntax: string; kind: string; size: number;
}
export interface LookupTable { first: number; bits: number; label: string; values: string }
export interface OverlayPlane { group: string; roi: boolean; label: string; description: string; x: number; y: number; cols: number; rows: number; bits: string }
export interface Display { slope: number; intercept: number; windows: ViewWindow[]; voi: string; modalityLUT?: LookupTable; voiLUTs: LookupTable[]; overlays: OverlayPlane[] }
export interface SeriesManifest {
  studyUID: string; seriesUID: string; modality: string; description: string; studyDate: string; studyDescription: string;
  patient: { name: string; id: string; sex: string; birthDate: string };
  instances: InstanceManifest[];
}
export interface Lead { name: string; unit: string; scale: number; offset?: number; samples: string } // unit × (offset + scale × sample)
export interface Waveform { samplingHz: number; startedAt: string; filters: string[] | null; device: string; leads: Lead[] }

export interface IntakeFile { name: string; state: 'stored' | 'duplicate' | 'refused'; reason?: string; message?: string; attachmentId?: string }
export interface Intake { id: string; caseId: string; name: string; state: 'receiving' | 'processing' | 'done'; files: IntakeFile[] | null }

export type LiveMessage =
  | { type: 'hello'; user: string }
  | { type: 'case'; id: string; seq: number; status: Status }
  | { type: 'intake'; intake: Intake }
  | { type: 'tray' } | { type: 'quarantine' }
  | { type: 'call'; caseId: string; participants: number }
  | { type: 'guests'; caseId: string; waiting: Waiting[] };
