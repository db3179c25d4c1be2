// Two small charts for one person: what their link carries and what goes over
// it; how late and how much is lost. Plain SVG, in pixels of its own width.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, RefObject } from 'preact';
import { sent, shown, type Columns, type Outage, type Way } from './data';
import { band, ceiling, line, runs } from './scale';
import { share, w } from './words';

const height = 128, left = 40, right = 6, top = 8, bottom = 20;

interface Frame { width: number; from: number; to: number; most: number; x: (at: number) => number; y: (v: number) => number }

/** The width that there is. */
function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(320);
  useEffect(() => {
    const look = () => { if (box.current) setWidth(Math.max(220, Math.floor(box.current.clientWidth))); };
    look();
    const o = new ResizeObserver(look);
    if (box.current) o.observe(box.current);
    return () => o.disconnect();
  }, []);
  return [box, width];
}

function frame(width: number, to: number, begun: number, most: number): Frame {
  const from = to - Math.min(shown, Math.max(120_000, to - begun));
  return { width, from, to, most, x: (at) => left + ((at - from) / (to - from)) * (width - left - right), y: (v) => top + (1 - Math.min(v, most) / most) * (height - top - bottom) };
}

function Axes({ f, end }: { f: Frame; end: string }) {
  const minutes = (f.to - f.from) / 60_000, step = minutes > 6 ? 2 : 1, marks: number[] = [];
  for (let m = step; m < minutes - 0.2; m += step) marks.push(m);
  return (
    <g class="axes">
      {[0, 0.5, 1].map((k) => <g key={k}><line x1={left} x2={f.width - right} y1={f.y(k * f.most)} y2={f.y(k * f.most)} /><text x={left - 5} y={f.y(k * f.most) + 4} text-anchor="end">{k * f.most}</text></g>)}
      {marks.map((m) => f.x(f.to - m * 60_000) > left + 20 && <text key={m} x={f.x(f.to - m * 60_000)} y={height - 5} text-anchor="middle">{f.width > 300 || m % (2 * step) === 0 ? w('ago', { n: m }) : ''}</text>)}
      <text x={f.width - right} y={height - 5} text-anchor="end">{end}</text>
    </g>
  );
}

function Drawing({ label, testid, children, box, width }: { label: string; testid: string; children: ComponentChildren; box: RefObject<HTMLDivElement | null>; width: number }) {
  return <div ref={box} class="drawing"><svg role="img" aria-label={label} data-testid={testid} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>{children}</svg></div>;
}

function Outages({ f, list }: { f: Frame; list: Outage[] }) {
  return <>{list.filter((o) => o.at + o.ms > f.from).map((o) => {
    const x = f.x(Math.max(o.at, f.from)), wide = Math.max(2, f.x(Math.min(o.at + o.ms, f.to)) - x);
    return <g key={o.at} class="outage" data-testid="mark-outage"><rect x={x} y={top} width={wide} height={height - top - bottom} fill="url(#hatch)" />{wide > 44 && <text x={x + wide / 2} y={top + 12} text-anchor="middle">{w('outage')}</text>}</g>;
  })}</>;
}

/** One hatch for all charts of the page. */
export const Hatch = () => (
  <svg class="sr" aria-hidden="true" width="0" height="0"><defs>
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fdecea" /><line x1="0" x2="0" y2="6" stroke="#a3231f" stroke-width="2.5" /></pattern>
    <pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" fill="#f3dcae" /><circle cx="2.5" cy="2.5" r="1.2" fill="#7a4b00" /></pattern>
  </defs></svg>
);

const known = ['voice', 'still', 'picture', 'repair', 'files'] as const;
type Known = (typeof known)[number];
const isKnown = (k: string): k is Known => (known as readonly string[]).includes(k);
/** From below: voice first, as on the link. */
const classes = (of: Record<string, number[]>): string[] => [...known.filter((k) => of[k]), ...Object.keys(of).filter((k) => !isKnown(k)).sort()];
const className = (k: string): string => (isKnown(k) ? w(k) : k);

interface Props { c: Columns; way: Way; every: number; to: number; begun: number; who: string; end: string; outages: Outage[] }

