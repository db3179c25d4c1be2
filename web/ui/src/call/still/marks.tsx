// A still with what was drawn on it: one picture, one SVG of the same shape above it.
import type { ComponentChildren, Ref } from 'preact';
import './still.css';

export interface Mark { by: string; name: string; kind: 'stroke' | 'arrow'; points: number[]; color: number }
const colors = ['#ffd400', '#39d0ff', '#ff7ad9', '#7dff6b', '#ff9d3c', '#b9a5ff', '#ff6b6b', '#ffffff'];
export const colorOf = (n: number): string => colors[((n % colors.length) + colors.length) % colors.length]!;
/** Participants are numbered in order, so that up to eight in a call differ. */
export const colorOfParticipant = (id: string): number => (Number(id.slice(1)) || 1) - 1;

const most = 9999;
export interface Size { width: number; height: number }

/** Ten thousandths to the units of the SVG, which are the picture's pixels. */
const scaled = (p: number[], s: Size): [number, number][] => {
  const out: [number, number][] = [];
  for (let i = 0; i + 1 < p.length; i += 2) out.push([(p[i]! / most) * s.width, (p[i + 1]! / most) * s.height]);
  return out;
};

function Shape({ m, size }: { m: Mark; size: Size }) {
  const unit = Math.max(size.width, size.height) / 160, pts = scaled(m.points, size), color = colorOf(m.color);
  const [x0, y0] = pts[0]!, [x1, y1] = pts[pts.length - 1]!;
  let d = `M${pts.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`;
  if (pts.length === 1) d += 'h.1';
  if (m.kind === 'arrow') {
    const a = Math.atan2(y1 - y0, x1 - x0);
    for (const turn of [2.6, -2.6]) d += `M${x1.toFixed(1)} ${y1.toFixed(1)}l${(Math.cos(a + turn) * unit * 6).toFixed(1)} ${(Math.sin(a + turn) * unit * 6).toFixed(1)}`;
  }
  return (
    <g data-testid="still-mark" data-kind={m.kind} data-by={m.by}>
      <path d={d} class="still-under" stroke-width={unit * 2.2} /><path d={d} stroke={color} stroke-width={unit} class="still-line" />
      <text x={x0} y={y0 - unit * 2} font-size={unit * 4.5} fill={color} class="still-name">{m.name}</text>
    </g>
  );
}

export function Picture({ src, size, marks, children, svg, alt, hash, ...events }: {
  src: string; size: Size; marks: Mark[]; alt: string; hash?: string; children?: ComponentChildren; svg?: Ref<SVGSVGElement>; tabindex?: number; [on: `on${string}`]: unknown;
}) {
  return (
    <div class="still-picture" data-testid="still" data-hash={hash}>
      <img src={src} alt={alt} draggable={false} data-testid="still-image" />
      <svg ref={svg} viewBox={`0 0 ${size.width} ${size.height}`} role="application" aria-label={alt} {...events}>
        {marks.map((m, i) => <Shape key={i} m={m} size={size} />)}
        {children}
      </svg>
    </div>
  );
}

/** In the record, after the call. */
export default function Kept({ src, alt, still }: { src: string; alt: string; still: Size & { drawings: { by: string; name: string; marks: { kind: 'stroke' | 'arrow'; points: number[] }[] }[] } }) {
  const marks = still.drawings.flatMap((d, i) => d.marks.map((m) => ({ ...m, by: d.by, name: d.name, color: i })));
  return <div class="still-kept"><Picture src={src} size={still} marks={marks} alt={alt} /></div>;
}
