// Images and ECGs as people see them: real and generated objects are filed, and
// what stands on the screen is read back from its pixels.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server, tablet } from './harness.mjs'
import { paths } from './pdf.mjs'
import { byId, clean, person, until } from './pages.mjs'

const real = corpus()
let server, chromium, folder, page, caseId, series, had

const rows = 64, cols = 64
const ramp = (x, y) => 16 * x + y // stored values 0…1071

/** An object of dcmtk's dump2dcm: the elements given, behind an identification of its own. */
function generated(name, n, elements, values = ramp) {
  const raw = path.join(folder, name + '.raw'), dump = path.join(folder, name + '.txt'), file = path.join(folder, name + '.dcm')
  const frames = Number(/0028,0008\) IS (\d+)/.exec(elements)?.[1] ?? 1), data = Buffer.alloc(2 * rows * cols * frames)
  for (let f = 0; f < frames; f++) for (let y = 0; y < rows; y++) for (let x = 0; x < cols; x++) data.writeUInt16LE(values(x, y), 2 * ((f * rows + y) * cols + x))
  writeFileSync(raw, data)
  const uid = `1.2.826.0.1.3680043.10.1462.88.${n}`
  writeFileSync(dump, `
(0008,0016) UI 1.2.840.10008.5.1.4.1.1.7
(0008,0018) UI ${uid}.3
(0008,0020) DA 20260115
(0008,0060) CS OT
(0008,103e) LO ${name}
(0010,0010) PN DOUMBIA^Moussa
(0020,000d) UI ${uid}.1
(0020,000e) UI ${uid}.2
(0020,0013) IS 1
(0028,0002) US 1
(0028,0010) US ${rows}
(0028,0011) US ${cols}
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
${elements.trim()}
(7fe0,0010) OW =${raw}
`)
  execFileSync('dump2dcm', ['-q', '-F', '+l', '30000', dump, file], { stdio: 'pipe' })
  return file
}

const lutSequence = (tag, first, bits, values) => `
(${tag}) SQ
(fffe,e000) na
(0028,3002) US ${values.length}\\${first}\\${bits}
(0028,3003) LO Courbe
${tag === '0028,3000' ? '(0028,3004) LO OD' : ''}
(0028,3006) US ${values.join('\\')}
(fffe,e00d) na
(fffe,e0dd) na`.replaceAll('\n\n', '\n')

const square = Array.from({ length: 1024 }, (_, k) => Math.round(k * k / 256)) // 0…4088
const root = Array.from({ length: 1100 }, (_, k) => Math.round(255 * Math.sqrt(k / 1099)))
const perFrame = [[1, 0], [0.25, 0], [1, -400]]

function objects() {
  const mono = '(0028,0004) CS MONOCHROME2'
  return [
    generated('modality', 1, `${mono}\n(0028,0030) DS 0.5\\0.5\n(0028,1050) DS 2000\n(0028,1051) DS 4000\n${lutSequence('0028,3000', 0, 12, square)}`),
    generated('voi', 2, `${mono}\n${lutSequence('0028,3010', 0, 8, root)}`),
    generated('sigmoid', 3, `(0028,0004) CS MONOCHROME1\n(0028,1050) DS 500\n(0028,1051) DS 300\n(0028,1056) CS SIGMOID`),
    generated('exact', 4, `${mono}\n(0028,1050) DS 500\n(0028,1051) DS 900\n(0028,1052) DS -1024\n(0028,1053) DS 2\n(0028,1054) LO HU\n(0028,1056) CS LINEAR_EXACT`),
    generated('frames', 5, `${mono}\n(0028,0008) IS ${perFrame.length}\n(5200,9230) SQ\n${perFrame.map(([slope, intercept]) => `(fffe,e000) na
(0028,9132) SQ
(fffe,e000) na
(0028,1050) DS 500
(0028,1051) DS 1000
(fffe,e00d) na
(fffe,e0dd) na
(0028,9145) SQ
(fffe,e000) na
(0028,1052) DS ${intercept}
(0028,1053) DS ${slope}
(fffe,e00d) na
(fffe,e0dd) na
(fffe,e00d) na`).join('\n')}\n(fffe,e0dd) na`),
  ]
}

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-images-'))
  server = await new Server().start()
  chromium = await browser()
  const files = objects()
  if (real) {
    for (const f of ['pydicom/examples_overlay.dcm', 'ecg/Example.dcm']) {
      files.push(path.join(folder, path.basename(f)))
      copyFileSync(path.join(real, f), files.at(-1))
    }
  }
  page = await person(chromium, server, server.user('clinician'), tablet)
  const { body } = await server.api(server.user('clinician'), 'GET', '/api/cases')
  caseId = body.cases.find(c => ['submitted', 'assigned', 'clarification'].includes(c.status)).id
  had = (await server.api(server.user('clinician'), 'GET', `/api/cases/${caseId}`)).body.series.map(s => s.seriesUID)
  await page.goto(`${server.url}/dossier/${caseId}`)
  await byId(page, 'add-files').click()
  await byId(page, 'file-input').setInputFiles(files)
  await until('all series are filed', async () => {
    series = (await server.api(server.user('clinician'), 'GET', `/api/cases/${caseId}`)).body.series
    return series.length === had.length + files.length
  }, 120_000)
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const dataset = () => byId(page, 'viewer-canvas').evaluate(c => ({ ...c.dataset }))

