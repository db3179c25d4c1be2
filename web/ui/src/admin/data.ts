// What administrators read and change, as the server tells it.
import { id, json } from '../api';
import type { Facility, Role } from '../types';

export interface Account { id: string; login: string; name: string; title: string; role: Role; facility: Facility; specialties: string[]; phone: string; disabled: boolean }
export interface Peer { aet: string; address: string; store: boolean; worklist: boolean; query: boolean; facility: string; unknownFacility?: boolean }
export interface DicomSettings { address: string; aet: string; tls: 'off' | 'on' | 'mutual'; everybody: boolean; peers: Peer[]; destinations: { aet: string; address: string; tls: boolean }[]; services: string[] }
export interface Node {
  version: string; go: string; platform: string; startedAt: string; database: { kind: string; ready: boolean }; blobs: { kind: string; ready: boolean };
  freeBytes: number; minFreeBytes: number; counts: Record<string, number>; dicom: DicomSettings;
}

export const adminApi = {
  node: () => json<Node>('GET', '/api/admin/node'),
  users: async () => (await json<{ users: Account[] | null }>('GET', '/api/admin/users')).users ?? [],
  setDisabled: async (user: string, disabled: boolean) => (await json<{ user: Account }>('PUT', `/api/admin/users/${id(user)}/disabled`, { disabled })).user,
};
