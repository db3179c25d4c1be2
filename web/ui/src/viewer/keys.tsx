// Key images: K marks the one in sight for everybody in the case, and takes the mark back.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, problemText } from '../api';
import { uuid } from '../lib/uuid';
import { personName } from '../lib/person';
import { say } from '../parts/base';
import type { Case } from '../types';
import type { FrameRef } from './frames';
import { w } from './words';

interface Props { about?: Case; frame?: FrameRef; onCase: (c: Case) => void }

export function KeyMark({ about, frame, onCase }: Props) {
  const [busy, setBusy] = useState(false);
  const key = frame && about?.keyImages.find((k) => k.sop === frame.inst.sop && k.frame === frame.frame);
  const may = about?.can.includes('mark-image') ?? false;
  const put = async (sop: string, n: number, mark: boolean): Promise<boolean> => {
    if (!about) return false;
    setBusy(true);
    try {
      onCase(await api.postEvents(about.id, [{ id: uuid(), type: mark ? 'key-image-marked' : 'key-image-unmarked', at: new Date().toISOString(), data: { sop, frame: n } }]));
      return true;
    } catch (err) { say(problemText(err), undefined, 'bad'); return false; } finally { setBusy(false); }
  };
  const toggle = async () => {
    if (!frame || !may || busy) return;
    const sop = frame.inst.sop, n = frame.frame, mark = !key;
    if (await put(sop, n, mark)) say(w(mark ? 'keyMarked' : 'keyUnmarked'), () => { void put(sop, n, !mark); }, undefined, w('undo'));
  };
  const latest = useRef(toggle);
  latest.current = toggle;
  useEffect(() => {
    const on = (e: KeyboardEvent) => {
      if (e.key.toLowerCase() !== 'k' || e.repeat || e.ctrlKey || e.metaKey || e.altKey || (e.target as Element).closest?.('input:not([type=range]), textarea, select')) return;
      e.preventDefault();
      void latest.current();
    };
    addEventListener('keydown', on);
    return () => removeEventListener('keydown', on);
  }, []);
  if (!about || !frame) return null;
  return (
    <div class={`viewer-key ${key ? 'on' : ''}`} data-testid="viewer-key" data-key={key ? 'yes' : 'no'}>
      {may ? <button type="button" aria-pressed={!!key} aria-keyshortcuts="K" aria-busy={busy} data-testid="viewer-key-toggle" onClick={() => void toggle()}>{key ? '★' : '☆'} {w('keyImage')}<kbd>K</kbd></button>
        : key ? <span>★ {w('keyImage')}</span> : null}
      {key && <small>{personName(key.by)}</small>}
    </div>
  );
}