export function RateChart({ c, way, every, to, begun, who, end, outages }: Props) {
  const [box, width] = useWidth(), last = c.at.length - 1;
  const carries = way === 'down' ? c.estimate : c.uplink, here = c.at.map((_, i) => sent(c, i, way));
  // An estimate far above all that goes would flatten it.
  const f = frame(width, to, begun, ceiling(c.at.reduce((m, _, i) => Math.max(m, here[i]!, Math.min(carries[i]!, 2 * Math.max(here[i]!, 60))), 0), 60));
  const stack = c.at.map(() => 0);
  const list = classes(c[way]);
  const bands = list.map((k) => {
    const under = [...stack];
    c.at.forEach((_, i) => { stack[i]! += c[way][k]![i] ?? 0; });
    const over = [...stack];
    return <path key={k} class={`band ${isKnown(k) ? k : 'other'}`} d={runs(c.at, every).map((r) => band(r.map((i) => [f.x(c.at[i]!), f.y(over[i]!)]), r.map((i) => [f.x(c.at[i]!), f.y(under[i]!)]))).join('')} />;
  });
  const stroke = (of: number[], keep?: (i: number) => boolean) => runs(c.at, every, keep).map((r) => line(r.map((i) => [f.x(c.at[i]!), f.y(of[i]!)]))).join('');
  const now = { who, sent: here[last] ?? 0, delivered: c.delivered[last] ?? 0, estimate: carries[last] ?? 0 };
  const label = way === 'down' ? w('chartRate', now) : w('chartUp', now);
  return (
    <figure class="chart"><figcaption>{w(way === 'down' ? 'rate' : 'rateUp')}</figcaption>
      <Drawing label={label} testid="chart-rate" box={box} width={width}>
        <Axes f={f} end={end} />{bands}<Outages f={f} list={outages} />
        {way === 'down' && <path class="stroke delivered" d={stroke(c.delivered, (i) => c.delivered[i]! > 0)} />}<path class="stroke estimate" d={stroke(carries, (i) => carries[i]! > 0 && here[i]! > 0)} />
      </Drawing>
      <ul class="plain legend"><li><i class="key line estimate" />{w('estimate')}</li>{way === 'down' && <li><i class="key line delivered" />{w('delivered')}</li>}{list.map((k) => <li key={k}><i class={`key ${isKnown(k) ? k : 'other'}`} />{className(k)}</li>)}</ul>
    </figure>
  );
}

export function DelayChart({ c, every, to, begun, end, outages }: Props) {
  const [box, width] = useWidth(), last = c.at.length - 1;
  const f = frame(width, to, begun, ceiling(Math.max(0, ...c.rttMs), 200));
  // Losses hang from above: 20 % are the whole height.
  const fall = (perMille: number) => (Math.min(perMille, 200) / 200) * (height - top - bottom), thin = Math.max(1, ((width - left - right) * every) / (f.to - f.from) / 2 - 0.2);
  const seen = outages.filter((o) => o.at + o.ms > f.from).length;
  const label = w('chartDelay', { rtt: c.rttMs[last] ?? 0, up: share(c.lossUp[last] ?? 0), down: share(c.lossDown[last] ?? 0), n: seen });
  return (
    <figure class="chart"><figcaption>{w('delay')}</figcaption>
      <Drawing label={label} testid="chart-delay" box={box} width={width}>
        <Axes f={f} end={end} />
        {c.at.map((at, i) => at >= f.from && <g key={at}>
          {c.lossUp[i]! > 0 && <rect class="loss up" x={f.x(at) - thin} y={top} width={thin} height={fall(c.lossUp[i]!)} />}
          {c.lossDown[i]! > 0 && <rect class="loss down" x={f.x(at)} y={top} width={thin} height={fall(c.lossDown[i]!)} />}
          {c.frozenMs[i]! > 0 && <path class="frozen" data-testid="mark-frozen" d={`M${f.x(at)} ${height - bottom}l-4 7h8z`} />}
        </g>)}
        <Outages f={f} list={outages} />
        <path class="stroke rtt" d={runs(c.at, every, (i) => c.rttMs[i]! > 0 && !c.cut[i]).map((r) => line(r.map((i) => [f.x(c.at[i]!), f.y(c.rttMs[i]!)]))).join('')} />
      </Drawing>
      <ul class="plain legend"><li><i class="key line rtt" />{w('rtt')}</li><li><i class="key up" />{w('lossUp')}</li><li><i class="key down" />{w('lossDown')}</li><li><i class="key tri" />{w('frozen')}</li></ul>
    </figure>
  );
}
