// Files shown in place: photo, PDF, video, ECG.
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { urls } from '../api';
import { lang, t } from '../i18n';
import { sexAge } from '../lib/age';
import { Dialog, Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import { now } from '../state/now';
import type { Attachment, Case, StillOf } from '../types';

export interface Shown { kind: string; title: string; file: Attachment }

function Photo({ src, alt }: { src: string; alt: string }) {
  const zoom = useSignal(1), failed = useSignal(false), loaded = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; y: number; left: number; top: number } | undefined>(undefined);
  const by = (f: number) => { zoom.value = Math.min(8, Math.max(1, zoom.value * f)); };
  const width = useComputed(() => `${zoom.value * 100}%`);
  useEffect(() => {
    const el = box.current!;
    const wheel = (e: WheelEvent) => { e.preventDefault(); by(e.deltaY < 0 ? 1.15 : 1 / 1.15); };
    el.addEventListener('wheel', wheel, { passive: false });
    return () => el.removeEventListener('wheel', wheel);
  }, []);
  return (
    <div class="photo">
      <div class="strip"><button type="button" class="btn" aria-label={t('zoom.out')} onClick={() => by(1 / 1.5)}>−</button><span class="num">{Math.round(zoom.value * 100)} %</span>
        <button type="button" class="btn" aria-label={t('zoom.in')} onClick={() => by(1.5)}>+</button><button type="button" class="btn" onClick={() => { zoom.value = 1; }}>{t('zoom.fit')}</button>
        <a class="btn" href={src} download><Icon name="download" /> {t('download')}</a></div>
      <div ref={box} class="photo-box" tabIndex={0} aria-label={alt} onKeyDown={(e) => { if (e.key === '+') by(1.25); if (e.key === '-') by(0.8); }}
        onPointerDown={(e) => { if (e.pointerType !== 'mouse') return; drag.current = { x: e.clientX, y: e.clientY, left: box.current!.scrollLeft, top: box.current!.scrollTop }; box.current!.setPointerCapture(e.pointerId); }}
        onPointerMove={(e) => { const d = drag.current; if (d) { box.current!.scrollLeft = d.left - e.clientX + d.x; box.current!.scrollTop = d.top - e.clientY + d.y; } }}
        onPointerUp={() => { drag.current = undefined; }} onPointerCancel={() => { drag.current = undefined; }}>
        {failed.value ? <Notice tone="bad">{t('show.failed')}</Notice>
          : <img src={src} alt={alt} draggable={false} class={zoom.value === 1 ? 'fit' : ''} style={{ width: zoom.value === 1 ? '' : width.value }} onLoad={() => { loaded.value = true; }} onError={() => { failed.value = true; }} data-testid="photo" />}
        {!loaded.value && !failed.value && <p class="loading">{t('show.loading')}</p>}
      </div>
    </div>
  );
}

function Video({ src }: { src: string }) {
  const failed = useSignal(false);
  return <>{failed.value && <Notice tone="warn">{t('show.videoFailed')}</Notice>}<video class="video" src={src} controls playsInline preload="metadata" data-testid="video" onError={() => { failed.value = true; }} />
    <p class="actions"><a class="btn" href={src} download><Icon name="download" /> {t('download')}</a></p></>;
}

function Pdf({ src, title }: { src: string; title: string }) {
  return <><iframe class="pdf" src={`${src}?inline=1`} title={title} data-testid="pdf" />
    <p class="actions"><a class="btn" href={src} download><Icon name="download" /> {t('download')}</a> <a class="btn" href={`${src}?inline=1`} target="_blank" rel="noopener">{t('show.newTab')}</a></p></>;
}

/** SCP-ECG and HL7 aECG files, drawn like the others; the original stays at hand. */
function FileEcg({ c, file }: { c: Case; file: Attachment }) {
  const part = useSignal<ComponentType<{ caseId: string; file: Attachment }> | undefined>(undefined), failed = useSignal(false);
  useEffect(() => { import('../ecg').then((m) => { part.value = m.FromFile; }, () => { failed.value = true; }); }, []);
  const Part = part.value;
  return <>
    <div class="strip"><a class="btn" href={urls.attachment(c.id, file.id)} download><Icon name="download" /> {t('download')}</a></div>
    {failed.value ? <Notice tone="bad">{t('show.failed')}</Notice> : Part ? <Part caseId={c.id} file={file} /> : <p class="loading">{t('show.loading')}</p>}
  </>;
}

/** A picture frozen in a call, with what was drawn on it. */
function StillFile({ src, file }: { src: string; file: Attachment }) {
  const part = useSignal<ComponentType<{ src: string; alt: string; still: StillOf }> | undefined>(undefined), failed = useSignal(false);
  useEffect(() => { import('../call/still/marks').then((m) => { part.value = m.default; }, () => { failed.value = true; }); }, []);
  const Part = part.value;
  return <>
    <div class="strip"><a class="btn" href={src} download><Icon name="download" /> {t('download')}</a></div>
    {failed.value ? <Notice tone="bad">{t('show.failed')}</Notice> : Part && file.still ? <Part src={`${src}?inline=1`} alt={t('files.still', { who: file.still.ofName })} still={file.still} /> : <p class="loading">{t('show.loading')}</p>}
  </>;
}

export function Show({ c, what, onClose }: { c: Case; what: Shown; onClose: () => void }) {
  const who = `${c.patient.name}, ${sexAge(c.patient, now.value, lang.value)}`;
  const file = urls.attachment(c.id, what.file.id);
  return (
    <Dialog title={`${who} · ${what.title}`} onClose={onClose} wide dark={what.kind === 'photo' || what.kind === 'still' || what.kind === 'video'} testid="show">
      {what.kind === 'photo' && <Photo src={`${file}?inline=1`} alt={what.title} />}
      {what.kind === 'still' && <StillFile src={file} file={what.file} />}
      {what.kind === 'ecg' && what.file && <FileEcg c={c} file={what.file} />}
      {what.kind === 'pdf' && <Pdf src={file} title={what.title} />}
      {what.kind === 'video' && <Video src={`${file}?inline=1`} />}
    </Dialog>
  );
}
