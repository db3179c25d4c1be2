import type { ComponentChildren } from 'preact';
import { lang } from '../i18n';
import { bytes } from '../lib/bytes';
import { exact } from '../lib/time';
import { Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import type { Node } from './data';
import { w } from './words';

export function Fact({ name, children, testid }: { name: string; children: ComponentChildren; testid?: string }) {
  return <div class="fact"><dt>{name}</dt><dd data-testid={testid}>{children}</dd></div>;
}

const Ready = ({ ok }: { ok: boolean }) => (ok ? <span class="ok"><Icon name="check" size={16} /> {w('answers')}</span> : <span class="no"><Icon name="warn" size={16} /> {w('silent')}</span>);
const counted = ['openCases', 'cases', 'tray', 'quarantined', 'studies', 'instances', 'imageBytes', 'users', 'facilities', 'live', 'calls'] as const;
const kinds = { sqlite: 'sqlite', postgres: 'postgres', file: 'file', s3: 's3' } as const;
const kind = (k: string) => (k in kinds ? w(kinds[k as keyof typeof kinds]) : k);

export function NodeCards({ n }: { n: Node }) {
  const low = n.freeBytes >= 0 && n.freeBytes < n.minFreeBytes * 2;
  const number = (k: string) => (k === 'imageBytes' ? bytes(n.counts[k] ?? 0) : (n.counts[k] ?? 0).toLocaleString(lang.value === 'en' ? 'en-GB' : 'fr-FR'));
  return (
    <>
      {low && <Notice tone="warn" testid="disk-low">{w('low')}</Notice>}
      <section class="card"><h2>{w('state')}</h2>
        <dl class="facts-list">
          <Fact name={w('database')} testid="node-database">{kind(n.database.kind)} · <Ready ok={n.database.ready} /></Fact>
          <Fact name={w('blobs')} testid="node-blobs">{kind(n.blobs.kind)} · <Ready ok={n.blobs.ready} /></Fact>
          <Fact name={w('disk')} testid="node-free">{n.freeBytes < 0 ? w('unknown') : n.minFreeBytes > 0 ? w('reserve', { free: bytes(n.freeBytes), min: bytes(n.minFreeBytes) }) : bytes(n.freeBytes)}</Fact>
          <Fact name={w('since')}>{exact(n.startedAt)}</Fact>
          <Fact name={w('version')} testid="node-version">{n.version} · {n.go} · {n.platform}</Fact>
        </dl></section>
      <section class="card"><h2>{w('holds')}</h2>
        <dl class="facts-list wide">{counted.map((k) => <Fact key={k} name={w(k)} testid={`count-${k}`}>{number(k)}</Fact>)}</dl></section>
    </>
  );
}