async function open(description) {
  const s = series.find(s => s.description === description) ?? series.find(s => s.modality === description)
  assert.ok(s, `no series ${description}`)
  await page.goto(`${server.url}/dossier/${caseId}/images/${s.seriesUID}`)
  await page.waitForFunction(() => document.querySelector('[data-testid="viewer-canvas"]')?.dataset.state === 'full', null, { timeout: 60_000 })
  await page.waitForTimeout(100) // the canvas is drawn in the next animation frame
}

/** Greys on the canvas at pixels of a picture of rows × cols that fits it. */
const greys = (points, r = rows, c = cols) => byId(page, 'viewer-canvas').evaluate((source, { points, r, c }) => {
  const m = document.createElement('canvas')
  m.width = source.width
  m.height = source.height
  const ctx = m.getContext('2d')
  ctx.drawImage(source, 0, 0)
  const k = Math.min(source.width / c, source.height / r)
  return points.map(([x, y]) => ctx.getImageData(Math.floor(source.width / 2 + (x + 0.5 - c / 2) * k), Math.floor(source.height / 2 + (y + 0.5 - r / 2) * k), 1, 1).data[0])
}, { points, r, c })

const points = [[5, 20], [20, 8], [31, 31], [40, 50], [58, 33]]

/** The canvas has what fn makes of the stored value (0…255, not yet clipped), within two steps: a canvas pixel is no pixel centre. */
async function shows(what, fn, tolerance = 3) {
  const got = await greys(points), want = points.map(p => Math.min(255, Math.max(0, fn(ramp(...p)))))
  for (const [i, w] of want.entries()) assert.ok(Math.abs(got[i] - w) <= tolerance, `${what}: at ${points[i]} ${got[i]}, not ${w.toFixed(0)} (${got} for ${want.map(Math.round)})`)
  assert.ok(Math.max(...want) - Math.min(...want) > 40, `${what}: nothing to tell apart`)
}

/** Drags over the picture, in its pixels. */
async function drag(from, to, r = rows, c = cols) {
  const box = await byId(page, 'viewer-overlay').boundingBox(), k = Math.min(box.width / c, box.height / r)
  const at = ([x, y]) => [box.x + box.width / 2 + (x - c / 2) * k, box.y + box.height / 2 + (y - r / 2) * k]
  await page.mouse.move(...at(from))
  await page.mouse.down()
  await page.mouse.move(...at(to), { steps: 3 })
  await page.mouse.up()
}

const measures = async () => (await byId(page, 'viewer-overlay').getAttribute('data-measures') ?? '').split('\n').filter(Boolean)

test('window functions, look-up tables and rescale of each frame, down to the grey on the screen', { timeout: 180_000 }, async () => {
  await open('modality')
  const od = v => square[Math.min(1023, v)]
  await shows('modality LUT', v => ((od(v) - 1999.5) / 3999 + 0.5) * 255, 6) // 16 stored values a pixel, squared
  await open('voi')
  assert.equal((await dataset()).voi, 'LUT')
  await shows('VOI LUT', v => root[v])
  assert.match(await byId(page, 'viewer-window').textContent(), /Courbe/)
  await byId(page, 'viewer-invert').click()
  await page.waitForTimeout(100)
  await shows('VOI LUT inverted', v => 255 - root[v])
  await open('sigmoid')
  assert.equal((await dataset()).voi, 'SIGMOID')
  await shows('sigmoid of MONOCHROME1', v => 255 - 255 / (1 + Math.exp(-4 * (v - 500) / 300)), 6)
  await open('exact')
  await shows('LINEAR_EXACT', v => ((2 * v - 1024 - 500) / 900 + 0.5) * 255, 10)
  await open('frames')
  for (const [i, [slope, intercept]] of perFrame.entries()) {
    if (i) await page.keyboard.press('ArrowDown')
    await page.waitForFunction(n => { const d = document.querySelector('[data-testid="viewer-canvas"]').dataset; return d.slice === String(n) && d.state === 'full' }, i + 1)
    await shows(`frame ${i + 1}`, v => ((v * slope + intercept - 499.5) / 999 + 0.5) * 255, 5)
  }
  clean(page, 'viewer')
})

