// A call through a link that goes away without a word and comes back: nobody
// touches anything, and it is the same call.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { byId, callers, clean, enter, received, until } from './pages.mjs'

const outage = Number(process.env.SIRA_OUTAGE ?? 8) * 1000 // ms

test('a call outlives an outage of the link', { timeout: 240_000 }, async t => {
  const { link, id, pages: [a, b] } = await callers(t, 'Essai Coupure', { through: true })
  const heard = new Map([[a, []], [b, []]]), said = page => heard.get(page)
  for (const page of [a, b]) page.on('websocket', ws => ws.on('framereceived', f => { const m = JSON.parse(f.payload); if (m.type === 'quality') heard.get(page).push(m) }))
  for (const page of [a, b]) await enter(page, id)
  for (const page of [a, b]) await until('sound', async () => (await received(page)).audioPackets > 150)
  await a.evaluate(() => { window.__siraCall.pc.mark = 'the first' })
  await byId(b, 'call-tile').first().evaluate(e => { e.mark = 'the first' })

  // Any word about one's own link, however short it is shown.
  await b.evaluate(() => {
    window.blamed = []
    new MutationObserver(() => {
      const note = document.querySelector('[data-testid="call-picture"]')
      if (note) window.blamed.push(note.textContent)
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
  })

  for (const kind of ['silent', 'down']) {
    await t.test(`link ${kind}`, async t => {
      link.set(kind)
      const began = Date.now()
      await byId(a, 'call-panel').and(a.locator('[data-phase="lost"]')).waitFor({ timeout: 30_000 })
      await b.locator('[data-testid="call-tile"][data-away]').waitFor({ timeout: 60_000 })
      await until('the server says whose link it is', () => said(b).at(-1)?.others?.[0]?.why === 'cut')
      const told = said(b).length
      await until('and so does the page', async () => await byId(b, 'call-picture').count() === 0)
      await b.evaluate(() => { window.blamed = [] })
      t.diagnostic(`noticed by both in ${((Date.now() - began) / 1000).toFixed(1)} s`)
      if (process.env.SIRA_SCREENS) {
        mkdirSync(process.env.SIRA_SCREENS, { recursive: true })
        await a.screenshot({ path: path.join(process.env.SIRA_SCREENS, `coupure-${kind}-ici.png`) })
        await b.screenshot({ path: path.join(process.env.SIRA_SCREENS, `coupure-${kind}-autre.png`) })
      }
      await new Promise(r => setTimeout(r, Math.max(0, outage - (Date.now() - began))))
      // All the while nobody reads that their own link, which holds, carries no picture.
      await until('the link is looked at again', () => said(b).length > told + 1)
      assert.deepEqual(said(b).slice(told).filter(m => m.picture || m.others?.[0]?.why !== 'cut'), [], 'one’s own link is blamed for the other’s outage')
      assert.deepEqual(await b.evaluate(() => window.blamed), [], 'words of the expert’s own link')
      const before = await Promise.all([a, b].map(received))
      link.set('up')
      const back = Date.now()
      await Promise.all([a, b].map((page, i) => until('sound again', async () => (await received(page)).audioPackets > before[i].audioPackets + 5)))
      t.diagnostic(`sound both ways ${((Date.now() - back) / 1000).toFixed(2)} s after the link was back`)
      await byId(a, 'call-panel').and(a.locator('[data-phase="joined"]')).waitFor({ timeout: 30_000 })
      t.diagnostic(`joined ${((Date.now() - back) / 1000).toFixed(2)} s after`)
      await until('the other sees it', async () => await b.locator('[data-testid="call-tile"][data-away]').count() === 0)
      assert.equal(await a.evaluate(() => window.__siraCall.pc.mark), 'the first', 'another peer connection')
      assert.equal(await byId(b, 'call-tile').first().evaluate(e => e.mark), 'the first', 'another participant')
      const now = await Promise.all([a, b].map(received))
      await Promise.all([a, b].map((page, i) => until('sound goes on', async () => (await received(page)).audioPackets > now[i].audioPackets + 50)))
    })
  }
  clean(b, 'expert')
  assert.deepEqual(a.problems, [], 'asker: errors in the page')
})

/** When a third packet of sound came in; Infinity: not within so many seconds. */
const heardAgain = (page, within = 20) => page.evaluate(async within => {
  const packets = async () => [...(await window.__siraCall.pc.getStats()).values()].reduce((n, s) => n + (s.type === 'inbound-rtp' && s.kind === 'audio' ? s.packetsReceived : 0), 0)
  const before = await packets()
  for (const end = Date.now() + within * 1000; await packets() < before + 3; await new Promise(r => setTimeout(r, 50))) if (Date.now() > end) return Infinity
  return Date.now()
}, within)

// The browser ends a path that is dead for 15 to 30 s; the words of the server,
// by WebSocket, come back two seconds after the link.
test('voice is back with the link, before a word of the server', { timeout: 240_000 }, async t => {
  const { link, id, pages: [a, b] } = await callers(t, 'Essai Retour', { through: true })
  link.delay = 150
  for (const page of [a, b]) await enter(page, id)
  for (const page of [a, b]) await until('sound', async () => (await received(page)).audioPackets > 150)
  await a.evaluate(() => { window.__siraCall.pc.mark = 'the first' })
  for (const seconds of (process.env.SIRA_RETURNS ?? '12,33,60').split(',').map(Number)) {
    link.set('silent')
    await new Promise(r => setTimeout(r, seconds * 1000))
    const again = [a, b].map(page => heardAgain(page))
    await new Promise(r => setTimeout(r, 1000))
    const back = Date.now()
    link.set('media')
    const heard = (await Promise.all(again)).map(at => at - back)
    t.diagnostic(`${seconds} s away: heard ${heard.join(' and ')} ms after`)
    assert.ok(Math.max(...heard) < 1500, `heard ${heard.join(' and ')} ms after ${seconds} s without a link`)
    link.set('up')
    await byId(a, 'call-panel').and(a.locator('[data-phase="joined"]')).waitFor({ timeout: 30_000 })
    assert.equal(await a.evaluate(() => window.__siraCall.pc.mark), 'the first', 'another peer connection')
    const now = await Promise.all([a, b].map(received))
    await Promise.all([a, b].map((page, i) => until('sound goes on', async () => (await received(page)).audioPackets > now[i].audioPackets + 50)))
  }
})

// Another network, of which the browser says nothing: the old path stays dead.
test('where the old path stays dead, the resume brings another', { timeout: 120_000 }, async t => {
  const { link, id, pages: [a, b] } = await callers(t, 'Essai Chemin', { through: true })
  link.delay = 150
  for (const page of [a, b]) await enter(page, id)
  for (const page of [a, b]) await until('sound', async () => (await received(page)).audioPackets > 150)
  const resumes = []
  a.on('websocket', ws => ws.on('framesent', f => { const m = JSON.parse(f.payload); if (m.type === 'resume' || m.type === 'offer') resumes.push(m) }))
  link.set('silent')
  await byId(a, 'call-panel').and(a.locator('[data-phase="lost"]')).waitFor({ timeout: 30_000 })
  const again = [a, b].map(page => heardAgain(page))
  link.dead = new Set(link.back.keys())
  const back = Date.now()
  link.set('up')
  const heard = (await Promise.all(again)).map(at => at - back)
  t.diagnostic(`heard ${heard.join(' and ')} ms after`)
  assert.ok(Math.max(...heard) < 6000, `heard ${heard.join(' and ')} ms after`)
  await new Promise(r => setTimeout(r, 1500))
  assert.deepEqual(resumes.map(m => [m.type, !!m.sdp]), [['resume', true]], 'one offer, with the resume')
})

test('a request to join that hangs does not cost the call', { timeout: 120_000 }, async t => {
  const { id, pages } = await callers(t, 'Essai Attente')
  let hung = 0
  for (const page of pages) {
    await page.route('**/api/calls/*', route => { if (route.request().method() === 'POST') hung++; else route.continue() })
    await enter(page, id)
  }
  for (const page of pages) await until('sound', async () => (await received(page)).audioPackets > 50)
  assert.equal(hung, 2, 'nobody asked by HTTP')
})
