// A list that is read when shown and again at each piece of news about it.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemText } from '../api';
import { onLive } from '../state/live';
import { countWaiting } from '../state/tray';

export function useList<T>(load: () => Promise<T[]>, news: 'tray' | 'quarantine'): { list: Signal<T[] | undefined>; problem: Signal<string>; reload: () => void } {
  const list = useSignal<T[] | undefined>(undefined), problem = useSignal('');
  const reload = () => {
    load().then((r) => { list.value = r; problem.value = ''; }, (err) => { problem.value = problemText(err); });
    void countWaiting();
  };
  useEffect(() => {
    let timer = 0;
    reload();
    const off = onLive((m) => {
      if (m.type !== news && m.type !== 'refresh') return;
      clearTimeout(timer);
      timer = window.setTimeout(reload, 300);
    });
    return () => { clearTimeout(timer); off(); };
  }, []);
  return { list, problem, reload };
}
