// A film in place: the browser's own player, or what to do where it has none.
import { useState } from 'preact/hooks';
import { urls } from '../api';
import { bytes } from '../lib/bytes';
import type { InstanceManifest } from '../types';
import { w } from './words';

/** How a film is coded, by its transfer syntax (PS3.5 sections 8.2.5 to 8.2.13). */
function coding(syntax: string): string {
  const n = Number(/^1\.2\.840\.10008\.1\.2\.4\.(\d+)/.exec(syntax)?.[1] ?? 0);
  return n >= 107 ? 'H.265' : n >= 102 ? 'H.264' : 'MPEG-2';
}

export function Film({ caseId, inst }: { caseId: string; inst: InstanceManifest }) {
  const [failed, setFailed] = useState(false), [tries, setTries] = useState(0);
  const src = urls.document(caseId, inst.sop), poster = urls.instanceThumbnail(caseId, inst.sop);
  const get = <a class="viewer-button" href={src} download data-testid="film-download">{w('filmGet', { size: bytes(inst.size) })}</a>;
  if (inst.encoding !== 'film') {
    return <div class="viewer-notice" role="status" data-testid="film-elsewhere"><img src={poster} alt="" /><p>{w('filmElsewhere', { coding: coding(inst.syntax) })}</p>{get}</div>;
  }
  return (
    <div class="viewer-film">
      <video key={tries} class="viewer-document" src={src} poster={poster} controls playsInline preload="metadata" aria-label={w('film')} data-testid="film"
        onError={() => setFailed(true)} onLoadedData={() => setFailed(false)} />
      {failed && <div class="viewer-film-problem" role="alert"><p>{w('filmFailed', { coding: coding(inst.syntax) })}</p>
        <button type="button" class="viewer-button" onClick={() => { setFailed(false); setTries(tries + 1); }}>{w('again')}</button> {get}</div>}
    </div>
  );
}
