// Films in DICOM play in the browser: as they lie, moved out of a transport
// stream, or, where browsers cannot, are offered with a sentence that says so.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server, tablet } from './harness.mjs'
import { byId, clean, person, until } from './pages.mjs'

const real = corpus()
let server, chromium, folder

before(async () => {
  if (!real) return
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-film-'))
  server = await new Server().start()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** The real film's header, of another series and syntax, around another stream in odd fragments. */
function wrapped(name, syntax, stream, n) {
  const whole = readFileSync(path.join(real, 'video/h264_hp41.dcm'))
  let head = whole.subarray(0, whole.indexOf(Buffer.from('e07f10004f420000ffffffff', 'hex')) + 12).toString('latin1')
  head = head.replaceAll('1.2.840.10008.1.2.4.102', syntax)
  for (const uid of ['1.2.826.0.1.3680043.8.498.53302638251507412798062159839976645186', '1.2.826.0.1.3680043.8.498.12053093007241635972311629057209712163']) {
    assert.ok(head.includes(uid))
    head = head.replaceAll(uid, uid.slice(0, -1) + n)
  }
  const parts = [Buffer.from(head, 'latin1'), item(Buffer.alloc(0))]
  for (let at = 0; at < stream.length; at += 10_000) parts.push(item(stream.subarray(at, at + 10_000)))
  parts.push(Buffer.from('feffdde000000000', 'hex'))
  const file = path.join(folder, name)
  writeFileSync(file, Buffer.concat(parts))
  return file
}

function item(bytes) {
  const h = Buffer.from('feff00e000000000', 'hex')
  h.writeUInt32LE(bytes.length + bytes.length % 2, 4)
  return Buffer.concat([h, bytes, Buffer.alloc(bytes.length % 2)])
}

const ffmpeg = (...args) => { const out = path.join(folder, args.pop()); execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, out]); return readFileSync(out) }
const pattern = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25:duration=3']

/** A new case of the clinician that holds the file; answers its series. */
async function sent(user, name, file) {
  const id = randomUUID(), bytes = readFileSync(file)
  const opened = await server.api(user, 'POST', `/api/cases/${id}/events`, { events: [{ id: randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name, sex: 'F', age: { value: 41, unit: 'Y' } }, specialty: 'dermatologie', urgency: 'U3', question: 'Que montre ce film ?', history: 'Film joint.', consent: { how: 'oral' }, to: [] } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const head = { authorization: `Bearer ${user.token}`, 'tus-resumable': '1.0.0' }
  const b64 = t => Buffer.from(t).toString('base64')
  const made = await fetch(server.url + '/api/uploads/', { method: 'POST', headers: { ...head, 'upload-length': String(bytes.length),
    'upload-metadata': `caseId ${b64(id)},filename ${b64(path.basename(file))},filetype ${b64('application/octet-stream')}` } })
  assert.equal(made.status, 201)
  const put = await fetch(new URL(made.headers.get('location'), server.url), { method: 'PATCH', headers: { ...head, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, body: bytes })
  assert.equal(put.status, 204)
  const series = await until('the film in the case', async () => (await server.api(user, 'GET', `/api/cases/${id}`)).body.series?.[0]?.seriesUID)
  return { id, series }
}

function run(name, body) {
  test(name, { timeout: 180_000 }, async t => {
    if (!real) return t.skip('NOT RUN: no real film')
    const page = await person(chromium, server, clinician(), tablet)
    await body(page)
    clean(page, name)
    await page.context().close()
  })
}

const clinician = () => server.demo.users.find(u => u.login === 'f.keita')

async function plays(page, at, width, height) {
  await page.goto(`${server.url}/dossier/${at.id}/images/${encodeURIComponent(at.series)}`)
  const film = byId(page, 'film')
  await film.waitFor()
  await film.evaluate(v => { v.muted = true; return v.play() })
  await until('it plays', async () => await film.evaluate(v => v.currentTime > 0.4))
  const seen = await film.evaluate(v => ({ w: v.videoWidth, h: v.videoHeight, d: v.duration, shown: v.getVideoPlaybackQuality().totalVideoFrames, box: v.getBoundingClientRect().width, problem: v.error?.message }))
  assert.deepEqual([seen.w, seen.h, seen.problem], [width, height, undefined])
  assert.ok(seen.shown > 3 && seen.d > 1.5 && seen.d < 4 && seen.box > 600, JSON.stringify(seen))
  await film.evaluate(v => { v.pause(); v.currentTime = 1.2 })
  await until('it seeks', async () => await film.evaluate(v => !v.seeking && Math.abs(v.currentTime - 1.2) < 0.1 && v.readyState >= 2))
}

run('a film in MP4 plays as it lies', async page => {
  await plays(page, await sent(clinician(), 'Kadia SIDIBE', path.join(real, 'video/h264_hp41.dcm')), 640, 480)
  if (process.env.SIRA_SCREENS) await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, 'film.png') })
})

run('a film in a transport stream plays, with pictures out of order', async page => {
  const ts = ffmpeg(...pattern, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-pix_fmt', 'yuv420p', 'film.ts')
  await plays(page, await sent(clinician(), 'Rokia SIDIBE', wrapped('ts.dcm', '1.2.840.10008.1.2.4.102', ts, 1)), 320, 240)
})

run('a film in MPEG-2 is offered with what to do', async page => {
  const at = await sent(clinician(), 'Assa SIDIBE', wrapped('mpeg2.dcm', '1.2.840.10008.1.2.4.100', ffmpeg(...pattern, '-c:v', 'mpeg2video', 'film.mpg'), 2))
  await page.goto(`${server.url}/dossier/${at.id}/images/${encodeURIComponent(at.series)}`)
  const notice = byId(page, 'film-elsewhere')
  await notice.waitFor()
  assert.match(await notice.textContent(), /MPEG-2, que les navigateurs ne lisent pas.*VLC/)
  await until('its poster', async () => await notice.locator('img').evaluate(i => i.complete && i.naturalWidth === 256))
  const [download] = await Promise.all([page.waitForEvent('download'), byId(page, 'film-download').click()])
  assert.match(download.suggestedFilename(), /\.mpg$/)
  assert.equal(readFileSync(await download.path()).subarray(0, 4).toString('hex'), '000001ba')
  if (process.env.SIRA_SCREENS) await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, 'film-mpeg2.png') })
})
