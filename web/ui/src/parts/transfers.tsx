// The list of what leaves this device, and one row of it.
import { t, type Key } from '../i18n';
import { bytes, rate } from '../lib/bytes';
import { percentOf, totals } from '../lib/queue';
import { timeFor } from '../lib/share';
import { left } from '../lib/time';
import { paths } from '../router';
import { now } from '../state/now';
import { drop, flush, outbox } from '../state/outbox';
import { filesFirst, grant, putFilesFirst } from '../state/share';
import { allPaused, cancel, clearDone, panelOpen, pause, pauseAll, resume, transfers, uploadRate, type StoredFile } from '../state/transfers';
import type { IntakeFile } from '../types';
import { Meter, Notice, When } from './base';
import { Icon } from './icon';

const reasonText = (r: IntakeFile): string => r.message || t('upload.refused');

function Outcome({ results }: { results: IntakeFile[] }) {
  const stored = results.filter((r) => r.state === 'stored').length;
  const double = results.filter((r) => r.state === 'duplicate').length;
  const refused = results.filter((r) => r.state === 'refused');
  return (
    <div class="outcome">
      {stored > 0 && <span class="ok"><Icon name="check" size={16} /> {results.length > 1 ? t('upload.storedN', { n: stored }) : t('upload.stored')}</span>}
      {double > 0 && <span class="ok"><Icon name="check" size={16} /> {results.length > 1 ? t('upload.duplicateN', { n: double }) : t('upload.duplicate')}</span>}
      {results.length === 0 && <span class="ok"><Icon name="check" size={16} /> {t('upload.stored')}</span>}
      {refused.slice(0, 8).map((r) => <span class="no" data-testid="upload-refusal"><Icon name="warn" size={16} /> {results.length > 1 ? `${r.name} : ` : ''}{reasonText(r)}</span>)}
      {refused.length > 8 && <span class="no">{t('upload.refusedMore', { n: refused.length - 8 })}</span>}
    </div>
  );
}

/** What a row is, in one word, also for tests: the intake's verdict once it is known. */
export function rowState(f: StoredFile): string {
  if (f.state !== 'done' || !f.results?.length) return f.state === 'done' ? 'stored' : f.state;
  if (f.results.every((r) => r.state === 'refused')) return 'refused';
  return f.results.every((r) => r.state === 'duplicate') ? 'duplicate' : 'stored';
}

export function TransferRow({ f, seconds }: { f: StoredFile; seconds?: number }) {
  const state = rowState(f);
  const percent = percentOf(f.sent, f.size);
  const held = f.state === 'queued' && allPaused.value ? t('upload.paused') : '';
  const wait = f.retryAt ? Math.max(0, Math.ceil((f.retryAt - Math.max(+now.value, Date.now())) / 1000)) : 0;
  return (
    <li class={`transfer ${state}`} data-testid="upload-row" data-state={state} data-name={f.name} data-percent={percent}>
      <div class="transfer-name"><Icon name="file" size={18} /><span class="ellipsis" title={f.path}>{f.name}</span><span class="muted num">{bytes(f.size)}</span></div>
      {f.state !== 'done' && f.state !== 'failed' && (
        <div class="transfer-bar">
          <Meter percent={f.state === 'processing' ? 100 : percent} label={f.name} />
          <span class="num">
            {f.state === 'processing' ? t('upload.processing') : f.state === 'missing' ? '' : `${percent} % · ${bytes(f.sent)}`}
            {f.state === 'sending' && uploadRate.value > 0 ? ` · ${rate(uploadRate.value)}${seconds !== undefined && isFinite(seconds) ? ` · ${t('upload.left', { d: left(seconds) })}` : ''}` : ''}
            {f.state === 'paused' ? ` · ${t('upload.paused')}` : ''}
            {f.state === 'waiting' ? ` · ${t('upload.waiting', { s: wait })}` : ''}
            {held ? ` · ${held}` : f.state === 'queued' ? ` · ${t('upload.queued')}` : ''}
          </span>
        </div>
      )}
      {f.state === 'missing' && <span class="no"><Icon name="warn" size={16} /> {t('upload.missing')}</span>}
      {f.state === 'failed' && <span class="no"><Icon name="warn" size={16} /> {f.error}</span>}
      {f.state === 'done' && <Outcome results={f.results ?? []} />}
      <div class="transfer-acts">
        {(f.state === 'sending' || f.state === 'queued' || f.state === 'waiting') && <button type="button" class="btn quiet square" data-testid="upload-pause" aria-label={t('upload.pause', { name: f.name })} title={t('upload.pauseShort')} onClick={() => void pause(f.id)}><Icon name="pause" /></button>}
        {(f.state === 'paused' || f.state === 'waiting') && <button type="button" class="btn quiet square" data-testid="upload-resume" aria-label={t('upload.resume', { name: f.name })} title={t('upload.resumeShort')} onClick={() => void resume(f.id)}><Icon name="play" /></button>}
        {f.state === 'failed' && <button type="button" class="btn quiet square" data-testid="upload-retry" aria-label={t('upload.retry', { name: f.name })} title={t('upload.retryShort')} onClick={() => void resume(f.id)}><Icon name="retry" /></button>}
        {f.state !== 'processing' && <button type="button" class="btn quiet square" data-testid="upload-cancel" aria-label={f.state === 'done' ? t('upload.hide', { name: f.name }) : t('upload.cancel', { name: f.name })} title={f.state === 'done' ? t('close') : t('upload.cancelShort')} onClick={() => void cancel(f.id)}><Icon name="close" /></button>}
      </div>
    </li>
  );
}

