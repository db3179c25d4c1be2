// What a call was like: in the call a word for each one's link, beside it the
// last minutes drawn, afterwards the true numbers in the record and at /metrics.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, Server, tablet } from './harness.mjs'
import { byId, clean, person, received, until } from './pages.mjs'

let server, chromium

before(async () => {
  server = await new Server().start()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
})

const as = login => server.demo.users.find(u => u.login === login)

async function shot(page, name) {
  if (!process.env.SIRA_SCREENS) return
  mkdirSync(process.env.SIRA_SCREENS, { recursive: true })
  await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, `${name}.png`) })
}

/** The last report that the page sent of its call. */
function reports(page) {
  const all = []
  page.on('websocket', ws => {
    if (ws.url().includes('/api/calls/')) ws.on('framesent', f => { const m = JSON.parse(f.payload); if (m.type === 'report') all.push(m) })
  })
  return all
}

test('a call is measured for those in it and for those who ask later', { timeout: 240_000 }, async t => {
  const id = crypto.randomUUID(), asker = as('a.coulibaly'), to = (await server.api(as('m.kone'), 'GET', '/api/session')).body.user.id
  const opened = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: 'Nana KONATÉ', sex: 'F', age: { value: 27, unit: 'Y' } }, specialty: 'radiologie', urgency: 'U1', question: 'Présentation du fœtus ?', history: '',
    consent: { how: 'oral', by: 'La patiente', at: new Date().toISOString() }, to: [to] } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const midwife = await person(chromium, server, asker, tablet), expert = await person(chromium, server, as('m.kone'), tablet)
  const told = reports(expert)
  for (const page of [midwife, expert]) {
    await page.goto(`${server.url}/dossier/${id}`)
    await byId(page, 'call-open').first().click()
  }
  for (const page of [midwife, expert]) await until('sound and picture', async () => { const r = await received(page); return r.audioPackets > 50 && r.videoFrames > 5 })

  await t.test('each sees a word for each link', async () => {
    for (const page of [midwife, expert]) {
      await page.locator('[data-testid="call-link"][data-link="good"]').first().waitFor({ timeout: 30_000 })
      assert.match(await byId(page, 'call-link').first().innerText(), /bon/)
      await page.locator('[data-testid="call-quality"][data-link="good"]').waitFor()
      assert.match(await byId(page, 'call-quality').innerText(), /bon/)
      assert.equal(await byId(page, 'call-whose').count(), 0, 'nobody is to blame')
    }
    await shot(expert, 'appel-signe')
  })

  await t.test('the browser reports what it heard', async () => {
    await until('a report with ten seconds of speech', () => told.some(r => r.voice >= 8 && r.usable >= 7))
    const r = told.at(-1)
    assert.ok(r.firstAudioMs > 0 && r.firstAudioMs < 20_000 && r.firstVideoMs > 0 && r.width > 0 && r.fps > 0, JSON.stringify(r))
    assert.ok(JSON.stringify(r).length < 250, 'few bytes')
    t.diagnostic(JSON.stringify(r))
  })

  clean(midwife, 'midwife')
  clean(expert, 'expert')
})