test('length, angle and region by keys, with units and what they are calibrated by', { timeout: 120_000 }, async () => {
  await open('modality')
  await page.keyboard.press('m')
  await drag([10, 10], [40, 50])
  assert.match((await measures())[0], /^25\.\d mm · calibré/) // 50 pixels of 0.5 mm
  await page.keyboard.press('a')
  await drag([10, 30], [30, 30])
  await drag([30, 10], [30, 10.5])
  assert.match((await measures())[1], /^(89|90)\.\d°$/)
  await open('exact')
  await page.keyboard.press('r')
  await drag([20, 20], [40, 40])
  const inside = []
  for (let y = 20; y < 40; y++) for (let x = 20; x < 40; x++) if (((x + 0.5 - 30) / 10) ** 2 + ((y + 0.5 - 30) / 10) ** 2 <= 1) inside.push(2 * ramp(x, y) - 1024)
  const mean = inside.reduce((a, b) => a + b) / inside.length, sd = Math.sqrt(inside.reduce((a, b) => a + (b - mean) ** 2, 0) / inside.length)
  const [text] = await measures(), said = /moy\. (-?[\d.]+) ± ([\d.]+) UH \| de (-?[\d.]+) … (-?[\d.]+) UH \| \d+ px² · non calibré/.exec(text)
  assert.ok(said, text)
  const near = (got, want, by) => assert.ok(Math.abs(got - want) <= by, `${text}: ${got}, not ${want}`)
  near(Number(said[1]), mean, 12) // a third of a pixel: what a drag in screen pixels can miss
  near(Number(said[2]), sd, 12)
  near(Number(said[3]), Math.min(...inside), 40)
  near(Number(said[4]), Math.max(...inside), 40)
  await page.keyboard.press('Delete')
  await until('the measure is gone', async () => (await measures()).length === 0)
  clean(page, 'measures')
})

test('overlays of a real MR are drawn, and put away by O', { skip: !real && 'NOT RUN: no corpus', timeout: 120_000 }, async () => {
  await open('MR')
  const inked = () => byId(page, 'viewer-overlay').evaluate(c => {
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
    let n = 0
    for (let i = 0; i < d.length; i += 4) if (d[i] > 200 && d[i + 1] > 160 && d[i + 2] < 100 && d[i + 3] > 128) n++
    return n
  })
  await until('overlay drawn', async () => (await dataset()).overlays === '1' && await inked() > 150)
  if (process.env.SIRA_SCREENS) await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, 'images-annotations.png') })
  assert.equal(await byId(page, 'viewer-overlays').getAttribute('aria-pressed'), 'true')
  await page.keyboard.press('o')
  await until('overlay gone', async () => (await dataset()).overlays === 'off' && await inked() === 0)
  await page.keyboard.press('o')
  await until('overlay back', async () => await inked() > 150)
  clean(page, 'overlays')
})

