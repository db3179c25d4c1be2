// npm's dicomweb-client, in a real browser with its real XMLHttpRequest, against
// the running server: a machine stores a real series and gets it back bit for
// bit, and people get what their cases hold and nothing else.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server } from './harness.mjs'

const machine = 'm.sissoko' // of the demo; made a service login here
const library = createRequire(import.meta.url).resolve('dicomweb-client')
const real = corpus()
const sha256 = b => createHash('sha256').update(b).digest('hex')
const first = (o, tag) => o[tag]?.Value?.[0]

let server, chromium, folder, page, missing

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-dicomweb-'))
  server = await new Server({ args: ['--dicomweb-service', machine] }).start()
  missing = await whyNot()
  if (missing) {
    if (process.env.SIRA_TEST_STRICT) throw new Error(missing)
    return
  }
  chromium = await browser()
  page = await (await chromium.newContext({ bypassCSP: true })).newPage()
  await page.route('**/given/*', route => route.fulfill({ path: path.join(folder, path.basename(new URL(route.request().url()).pathname)), contentType: 'application/octet-stream' }))
  await page.goto(server.url + '/healthz') // a page of the origin without a script of its own
  await page.addScriptTag({ path: library })
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Why there is nothing to test; nothing when there is. */
async function whyNot() {
  if (!real) return 'NOT RUN: no real series'
  const r = await fetch(server.url + '/dicomweb/studies?limit=1', { headers: { authorization: `Bearer ${as(machine).token}`, accept: 'application/dicom+json' } })
  if (r.status === 404 || !/json/.test(r.headers.get('content-type') ?? 'json')) return 'NOT RUN: the server has no /dicomweb'
}

const as = login => server.demo.users.find(u => u.login === login)

function run(name, options, body) {
  test(name, options, async t => {
    if (missing) { console.error('!! ' + missing); return t.skip(missing) }
    await body(t)
  })
}

/**
 * Calls methods of the client as a user, one after the other. Bytes come back as
 * { sha, size, head }; a failure as { status }.
 */
async function client(login, ...calls) {
  return await page.evaluate(async ({ url, token, calls }) => {
    const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('')
    const plain = async v => {
      if (v instanceof ArrayBuffer) return { sha: hex(await crypto.subtle.digest('SHA-256', v)), size: v.byteLength, head: hex(v.slice(0, 4)) }
      return Array.isArray(v) ? await Promise.all(v.map(plain)) : v
    }
    const { DICOMwebClient } = window.DICOMwebClient.api
    const c = new DICOMwebClient({ url, verbose: false, headers: token ? { Authorization: `Bearer ${token}` } : {} })
    const out = []
    for (const [method, options] of calls) {
      if (options.given) options.datasets = await Promise.all(options.given.map(async f => (await fetch('/given/' + f)).arrayBuffer()))
      try { out.push(await plain(await c[method](options))) } catch (e) { if (!e.request) throw e; out.push({ status: e.status, response: e.response }) }
    }
    return out
  }, { url: server.url + '/dicomweb', token: login && as(login).token, calls })
}

/** Width and height of an image, as the browser decodes it. */
async function decoded(login, url, accept) {
  return await page.evaluate(async ({ url, token, accept }) => {
    const r = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept } })
    if (!r.ok) return [r.status, await r.text()]
    const b = await createImageBitmap(await r.blob())
    return [b.width, b.height]
  }, { url: server.url + '/dicomweb' + url, token: as(login).token, accept })
}

/** Copies files where the page gets them; an edit is dcmodify's. */
function given(files, ...edit) {
  return files.map((f, i) => {
    const name = `${edit.length ? 'edited' : 'ct'}-${i}.dcm`, to = path.join(folder, name)
    copyFileSync(f, to)
    if (edit.length) execFileSync('dcmodify', ['-nb', ...edit, to])
    return name
  })
}

const series = () => readdirSync(path.join(real, 'series/ct_ge')).sort().map(f => path.join(real, 'series/ct_ge', f))

