// Images and files of a case: what is there, what is still on its way.
import { useSignal } from '@preact/signals';
import { t, tMaybe } from '../i18n';
import { bytes } from '../lib/bytes';
import { dicomDate, dicomName } from '../lib/text';
import { day } from '../lib/time';
import { personName } from '../lib/person';
import { When } from '../parts/base';
import { AddFiles } from '../parts/files';
import { Icon, type IconName } from '../parts/icon';
import { TransferList } from '../parts/transfers';
import { navigate, paths } from '../router';
import { ofCase } from '../state/transfers';
import { urls } from '../api';
import type { Attachment, Case, SeriesSummary } from '../types';
import { Show, type Shown } from './show';

const kindIcon: Record<string, IconName> = { image: 'stack', waveform: 'heart', pdf: 'pdf', video: 'film', photo: 'photo', ecg: 'heart', still: 'photo', other: 'file' };

function Thumb({ src, icon, alt }: { src?: string; icon: IconName; alt: string }) {
  const failed = useSignal(!src);
  return <span class="thumb">{failed.value ? <Icon name={icon} size={40} /> : <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => { failed.value = true; }} />}</span>;
}

function size(s: SeriesSummary): string {
  if (s.kind === 'waveform') return t('series.waveform', { n: s.instances });
  if (s.kind === 'image') return s.frames > s.instances ? t('series.frames', { n: s.frames }) : t('series.images', { n: s.instances });
  return t('series.objects', { n: s.instances });
}

function SeriesTile({ c, s }: { c: Case; s: SeriesSummary }) {
  const title = s.description || s.studyDescription || tMaybe(`modality.${s.modality}`) || s.modality;
  return (
    <li class={`tile ${s.warning ? 'warned' : ''}`} data-testid="series-tile" data-series={s.seriesUID} data-kind={s.kind} data-modality={s.modality}>
      <a class="tile-link" href={paths.images(c.id, s.seriesUID)}>
        <Thumb src={s.kind === 'image' || s.kind === 'video' ? s.thumbnail : ''} icon={kindIcon[s.kind] ?? 'file'} alt="" />
        <span class="tile-text"><span class="tile-title"><span class="tag mod">{s.modality}</span> {title}</span>
          <span class="muted">{size(s)}{s.size ? ` · ${bytes(s.size)}` : ''}</span>
          <span class="muted">{s.studyDate ? t('series.of', { date: day(dicomDate(s.studyDate)) }) : ''}</span></span>
      </a>
      {s.warning && <p class="differs" data-testid="patient-differs"><Icon name="warn" size={16} /> {t('series.differs', { name: dicomName(s.patientName) || t('series.noName') })}</p>}
    </li>
  );
}

function FileTile({ c, a, show }: { c: Case; a: Attachment; show: (x: Shown) => void }) {
  const url = urls.attachment(c.id, a.id);
  const inPlace = a.kind === 'photo' || a.kind === 'pdf' || a.kind === 'video' || a.kind === 'ecg' || a.kind === 'still';
  return (
    <li class="tile" data-testid="file-tile" data-kind={a.kind} data-name={a.name}>
      <a class="tile-link" href={inPlace ? '#' : url} download={inPlace ? undefined : a.name} onClick={(e) => { if (inPlace) { e.preventDefault(); show({ kind: a.kind, file: a, title: a.name }); } }}>
        <Thumb src={a.kind === 'photo' || a.kind === 'still' ? `${url}/thumbnail` : ''} icon={kindIcon[a.kind] ?? 'file'} alt="" />
        <span class="tile-text"><span class="tile-title ellipsis" title={a.name}>{a.still ? t('files.still', { who: a.still.ofName }) : a.name}</span>
          <span class="muted">{tMaybe(`kind.${a.kind}`) ?? a.kind}{a.still?.drawings.length ? ` + ${t('files.drawing')}` : ''} · {bytes(a.size)}</span>
          <span class="muted"><Icon name="check" size={14} /> {t('files.received')} <When at={a.addedAt} />{a.addedBy?.name ? `, ${personName(a.addedBy)}` : ''}</span></span>
      </a>
    </li>
  );
}

/** What somebody marked as mattering, one touch away. */
function KeyImages({ c }: { c: Case }) {
  return (
    <section aria-labelledby="h-keys" data-testid="key-images"><h3 id="h-keys">{t('keys.title')}</h3>
      <ul class="plain key-images">{c.keyImages.map((k) => (
        <li key={`${k.sop}/${k.frame}`} data-testid="key-image"><a href={paths.image(c.id, k.seriesUID, k.sop, k.frame)} title={t('keys.by', { who: personName(k.by) })}>
          <img src={`${k.picture}?side=160`} alt={t('keys.image', { modality: k.modality, n: k.frame })} loading="lazy" decoding="async" /><small>★ {personName(k.by)}</small></a></li>))}</ul>
    </section>
  );
}

export function Files({ c }: { c: Case }) {
  const shown = useSignal<Shown | undefined>(undefined), adding = useSignal(false);
  const show = (x: Shown) => { shown.value = x; };
  const moving = ofCase(c.id).filter((f) => f.state !== 'done' || f.results?.some((r) => r.state === 'refused'));
  const nothing = !c.series.length && !c.files.length;
  const images = c.series.filter((s) => s.kind === 'image');
  return (
    <section class="card" aria-labelledby="h-files">
      <div class="card-head"><h2 id="h-files">{t('case.files')}</h2>
        {images.length > 0 && <button type="button" class="btn main" data-testid="open-images" onClick={() => navigate(paths.images(c.id, images[0]!.seriesUID))}><Icon name="stack" /> {t('case.openImages')}</button>}
        {c.can.includes('attach') && <button type="button" class="btn quiet" aria-expanded={adding.value} data-testid="add-files" onClick={() => { adding.value = !adding.value; }}><Icon name="plus" /> {t('files.add')}</button>}</div>
      {adding.value && <AddFiles caseId={c.id} compact />}
      <TransferList files={moving} />
      {nothing && !moving.length && <p class="empty small">{t('case.noFiles')}</p>}
      <ul class="plain tiles">
        {c.series.map((s) => <SeriesTile key={s.seriesUID} c={c} s={s} />)}
        {c.files.map((a) => <FileTile key={a.id} c={c} a={a} show={show} />)}
      </ul>
      {c.keyImages.length > 0 && <KeyImages c={c} />}
      {shown.value && <Show c={c} what={shown.value} onClose={() => { shown.value = undefined; }} />}
    </section>
  );
}