test('an ECG: speed, gain, layouts, filters named, callipers by hand and keys, true millimetres in a PDF', { skip: !real && 'NOT RUN: no corpus', timeout: 180_000 }, async () => {
  const s = series.find(s => s.kind === 'waveform' && !had.includes(s.seriesUID))
  await page.goto(`${server.url}/dossier/${caseId}/images/${s.seriesUID}`)
  const canvas = byId(page, 'ecg-canvas')
  await canvas.waitFor({ timeout: 60_000 })
  const has = (name, value) => until(`${name} is ${value}`, async () => await canvas.getAttribute(`data-${name}`) === value, 10_000)
  const print = () => page.pdf({ preferCSSPageSize: true, printBackground: true })
  await has('leads', '12')
  assert.match(await byId(page, 'ecg-device').textContent(), /ELI250/)
  assert.match(await byId(page, 'ecg-filters').textContent(), /sans filtre ajouté/)
  await byId(page, 'ecg-format').selectOption('cabrera')
  await has('boxes', 'aVL I -aVR II aVF III V1 V2 V3 V4 V5 V6')
  await byId(page, 'ecg-format').selectOption('3x4')

  // Callipers: 25 mm to the right at 25 mm/s is a second; 10 mm at 10 mm/mV is a millivolt.
  await canvas.focus()
  await page.keyboard.press('Enter')
  for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowUp')
  await page.keyboard.press('ArrowRight')
  assert.equal((await byId(page, 'ecg-reading').textContent()).trim(), '1020 ms · 59/min · 1.00 mV')
  const box = await canvas.boundingBox(), mm = box.width / (8 + 250 + 2)
  await page.keyboard.press('Escape')
  await page.mouse.move(box.x + 20 * mm, box.y + 60)
  await page.mouse.down()
  await page.mouse.move(box.x + 40 * mm, box.y + 60, { steps: 3 })
  await page.mouse.up()
  assert.match(await byId(page, 'ecg-reading').textContent(), /^(79[5-9]|80[0-5]) ms · 75\/min · 0\.00 mV/)

  // What is printed at 25 mm/s and 10 mm/mV.
  const one = await print(), sheets = paths(one)
  assert.equal(sheets.length, 1)
  assert.ok(Math.abs(sheets[0].width - 297) < 0.3 && Math.abs(sheets[0].height - 210) < 0.3, `a page of ${sheets[0].width} × ${sheets[0].height} mm`)
  onPaper(sheets[0], 25, 10, 4)
  await byId(page, 'ecg-speed').selectOption('50')
  await byId(page, 'ecg-gain').selectOption('20')
  const two = paths(await print())
  assert.equal(two.length, 2)
  for (const p of two) onPaper(p, 50, 20, 4)

  await byId(page, 'ecg-filter-muscle').check()
  await byId(page, 'ecg-filter-mains').check()
  await has('filters', 'muscle mains')
  assert.match(await byId(page, 'ecg-filters').textContent(), /Filtres de l’écran\s: tremblement \(≤\s40\sHz\), secteur 50\sHz/)
  const said = await page.evaluate(() => {
    dispatchEvent(new Event('beforeprint'))
    const text = document.querySelector('.ecg-print').textContent
    dispatchEvent(new Event('afterprint'))
    return text.replace(/\s+/g, ' ')
  })
  for (const want of [/DOUMBIA|[A-ZÉ]{3,}/, /KAT-2026-\d+/, /22\/11\/2002/, /ELI250/, /50 mm\/s · 20 mm\/mV/, /Filtres de l’appareil/, /Filtres de l’écran : tremblement/, /aVR/, /V6/, /page 2 \/ 2/]) assert.match(said, want)
  assert.equal(await page.locator('.ecg-print').count(), 0, 'nothing of the print stays')
  if (process.env.SIRA_SCREENS) {
    await byId(page, 'ecg-speed').selectOption('25')
    await byId(page, 'ecg-gain').selectOption('10')
    await page.waitForTimeout(300)
    await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, 'ecg-filtres.png') })
    writeFileSync(path.join(process.env.SIRA_SCREENS, 'ecg.pdf'), one)
  }
  clean(page, 'ECG')
})

/** Millimetres of a printed page: its grid, its pulses of a millivolt, its traces. */
function onPaper(p, speed, gain, rows) {
  const box = path => ({ w: Math.max(...path.map(q => q[0])) - Math.min(...path.map(q => q[0])), h: Math.max(...path.map(q => q[1])) - Math.min(...path.map(q => q[1])) })
  const near = (got, want, what) => assert.ok(Math.abs(got - want) < 0.05, `${what}: ${got} mm, not ${want}`)
  const xs = [...new Set(p.paths.filter(q => q.length === 2 && box(q).w < 0.01 && box(q).h > 50).map(q => q[0][0].toFixed(2)))].map(Number).sort((a, b) => a - b)
  assert.ok(xs.length > 200, `${xs.length} lines of the grid`)
  near((xs.at(-1) - xs[0]) / (xs.length - 1), 1, 'a small square')
  const pulses = p.paths.filter(q => q.length === 6 && Math.abs(box(q).w - 7) < 0.05)
  assert.equal(pulses.length, rows)
  for (const q of pulses) {
    near(box(q).h, gain, 'a millivolt')
    near(Math.abs(q[3][0] - q[2][0]), 5, 'the pulse')
  }
  const traces = p.paths.filter(q => q.length > 6).flat().map(q => q[0]) // the browser cuts long lines into pieces
  near(Math.max(...traces) - Math.min(...traces), 250 - speed / 500, 'the traces') // from the first sample to the last, at 500 a second
}
