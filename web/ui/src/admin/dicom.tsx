// The DICOM settings in force, to be read beside a device that will not send.
import { Notice } from '../parts/base';
import { Icon } from '../parts/icon';
import type { DicomSettings, Peer } from './data';
import { Fact } from './node';
import { w } from './words';

const Mark = ({ yes }: { yes: boolean }) => (yes ? <span class="ok"><Icon name="check" size={18} /> {w('yes')}</span> : <span class="muted">{w('no')}</span>);

function Line({ p }: { p: Peer }) {
  return (
    <tr data-testid="peer" data-aet={p.aet}>
      <th scope="row">{p.aet}{!p.store && !p.query && <span class="tag warn">{w('notLet')}</span>}</th>
      <td data-label={w('colAddress')}>{p.address || <span class={p.query ? 'no' : 'muted'} title={w('anyQuery')}>{p.query && <Icon name="warn" size={16} />} {w('any')}</span>}</td>
      <td data-label={w('colPlace')}>{p.unknownFacility ? <span class="no">{w('unknownPlace', { id: p.facility })}</span> : p.facility || <span class="muted">{w('nowhere')}</span>}</td>
      <td data-label={w('colStore')}><Mark yes={p.store} /></td><td data-label={w('colWorklist')}><Mark yes={p.worklist} /></td><td data-label={w('colQuery')}><Mark yes={p.query} /></td>
    </tr>
  );
}

export function Dicom({ d }: { d: DicomSettings }) {
  if (!d.address) return <Notice>{w('off')}</Notice>;
  return (
    <>
      <section class="card"><h2>{w('port')}</h2>
        <dl class="facts-list">
          <Fact name={w('aet')} testid="dicom-aet">{d.aet}</Fact><Fact name={w('address')} testid="dicom-address">{d.address}</Fact>
          <Fact name={w('tls')} testid="dicom-tls">{w(d.tls === 'mutual' ? 'tlsMutual' : d.tls === 'on' ? 'tlsOn' : 'tlsOff')}</Fact>
        </dl></section>
      <section class="card"><h2>{w('peers')}</h2>
        {d.everybody && <Notice tone="warn" testid="dicom-everybody">{w('everybody')}</Notice>}
        {d.peers.length === 0 ? <p class="empty small">{w('noPeers')}</p>
          : <table class="log stacked"><thead><tr><th scope="col">{w('colAet')}</th><th scope="col">{w('colAddress')}</th><th scope="col">{w('colPlace')}</th><th scope="col">{w('colStore')}</th><th scope="col">{w('colWorklist')}</th><th scope="col">{w('colQuery')}</th></tr></thead>
            <tbody>{d.peers.map((p) => <Line key={p.aet + p.address} p={p} />)}</tbody></table>}</section>
      <section class="card"><h2>{w('destinations')}</h2>
        {d.destinations.length === 0 ? <p class="muted">{w('noDestinations')}</p> : <ul class="plain">{d.destinations.map((x) => <li key={x.aet} data-testid="destination"><strong>{x.aet}</strong> · {x.address}{x.tls ? ' · TLS' : ''}</li>)}</ul>}
        <h2>{w('services')}</h2><p class={d.services.length ? '' : 'muted'}>{d.services.join(', ') || w('noServices')}</p></section>
      <p class="muted">{w('changed')}</p>
    </>
  );
}
