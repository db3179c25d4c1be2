// A person looks at every frame, and says what is hidden in it.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { fit, hidesStill, picture, shotKey, shotsOf, type Box, type Group } from './model';
import { w } from './words';

interface Props { caseId: string; group: Group; onDone: (masks: Box[]) => void; onExclude: () => void; onBack: () => void }

export function Masks({ caseId, group, onDone, onExclude, onBack }: Props) {
  const { cols, rows } = group.items[0]!;
  const shots = shotsOf(group);
  const at = useSignal(0), masks = useSignal<Box[]>(group.masks), seen = useSignal(new Set(group.seen)), chosen = useSignal(-1), playing = useSignal(false), broken = useSignal(false);
  const stage = useRef<HTMLDivElement>(null);
  const drag = useRef<{ index: number; kind: 'new' | 'move' | 'size'; x: number; y: number; box: Box } | undefined>(undefined);
  const shot = shots[at.value]!;

  const go = (n: number) => { at.value = Math.min(Math.max(0, n), shots.length - 1); broken.value = false; };
  const change = (next: Box[]) => {
    if (!hidesStill(masks.value, next)) seen.value = new Set(broken.value ? [] : [shotKey(shot)]);
    masks.value = next;
  };
  const put = (i: number, b: Box) => change(masks.value.map((m, k) => (k === i ? fit(b, cols, rows) : m)));
  const remove = (i: number) => {
    change(masks.value.filter((_, k) => k !== i));
    chosen.value = -1;
    stage.current?.focus();
  };
  const add = () => {
    change([...masks.value, fit([cols * 0.35, rows * 0.02, cols * 0.3, rows * 0.08], cols, rows)]);
    chosen.value = masks.value.length - 1;
    requestAnimationFrame(() => stage.current?.querySelector<HTMLElement>(`[data-mask="${chosen.value}"]`)?.focus());
  };
  const loaded = () => {
    seen.value = new Set(seen.value).add(shotKey(shot));
    if (playing.value) setTimeout(() => { if (playing.value && at.value < shots.length - 1) go(at.value + 1); else playing.value = false; }, 150);
  };
  useEffect(() => () => { playing.value = false; }, []);

  const point = (e: PointerEvent): [number, number] => {
    const r = stage.current!.getBoundingClientRect();
    return [((e.clientX - r.left) / r.width) * cols, ((e.clientY - r.top) / r.height) * rows];
  };
  const down = (e: PointerEvent) => {
    if (e.button !== 0) return;
    const el = (e.target as Element).closest<HTMLElement>('[data-mask]');
    const [x, y] = point(e);
    stage.current!.setPointerCapture(e.pointerId);
    if (el) {
      const index = Number(el.dataset.mask);
      chosen.value = index;
      el.focus();
      drag.current = { index, kind: (e.target as Element).classList.contains('corner') ? 'size' : 'move', x, y, box: masks.value[index]! };
    } else drag.current = { index: -1, kind: 'new', x, y, box: [x, y, 0, 0] };
    e.preventDefault();
  };
  const move = (e: PointerEvent) => {
    const d = drag.current;
    if (!d) return;
    const [x, y] = point(e), dx = x - d.x, dy = y - d.y;
    if (d.kind === 'new') {
      if (d.index < 0) {
        if (Math.abs(dx) < 4 && Math.abs(dy) < 4) return; // a tap is no mask
        d.index = masks.value.length;
        change([...masks.value, fit([d.x, d.y, 4, 4], cols, rows)]);
        chosen.value = d.index;
      }
      put(d.index, [Math.min(x, d.x), Math.min(y, d.y), Math.abs(dx), Math.abs(dy)]);
    } else if (d.kind === 'move') put(d.index, [d.box[0] + dx, d.box[1] + dy, d.box[2], d.box[3]]);
    else put(d.index, [d.box[0], d.box[1], d.box[2] + dx, d.box[3] + dy]);
  };
  const up = () => { drag.current = undefined; };
  const keys = (e: KeyboardEvent) => {
    const el = (e.target as Element).closest<HTMLElement>('[data-mask]');
    if (e.key === 'PageDown' || e.key === 'PageUp') { e.preventDefault(); go(at.value + (e.key === 'PageDown' ? 1 : -1)); return; }
    if (!el) return;
    const i = Number(el.dataset.mask), b = masks.value[i]!;
    const step = Math.max(1, Math.round(cols / 100));
    const by: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const d = by[e.key];
    if (d) { e.preventDefault(); put(i, e.shiftKey ? [b[0], b[1], b[2] + d[0], b[3] + d[1]] : [b[0] + d[0], b[1] + d[1], b[2], b[3]]); }
    if (e.key === 'Delete' || e.key === 'Backspace') { e.preventDefault(); remove(i); }
  };

  const all = seen.value.size >= shots.length;
  return (
    <div class="masks" data-testid="masks" data-seen={seen.value.size} data-total={shots.length} onKeyDown={keys}>
      <div class="masks-room" style={{ '--ratio': String(cols / rows) }}>
        <div class="masks-stage" ref={stage} tabIndex={-1} data-testid="masks-stage" onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>
          {broken.value ? <p class="masks-broken" role="alert">{w('notShown')}</p>
            : <img key={shotKey(shot)} src={picture(caseId, shot.sop, shot.frame)} alt={w('image', { n: at.value + 1, total: shots.length })} draggable={false} onLoad={loaded} onError={() => { broken.value = true; playing.value = false; }} />}
          {masks.value.map((m, i) => (
            <div key={i} class={`mask ${chosen.value === i ? 'chosen' : ''}`} data-mask={i} data-testid="mask" tabIndex={0} role="group" aria-label={w('mask', { n: i + 1 })} onFocus={() => { chosen.value = i; }}
              style={{ left: `${(m[0] / cols) * 100}%`, top: `${(m[1] / rows) * 100}%`, width: `${(m[2] / cols) * 100}%`, height: `${(m[3] / rows) * 100}%` }}><i class="corner" /></div>))}
        </div>
      </div>
      <div class="masks-tools">
        {shots.length > 1 && <label class="masks-at"><span class="num">{w('image', { n: at.value + 1, total: shots.length })}</span>
          <input type="range" min={1} max={shots.length} value={at.value + 1} data-testid="masks-at" onInput={(e) => go(Number(e.currentTarget.value) - 1)} /></label>}
        {shots.length > 1 && <button type="button" class="btn" data-testid="masks-play" onClick={() => { playing.value = !playing.value; if (playing.value) { if (at.value === shots.length - 1) go(0); else go(at.value + 1); } }}>{playing.value ? w('pause') : w('play')}</button>}
        <span class="num" role="status" data-testid="masks-seen">{w('viewed', { n: seen.value.size, total: shots.length })}</span>
        <button type="button" class="btn" data-testid="masks-add" onClick={add}>{w('add')}</button>
        {chosen.value >= 0 && chosen.value < masks.value.length && <button type="button" class="btn" data-testid="masks-remove" onClick={() => remove(chosen.value)}>{w('remove')}</button>}
        {group.proposed.length > 0 && <button type="button" class="btn quiet" onClick={() => { change(group.proposed); chosen.value = -1; }}>{w('proposed')}</button>}
      </div>
      <p class="masks-help small">{all ? w('help') : w('seeAll')}</p>
      <p class="actions end"><button type="button" class="btn" onClick={onBack}>{w('cancel')}</button>
        <button type="button" class="btn" data-testid="masks-exclude" onClick={onExclude}>{w('exclude')}</button>
        <button type="button" class="btn main" data-testid="masks-confirm" disabled={!all} onClick={() => onDone(masks.value)}>{w('confirm')}</button></p>
    </div>
  );
}
