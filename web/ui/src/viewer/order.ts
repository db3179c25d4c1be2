// Which frame to ask for next. Pure.

export interface Want { index: number; level: number } // level 0: full; k: 1/2^k of the size

/** Previews are about 128 pixels wide; small images need none. */
export function previewLevel(rows: number, cols: number): number {
  const side = Math.max(rows, cols);
  let k = 0;
  while (k < 5 && side >> (k + 1) >= 120) k++;
  return side <= 160 ? 0 : k;
}

/** Indices from the middle outwards: 5, 6, 4, 7, 3, … */
export function* outwards(from: number, count: number): Generator<number> {
  if (from >= 0 && from < count) yield from;
  for (let d = 1; d < count; d++) {
    if (from + d < count) yield from + d;
    if (from - d >= 0) yield from - d;
  }
}

/**
 * The next frame worth its bytes: the preview of the current one, then previews
 * of the ten around it, then the current one in full, then all previews, then
 * the full frames around. `has` says what is here or on its way.
 */
export function next(current: number, count: number, level: number, has: (index: number, level: number) => boolean, fullReach = count): Want | undefined {
  const have = (i: number, k: number) => has(i, k) || (k > 0 && has(i, 0));
  const first = (limit: number, k: number): Want | undefined => {
    let n = 0;
    for (const i of outwards(current, count)) {
      if (n++ >= limit) return undefined;
      if (!have(i, k)) return { index: i, level: k };
    }
    return undefined;
  };
  if (level > 0) {
    return first(11, level) ?? first(1, 0) ?? first(count, level) ?? first(fullReach, 0);
  }
  return first(fullReach, 0);
}
