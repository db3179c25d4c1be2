// Films in DICOM play in the browser: as they lie, moved out of a transport
// stream, or, where browsers cannot, are offered with a sentence that says so.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server, tablet } from './harness.mjs'
import { byId, clean, fillRequest, person, until } from './pages.mjs'

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

/** Sends a file with a request and opens its series. */
async function shown(name, file) {
  const user = server.demo.users.find(u => u.login === 'f.keita')
  const page = await person(chromium, server, user, tablet)
  await fillRequest(page, { name, sex: 'F', age: 41, specialty: 'dermatologie', urgency: 'U3', consentBy: 'La patiente', question: 'Que montre ce film ?', history: 'Film joint.' })
  await page.locator('input[type=file]').first().setInputFiles(file)
  await byId(page, 'submit-request').click()
  await page.waitForURL(/\/dossiers\/|\/cases\/|\/dossier/)
  const id = await until('the film in the case', async () => {
    const { body } = await server.api(user, 'GET', '/api/cases?limit=20')
    const c = (body.cases ?? body).find(c => c.patient?.name === name)
    if (!c) return
    const got = await server.api(user, 'GET', `/api/cases/${c.id}`)
    return got.body.series?.length ? { id: c.id, series: got.body.series[0].seriesUID } : undefined
  })
  return { page, user, ...id }
}