let ct // what was stored

run('a machine stores a real series and every retrieval gives it back', { timeout: 300_000 }, async () => {
  const files = series(), sums = files.map(f => sha256(readFileSync(f))).sort()
  const answers = await client(machine, ['storeInstances', { given: given(files) }], ['storeInstances', { given: given(files.slice(0, 2)) }])
  assert.deepEqual(answers.map(a => a?.status), [undefined, undefined], 'stored, and the same instances twice are the same, not a conflict')

  const [all] = await client(machine, ['searchForStudies', { queryParams: { ModalitiesInStudy: 'CT', includefield: '00201208', limit: 50 } }])
  const study = all.find(s => first(s, '00201208') === files.length)
  assert.ok(study, `no study of ${files.length} instances among ${all.length}`)
  const studyInstanceUID = first(study, '0020000D')
  const [sets] = await client(machine, ['searchForSeries', { studyInstanceUID }])
  assert.deepEqual(sets.map(s => first(s, '00080060')), ['CT'])
  const seriesInstanceUID = first(sets[0], '0020000E')
  const [instances, none, paged] = await client(machine,
    ['searchForInstances', { studyInstanceUID, seriesInstanceUID }],
    ['searchForStudies', { queryParams: { PatientID: 'nobody has this' } }],
    ['searchForInstances', { studyInstanceUID, seriesInstanceUID, queryParams: { limit: 5, offset: 26 } }])
  assert.equal(new Set(instances.map(i => first(i, '00080018'))).size, files.length)
  assert.deepEqual(none, [])
  assert.equal(paged.length, files.length - 26)

  const sopInstanceUID = first(instances[3], '00080018')
  const at = { studyInstanceUID, seriesInstanceUID, sopInstanceUID }
  const [oneObject, seriesObjects, studyObjects, metadata, one] = await client(machine,
    ['retrieveInstance', at], ['retrieveSeries', at], ['retrieveStudy', at], ['retrieveSeriesMetadata', at], ['retrieveInstanceMetadata', at])
  assert.ok(sums.includes(oneObject.sha), 'an instance came back with other bytes')
  assert.deepEqual(seriesObjects.map(o => o.sha).sort(), sums)
  assert.deepEqual(studyObjects.map(o => o.sha).sort(), sums)
  assert.equal(metadata.length, files.length)
  const meta = [one].flat()[0]
  assert.equal(first(meta, '00080018'), sopInstanceUID)
  assert.equal(first(meta, '00280010'), 512)
  assert.ok(metadata.every(m => m['00280030']?.Value?.length === 2 && m['00200032']?.Value?.length === 3), 'geometry in the metadata')

  const stored = files.map(f => readFileSync(f)).find(b => sha256(b) === oneObject.sha)
  const pixels = sha256(stored.subarray(stored.length - 512 * 512 * 2))
  const [frames, bulk] = await client(machine,
    ['retrieveInstanceFrames', { ...at, frameNumbers: [1] }], ['retrieveBulkData', { BulkDataURI: meta['7FE00010'].BulkDataURI }])
  assert.deepEqual([frames[0].size, frames[0].sha], [512 * 512 * 2, pixels], 'the frame is the end of the file')
  assert.equal(bulk[0].sha, pixels)
  const [beyond, foreign] = await client(machine, ['retrieveInstanceFrames', { ...at, frameNumbers: [2] }], ['retrieveStudy', { studyInstanceUID: '1.2.3' }])
  assert.ok(beyond.status >= 400 && beyond.status < 500, `frame 2 of 1: ${JSON.stringify(beyond).slice(0, 200)}`)
  assert.equal(foreign.status, 404)
  ct = { ...at, root: `/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}` }
})

