// How to move the probe: a drawing and a word, chosen by one, shown big to the other.
import { w } from './words';

export type Move = 'slide' | 'tilt' | 'rotate' | 'press';
export const directions: Record<Move, string[]> = { slide: ['left', 'right', 'up', 'down'], tilt: ['left', 'right', 'up', 'down'], rotate: ['left', 'right'], press: ['more', 'less'] };
export const moves = Object.keys(directions) as Move[];
export const wordOf = (move: Move, direction: string): string => `${w(move)} ${w(direction as 'left')}`;

const turn: Record<string, number> = { right: 0, down: 90, left: 180, up: 270, more: 90, less: 270 };

/** The probe on the skin, and an arrow. Without a direction: the one that is usual. */
export function Gesture({ move, direction }: { move: Move; direction?: string }) {
  const dir = direction ?? directions[move][move === 'press' ? 0 : 1]!, angle = turn[dir] ?? 0;
  const probe = 'M41 12h18v34l6 12v8H35v-8l6-12z';
  return (
    <svg viewBox="0 0 100 100" class="gesture" aria-hidden="true" data-move={move} data-direction={direction}>
      <path d="M6 68h88" opacity=".6" />
      {move === 'slide' && <><path d={probe} /><path class="arrow" d="M24 84h52m-12-9l12 9-12 9" transform={`rotate(${angle} 50 84)`} /></>}
      {move === 'tilt' && <>
        <path d={probe} opacity=".4" /><path d={probe} transform={`rotate(${dir === 'left' || dir === 'up' ? -22 : 22} 50 66)`} />
        {dir === 'left' || dir === 'right'
          ? <path class="arrow" d="M62 10q18 4 24 20m-12-5l12 5 4-12" transform={dir === 'left' ? 'matrix(-1 0 0 1 100 0)' : ''} />
          : <path class="arrow" d="M78 84h16m-9-8l9 8-9 8" transform={`rotate(${angle} 84 84)`} />}
      </>}
      {move === 'rotate' && <><path d={probe} /><path class="arrow" d="M20 30c0 22 60 22 60 0m-10 5l10-7 6 11" transform={dir === 'left' ? 'matrix(-1 0 0 1 100 0)' : ''} /></>}
      {move === 'press' && <><path d={probe} /><path class="arrow" d="M68 84h30m-11-9l11 9-11 9" transform={`translate(0 -48) rotate(${angle} 83 84)`} />{dir === 'more' && <path d="M24 68q26 22 52 0" opacity=".6" />}</>}
    </svg>
  );
}
