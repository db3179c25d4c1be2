// Adding files: drop, choose, a folder, the camera.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { fromDrop, fromInput } from '../lib/pick';
import { addFiles, ofCase, type Picked } from '../state/transfers';
import { say } from './base';
import { Icon } from './icon';
import { TransferList } from './transfers';

export function AddFiles({ caseId, onPicked, compact }: { caseId: string; onPicked?: () => void; compact?: boolean }) {
  const over = useSignal(0);
  const files = useRef<HTMLInputElement>(null), folder = useRef<HTMLInputElement>(null), camera = useRef<HTMLInputElement>(null);
  const take = (picked: Picked[]) => {
    if (!picked.length) { say(t('files.emptyDrop')); return; }
    onPicked?.();
    void addFiles(caseId, picked).catch(() => say(t('files.engine'), undefined, 'bad'));
  };
  useEffect(() => { folder.current?.setAttribute('webkitdirectory', ''); }, []);
  // A file dropped beside the field must not make the browser leave the page.
  useEffect(() => {
    const stop = (e: DragEvent) => { if (e.dataTransfer?.types.includes('Files')) e.preventDefault(); };
    addEventListener('dragover', stop);
    addEventListener('drop', stop);
    return () => { removeEventListener('dragover', stop); removeEventListener('drop', stop); };
  }, []);
  const input = (e: { currentTarget: HTMLInputElement }) => take(fromInput(e.currentTarget));
  return (
    <div class={`drop ${over.value ? 'over' : ''} ${compact ? 'compact' : ''}`} data-testid="drop-zone"
      onDragEnter={() => { over.value++; }} onDragLeave={() => { over.value = Math.max(0, over.value - 1); }}
      onDrop={(e) => { e.preventDefault(); over.value = 0; if (e.dataTransfer) void fromDrop(e.dataTransfer).then(take); }}>
      <div class="drop-buttons">
        <button type="button" class="btn" onClick={() => files.current?.click()}><Icon name="file" /> {t('files.choose')}</button>
        <button type="button" class="btn" onClick={() => folder.current?.click()}><Icon name="folder" /> {t('files.folder')}</button>
        <button type="button" class="btn" onClick={() => camera.current?.click()}><Icon name="camera" /> {t('files.camera')}</button>
      </div>
      <p class="hint">{over.value ? t('files.dropNow') : t('files.hint')}</p>
      <input ref={files} type="file" multiple hidden data-testid="file-input" aria-label={t('files.choose')} onChange={input} />
      <input ref={folder} type="file" multiple hidden data-testid="folder-input" aria-label={t('files.folder')} onChange={input} />
      <input ref={camera} type="file" accept="image/*" capture="environment" hidden data-testid="camera-input" aria-label={t('files.camera')} onChange={input} />
    </div>
  );
}

export function CaseTransfers({ caseId }: { caseId: string }) {
  return <TransferList files={ofCase(caseId)} />;
}
