// Where a value and a time lie in a chart.

/** The next round number that holds all values. */
export function ceiling(most: number, least: number): number {
  const m = Math.max(most, least), ten = 10 ** Math.floor(Math.log10(m));
  for (const k of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (k * ten >= m) return k * ten;
  return 10 * ten;
}

/** Parts of a line between holes: looks more than three apart, or where keep says no. */
export function runs(at: number[], every: number, keep: (i: number) => boolean = () => true): number[][] {
  const out: number[][] = [];
  let run: number[] = [];
  at.forEach((t, i) => {
    const last = run[run.length - 1];
    if (!keep(i) || (last !== undefined && t - at[last]! > 3.5 * every)) { if (run.length) out.push(run); run = []; }
    if (keep(i)) run.push(i);
  });
  if (run.length) out.push(run);
  return out;
}

export const line = (points: [number, number][]): string => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/** A filled band between a lower and an upper line. */
export const band = (top: [number, number][], bottom: [number, number][]): string => (top.length ? `${line(top)}${line([...bottom].reverse()).replace('M', 'L')}Z` : '');
