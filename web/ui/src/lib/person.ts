import type { Person } from '../types';

/** "Dr Aminata Traoré": the title is part of the name as it is said. */
export const personName = (p: Pick<Person, 'name' | 'title'> | null | undefined): string =>
  p ? [p.title, p.name].filter(Boolean).join(' ') : '';
