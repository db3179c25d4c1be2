import { signal } from '@preact/signals';
import { api, hooks, Problem } from '../api';
import type { Directory, Me } from '../types';
import { cache } from './db';

/** undefined: not known yet; null: nobody. */
export const me = signal<Me | null | undefined>(undefined);
export const directory = signal<Directory | undefined>(undefined);
/** The server refused our session: what was known of the person stays, the screen asks for the password again. */
export const expired = signal(false);

hooks.unauthorized = () => {
  if (me.value) expired.value = true;
  me.value = null;
};

export async function startSession(): Promise<void> {
  try {
    signIn((await api.session()).user);
  } catch (err) {
    if (err instanceof Problem && !err.offline && err.status < 500) { me.value = null; return; }
    // No link: the person who used this device last may read what it holds.
    me.value = (await cache.get<Me>('me'))?.value ?? null;
    directory.value = (await cache.get<Directory>('directory'))?.value;
  }
}

function signIn(user: Me): void {
  user.specialties ??= [];
  me.value = user;
  expired.value = false;
  void cache.put('me', user);
  void loadDirectory();
}

export async function loadDirectory(): Promise<void> {
  directory.value ??= (await cache.get<Directory>('directory'))?.value;
  try {
    const d = await api.directory();
    directory.value = { facilities: d.facilities ?? [], specialties: d.specialties ?? [], urgencies: d.urgencies ?? [], specialists: (d.specialists ?? []).map((s) => ({ ...s, specialties: s.specialties ?? [] })), devices: d.devices ?? [] };
    void cache.put('directory', directory.value);
  } catch { /* the cached one stays */ }
}

export async function login(name: string, password: string): Promise<void> {
  const { user } = await api.login(name, password);
  const before = await cache.get<Me>('me');
  if (before && before.value.id !== user.id) await cache.clear(); // a shared tablet: no one reads the list of another
  signIn(user);
}

export async function logout(): Promise<void> {
  try { await api.logout(); } catch { /* the cookie ends by itself; the device forgets now */ }
  await cache.clear();
  me.value = null;
  expired.value = false;
}

export const specialtyLabel = (code: string): string =>
  directory.value?.specialties.find((s) => s.code === code)?.label ?? code;