export function TransferList({ files }: { files: StoredFile[] }) {
  if (!files.length) return null;
  const open = files.filter((f) => f.state !== 'done');
  const tt = totals(open, uploadRate.value);
  // Files go one after the other: what is shown first is what moves now.
  const rank: Record<string, number> = { failed: 0, missing: 0, sending: 1, processing: 2, waiting: 2, queued: 3, paused: 4, done: 5 };
  const sorted = [...files].sort((a, b) => (rank[a.state] ?? 9) - (rank[b.state] ?? 9) || a.addedAt - b.addedAt);
  return (
    <div class="transfers">
      {tt.left > 0 && (
        <div class="transfer-total" data-testid="upload-total" data-percent={tt.percent}>
          <Meter percent={tt.percent} label={t('upload.total')} />
          <span class="num">{t('upload.totalLine', { n: tt.left, percent: tt.percent, left: bytes(tt.bytesLeft) })}{uploadRate.value > 0 ? ` · ${rate(uploadRate.value)} · ${t('upload.left', { d: left(tt.seconds) })}` : ''}</span>
        </div>
      )}
      <ul class="plain">{sorted.slice(0, 60).map((f) => <TransferRow key={f.id} f={f} seconds={uploadRate.value > 0 ? (f.size - f.sent) / uploadRate.value : undefined} />)}</ul>
      {sorted.length > 60 && <p class="muted">{t('upload.more', { n: sorted.length - 60 })}</p>}
    </div>
  );
}

/** Why files go slowly during a call, what it would take, and the choice. */
function Slowed({ files }: { files: StoredFile[] }) {
  const up = grant.value?.up, rest = totals(files.filter((f) => f.state !== 'done'), 0).bytesLeft;
  if (up === undefined || !rest) return null;
  const first = filesFirst.value;
  return (
    <Notice tone="info">
      <span data-testid="transfers-slowed" data-kbps={up}>{t(first ? 'transfers.slowedFirst' : 'transfers.slowed', { k: up, d: left(timeFor(rest, up)) })}</span>
      <p class="slowed-act"><button type="button" class="btn" data-testid="files-first" onClick={() => putFilesFirst(!first)}>{t(first ? 'transfers.voiceFirst' : 'transfers.filesFirst')}</button></p>
    </Notice>
  );
}

export function TransfersPanel() {
  if (!panelOpen.value) return null;
  const files = transfers.value;
  const done = files.some((f) => f.state === 'done' || f.state === 'failed');
  return (
    <aside class="panel" aria-label={t('transfers.title')} data-testid="transfers-panel" onKeyDown={(e) => { if (e.key === 'Escape') panelOpen.value = false; }}>
      <header class="dialog-head"><h2>{t('transfers.title')}</h2>
        <button type="button" class="btn quiet square" aria-label={t('close')} onClick={() => { panelOpen.value = false; }}><Icon name="close" /></button></header>
      <div class="panel-body">
        <Slowed files={files} />
        {outbox.value.map((i) => (
          <div class={`transfer ${i.refused ? 'refused' : ''}`} key={i.id} data-testid="outbox-row" data-state={i.refused ? 'refused' : 'waiting'}>
            <div class="transfer-name"><Icon name={i.kind === 'request' ? 'board' : 'chat'} size={18} /><a href={i.kind === 'request' ? paths.draft(i.caseId) : paths.case(i.caseId)} onClick={() => { panelOpen.value = false; }}>{t(`outbox.${i.kind}` as Key)}</a> <span class="muted"><When at={new Date(i.createdAt)} /></span></div>
            {i.refused ? <span class="no"><Icon name="warn" size={16} /> {i.refused.text}</span> : <span class="muted">{t('outbox.waiting')}</span>}
            <div class="transfer-acts">
              {i.refused
                ? i.kind === 'text' && <button type="button" class="btn quiet square" aria-label={t('outbox.drop')} title={t('outbox.drop')} onClick={() => void drop(i.id)}><Icon name="trash" /></button>
                : <button type="button" class="btn quiet square" aria-label={t('outbox.now')} title={t('outbox.now')} onClick={() => void flush()}><Icon name="retry" /></button>}
            </div>
          </div>
        ))}
        {!files.length && !outbox.value.length && <p class="muted">{t('transfers.empty')}</p>}
        <TransferList files={files} />
      </div>
      {files.length > 0 && (
        <footer class="panel-foot">
          <button type="button" class="btn" onClick={() => void pauseAll(!allPaused.value)}><Icon name={allPaused.value ? 'play' : 'pause'} /> {allPaused.value ? t('transfers.resumeAll') : t('transfers.pauseAll')}</button>
          {done && <button type="button" class="btn quiet" onClick={() => void clearDone()}>{t('transfers.clear')}</button>}
        </footer>
      )}
    </aside>
  );
}
