// OHIF, the viewer that radiologists know, opens a study from our /dicomweb:
// the packaged application as published on npm, served beside a proxy that adds
// the token, in a real Chromium, with a real CT series.
import assert from 'node:assert/strict'
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server } from './harness.mjs'

const version = '3.12.10'
const cache = process.env.SIRA_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'sira')
const dist = path.join(cache, 'ohif', version, 'dist')
const machine = 'm.sissoko' // of the demo; made a service login here
const real = corpus()

let server, chromium, viewer, missing
const token = () => server.demo.users.find(u => u.login === machine).token

before(async () => {
  if (!real) missing = 'NOT RUN: no real series'
  else if (!existsSync(path.join(dist, 'index.html'))) missing = `NOT RUN: no OHIF in ${dist}; .ci/install.sh fetches it`
  if (!missing) {
    server = await new Server({ args: ['--dicomweb-service', machine] }).start()
    const r = await fetch(server.url + '/dicomweb/studies?limit=1', { headers: { authorization: `Bearer ${token()}`, accept: 'application/dicom+json' } })
    if (r.status === 404) missing = 'NOT RUN: the server has no /dicomweb'
  }
  if (missing) {
    if (process.env.SIRA_TEST_STRICT) throw new Error(missing)
    return
  }
  viewer = await serve()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  viewer?.closeAllConnections()
  viewer?.close()
  await server?.remove()
})

/** What an operator would put into OHIF's app-config.js. */
const config = `window.config = {
  routerBasename: '/', extensions: [], modes: [], customizationService: {}, showStudyList: true,
  maxNumberOfWebWorkers: 2, showCPUFallbackMessage: false, showWarningMessageForCrossOrigin: false, investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'sira',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'sira',
    configuration: {
      friendlyName: 'Sira', name: 'sira',
      qidoRoot: location.origin + '/dicomweb', wadoRoot: location.origin + '/dicomweb', wadoUriRoot: location.origin + '/dicomweb',
      qidoSupportsIncludeField: true, supportsFuzzyMatching: true, supportsWildcard: true, supportsReject: false,
      imageRendering: 'wadors', thumbnailRendering: 'wadors', enableStudyLazyLoad: true, dicomUploadEnabled: false,
      singlepart: 'bulkdata,pdf,video', bulkDataURI: { enabled: true },
    },
  }],
}`

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.png': 'image/png' }

/** OHIF's files, and /dicomweb passed on to the server with a token: one origin. */
async function serve() {
  const passed = []
  const s = http.createServer((req, res) => {
    const url = new URL(req.url, 'http://viewer')
    res.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    res.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    if (url.pathname.startsWith('/dicomweb/')) return pass(req, res, passed)
    if (url.pathname === '/app-config.js') return res.setHeader('Content-Type', 'text/javascript').end(config)
    let file = path.join(dist, path.normalize(decodeURIComponent(url.pathname)))
    if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory()) {
      if (path.extname(url.pathname)) { res.statusCode = 404; return res.end() }
      file = path.join(dist, 'index.html')
    }
    res.setHeader('Content-Type', types[path.extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(res)
  })
  await new Promise(resolve => s.listen(0, '127.0.0.1', resolve))
  s.passed = passed
  s.url = `http://127.0.0.1:${s.address().port}`
  return s
}

function pass(req, res, passed) {
  const to = new URL(req.url, server.url)
  const up = http.request(to, { method: req.method, headers: { ...req.headers, host: to.host, authorization: `Bearer ${token()}` } }, answer => {
    passed.push({ path: req.url, status: answer.statusCode })
    res.writeHead(answer.statusCode, answer.headers)
    answer.pipe(res)
  })
  up.on('error', e => { passed.push({ path: req.url, status: String(e) }); res.destroy() })
  req.pipe(up)
}

/** Stores the real series under a name one can look for; answers its UID. */
async function store() {
  let study
  for (const f of readdirSync(path.join(real, 'series/ct_ge'))) {
    const r = await fetch(server.url + '/dicomweb/studies', {
      method: 'POST', body: readFileSync(path.join(real, 'series/ct_ge', f)),
      headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/dicom', accept: 'application/dicom+json' },
    })
    const body = await r.text()
    assert.equal(r.status, 200, body)
    study = JSON.parse(body)['00081190']?.Value?.[0]?.split('/').pop() ?? study
  }
  return study
}

/** How a canvas is painted: number of distinct grey levels and the share that is not black. */
const painted = canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const seen = new Set()
  let bright = 0
  for (let i = 0; i < data.length; i += 4) { seen.add(data[i]); if (data[i] > 16) bright++ }
  return { levels: seen.size, bright: bright / (data.length / 4) }
}

test('OHIF lists the study and paints its images', { timeout: 300_000 }, async t => {
  if (missing) { console.error('!! ' + missing); return t.skip(missing) }
  const study = await store()
  const page = await (await chromium.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
  const problems = [], foreign = []
  page.on('pageerror', e => problems.push(String(e)))
  await page.route(u => u.origin !== viewer.url, route => { if (/^https?:/.test(route.request().url())) foreign.push(route.request().url()); return route.abort() })

  await t.test('the list', async () => {
    await page.goto(viewer.url + '/')
    await page.getByText('QMNx85rKkkg').first().waitFor({ timeout: 120_000 })
    const listed = viewer.passed.find(p => p.path.startsWith('/dicomweb/studies?'))
    assert.equal(listed?.status, 200, JSON.stringify(viewer.passed))
  })

  await t.test('the images', async () => {
    await page.goto(`${viewer.url}/viewer?StudyInstanceUIDs=${study}`)
    const canvas = page.locator('canvas.cornerstone-canvas').first()
    await canvas.waitFor({ timeout: 120_000 })
    let found
    for (const end = Date.now() + 120_000; Date.now() < end; await page.waitForTimeout(500)) {
      found = await canvas.evaluate(painted)
      if (found.levels > 50 && found.bright > 0.05) break
    }
    if (process.env.SIRA_SHOTS) await page.screenshot({ path: path.join(process.env.SIRA_SHOTS, 'ohif.png') })
    assert.ok(found.levels > 50 && found.bright > 0.05, `the viewport is flat: ${JSON.stringify(found)}; ${JSON.stringify(viewer.passed.slice(-5))}`)
    assert.ok(viewer.passed.some(p => /\/series\/[^/]+\/metadata$/.test(p.path) && p.status === 200), 'metadata of the series were asked for')
    assert.ok(viewer.passed.some(p => /\/frames\/1$/.test(p.path) && p.status === 200), 'a frame was asked for')
  })

  const refused = viewer.passed.filter(p => p.status !== 200 && p.status !== 204)
  assert.deepEqual(refused, [], 'every request of OHIF is answered')
  assert.deepEqual(problems, [], 'errors in the page')
  t.diagnostic(`${viewer.passed.length} requests to /dicomweb; foreign hosts asked for: ${[...new Set(foreign.map(u => new URL(u).host))].join(', ') || 'none'}`)
})