run('rendered frames and thumbnails are images', { timeout: 120_000 }, async () => {
  assert.ok(ct, 'nothing was stored')
  const png = { mediaTypes: [{ mediaType: 'image/png' }] }, jpeg = { mediaTypes: [{ mediaType: 'image/jpeg' }] }
  const [whole, windowed, frame, thumbnail] = (await client(machine,
    ['retrieveInstanceRendered', { ...ct, ...jpeg }],
    ['retrieveInstanceRendered', { ...ct, ...png, queryParams: { window: '40,400,linear' } }],
    ['retrieveInstanceFramesRendered', { ...ct, ...jpeg, frameNumbers: [1] }],
    ['retrieveInstanceThumbnail', { ...ct, ...jpeg }])).map(x => [x].flat()[0])
  for (const [what, got, magic] of [['whole', whole, 'ffd8'], ['windowed', windowed, '8950'], ['frame', frame, 'ffd8'], ['thumbnail', thumbnail, 'ffd8']]) {
    assert.ok(got.head?.startsWith(magic), `${what}: ${JSON.stringify(got).slice(0, 300)}`)
  }
  assert.ok(thumbnail.size < whole.size)
  assert.deepEqual(await decoded(machine, ct.root + '/rendered', 'image/jpeg'), [512, 512])
  assert.deepEqual(await decoded(machine, ct.root + '/rendered?viewport=128,128', 'image/png'), [128, 128])
})

run('people get what their cases hold, and nothing else', { timeout: 120_000 }, async () => {
  assert.ok(ct, 'nothing was stored')
  const uids = list => list.map(s => first(s, '0020000D'))
  for (const login of ['a.coulibaly', 'm.kone', 'a.dembele']) {
    const [mine, theirs, image] = await client(login, ['searchForStudies', { queryParams: { limit: 100 } }], ['retrieveStudy', ct], ['retrieveInstanceRendered', { ...ct, mediaTypes: [{ mediaType: 'image/jpeg' }] }])
    assert.ok(!uids(mine).includes(ct.studyInstanceUID), `${login} lists a study of no case`)
    assert.equal(theirs.status, 404, `${login} retrieves a study of no case`)
    assert.equal(image.status, 404, `${login} sees an image of no case`)
  }
  const [anyone] = await client(null, ['searchForStudies', {}])
  assert.equal(anyone.status, 401)
})

run('what a clinician stores under the number of a case is in the case', { timeout: 120_000 }, async () => {
  assert.ok(ct, 'nothing was stored')
  const { cases } = (await server.api(as('a.coulibaly'), 'GET', '/api/cases')).body
  const open = cases.find(c => ['submitted', 'assigned', 'clarification'].includes(c.status))
  assert.ok(open, 'the demo has an open case of the clinician')
  const study = '1.2.826.0.1.3680043.10.1462.77.1'
  const [wild] = await client('a.coulibaly', ['storeInstances', { given: given(series().slice(0, 1), '-gin', '-gse', '-m', `(0020,000d)=${study}`, '-i', '(0008,0050)=NO-SUCH-CASE') }])
  assert.equal(wild.status, 409, 'an object of no case is refused')

  await client('a.coulibaly', ['storeInstances', { given: given(series().slice(0, 3), '-gin', '-m', `(0020,000d)=${study}`, '-i', `(0008,0050)=${open.number}`) }])
  const [mine] = await client('a.coulibaly', ['searchForStudies', { queryParams: { AccessionNumber: open.number } }])
  assert.deepEqual(mine.map(s => first(s, '0020000D')), [study])
  const [objects] = await client('a.coulibaly', ['retrieveStudy', { studyInstanceUID: study }])
  assert.equal(objects.length, 3)
  const got = (await server.api(as('a.coulibaly'), 'GET', `/api/cases/${open.id}`)).body
  assert.equal(got.series.find(s => s.studyUID === study)?.instances, 3, 'the case shows what was stored')
  const { entries } = (await server.api(as('a.coulibaly'), 'GET', `/api/cases/${open.id}/access`)).body
  assert.ok(entries.some(e => e.surface === 'dicomweb'), 'the journal says who retrieved it')
})
