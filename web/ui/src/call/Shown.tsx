// A still in the place of a picture that the link does not carry, with its age.
import { useEffect, useState } from 'preact/hooks';
import type { Shown as Still } from './stills';
import { w } from './words';

const staleAfter = 45; // s without a newer one: more than the slowest takes, twice

/** Whether the still is newer than what the video last showed. */
export function useStill(video: { current: HTMLVideoElement | null }, still?: Still): Still | undefined {
  const [frameAt, setFrame] = useState(0);
  const [, look] = useState(0);
  useEffect(() => {
    if (!still) return;
    const v = video.current;
    let stop = false, told = 0;
    const seen = () => {
      if (stop) return;
      if (Date.now() - told > 500) { told = Date.now(); setFrame(told); }
      v!.requestVideoFrameCallback(seen);
    };
    if (v && 'requestVideoFrameCallback' in v) v.requestVideoFrameCallback(seen);
    const timer = setInterval(() => look((n) => n + 1), 1000);
    return () => { stop = true; clearInterval(timer); };
  }, [!!still]);
  return still && still.at > frameAt - 1500 && Date.now() - still.at < staleAfter * 1000 ? still : undefined;
}

/** Why it is seen: our own choice or link, or the other’s. */
export type Reason = 'wish' | 'link' | 'other' | 'choice';

export function Shown({ still, name }: { still: Still; name: string }) {
  const age = Math.max(0, Math.round((Date.now() - still.at) / 1000));
  return (
    <>
      <img class="call-still" src={still.url} alt={w('stillOf', { who: name })} data-testid="call-still" />
      <b class="call-still-age" data-testid="call-still-age" data-age={age}>{w('stillAge', { n: age })}</b>
    </>
  );
}

export const why = (still: Still, reason: Reason, who: string): string => w(({ wish: 'stillWish', link: 'stillLink', other: 'stillOther', choice: 'stillChoice' } as const)[reason], { n: still.every, who });

const modes = ['video', 'stills', 'voice', 'send'] as const;
export function Modes({ mode, onPick }: { mode: (typeof modes)[number]; onPick: (m: (typeof modes)[number]) => void }) {
  return (
    <label class="call-mode"><span>{w('pictures')}</span>
      <select value={mode} data-testid="call-mode" onChange={(e) => onPick(e.currentTarget.value as (typeof modes)[number])}>
        {modes.map((m) => <option value={m}>{w(`mode.${m}`)}</option>)}
      </select>
    </label>
  );
}
