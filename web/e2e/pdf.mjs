// Reads the lines of a PDF as a browser writes it, to measure what is printed.
import { inflateSync } from 'node:zlib'

const toMm = 25.4 / 72

/** For each page its size and its subpaths as lists of points, in millimetres. */
export function paths(pdf) {
  const text = pdf.toString('latin1'), out = []
  const object = n => { const at = text.search(new RegExp(`(^|\\n)${n} 0 obj`)); return text.slice(at, text.indexOf('endobj', at)) }
  for (const [, body] of text.matchAll(/\n\d+ 0 obj\s*(<<(?:(?!endobj)[^])*?\/Type \/Page\b(?:(?!endobj)[^])*)endobj/g)) {
    const [, x0, y0, x1, y1] = /\/MediaBox \[([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)\]/.exec(body).map(Number)
    const content = object(/\/Contents (\d+) 0 R/.exec(body)[1])
    const start = content.indexOf('stream') + 6 + (content[content.indexOf('stream') + 6] === '\r' ? 2 : 1)
    const raw = Buffer.from(content.slice(start, content.lastIndexOf('endstream')), 'latin1')
    out.push({ width: (x1 - x0) * toMm, height: (y1 - y0) * toMm, paths: lines(/FlateDecode/.test(content) ? inflateSync(raw, { finishFlush: 2 }).toString('latin1') : raw.toString('latin1')) })
  }
  return out
}

/** The subpaths of a content stream (ISO 32000-1 section 8.5), through its matrices. */
function lines(stream) {
  const found = [], stack = [], saved = []
  let m = [1, 0, 0, 1, 0, 0], current
  const at = (x, y) => [(m[0] * x + m[2] * y + m[4]) * toMm, (m[1] * x + m[3] * y + m[5]) * toMm]
  for (const token of stream.split(/\s+/)) {
    if (/^[-+.\d]/.test(token)) { stack.push(Number(token)); continue }
    const n = stack.splice(0)
    if (token === 'q') saved.push(m)
    else if (token === 'Q') m = saved.pop() ?? m
    else if (token === 'cm') {
      const [a, b, c, d, e, f] = n
      m = [a * m[0] + b * m[2], a * m[1] + b * m[3], c * m[0] + d * m[2], c * m[1] + d * m[3], e * m[0] + f * m[2] + m[4], e * m[1] + f * m[3] + m[5]]
    } else if (token === 'm') found.push(current = [at(...n)])
    else if (token === 'l') current?.push(at(...n))
  }
  return found
}
