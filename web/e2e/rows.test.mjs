// Losses that come in rows: each voice is said again once the row is over, both
// ways, and held until then by who hears it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { callers, clean, enter, talking, until } from './pages.mjs'

/** What a page was told to hold, and of so many seconds: how long voice waited in its buffer (ms), which share of it was made up, how large its packets were. */
const hears = (page, seconds) => page.evaluate(async seconds => {
  const pc = window.__siraCall.pc
  const read = async () => {
    const out = { made: 0, played: 0, bytes: 0, packets: 0, waited: 0, emitted: 0 }
    for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp' && s.kind === 'audio') {
      out.made += s.concealedSamples
      out.played += s.totalSamplesReceived
      out.bytes += s.bytesReceived
      out.packets += s.packetsReceived
      out.waited += s.jitterBufferDelay
      out.emitted += s.jitterBufferEmittedCount
    }
    return out
  }
  const before = await read()
  await new Promise(r => setTimeout(r, seconds * 1000))
  const now = await read()
  const held = pc.getReceivers().filter(r => r.track.kind === 'audio').map(r => r.jitterBufferTarget)
  const buffer = Math.round(1000 * (now.waited - before.waited) / (now.emitted - before.emitted))
  return { held, buffer, made: (now.made - before.made) / (now.played - before.played), size: (now.bytes - before.bytes) / (now.packets - before.packets) }
}, seconds)

test('rows of lost packets are not heard', { timeout: 240_000 }, async t => {
  const { link, id, pages } = await callers(t, 'Essai Rangées', { through: true })
  link.delay = 150 // what is asked for again comes too late
  for (const page of pages) {
    await page.addInitScript(talking)
    await enter(page, id)
  }
  const both = (what, ok, patience, seconds = 2) => Promise.all(pages.map((page, i) => until(what, async () => {
    const h = await hears(page, seconds)
    t.diagnostic(`${'ab'[i]}: ${JSON.stringify(h)}`)
    return ok(h)
  }, patience)))

  await t.test('a link without them holds nothing', () => both('heard', h => h.size > 0 && h.held.every(ms => ms === null), 30_000))
  link.rows = { every: 3000, last: 230 } // three or four voices of 60 ms
  await t.test('who hears over one that has them holds the voice', () => both('held', h => h.held.filter(ms => ms === 420).length === 1, 60_000))
  // Three rows; not at once, for a buffer needs time to grow.
  await t.test('and makes up next to nothing', () => both('heard whole', h => h.made < 0.01, 60_000, 9))
  await t.test('it ends with them', async () => {
    link.rows = undefined
    await both('as they come', h => h.held.every(ms => ms === null), 120_000)
  })
  for (const page of pages) clean(page, 'both')
})

test('a worker that does not start costs nobody their voice', { timeout: 120_000 }, async t => {
  const { id, pages: [a, b] } = await callers(t, 'Essai Secours')
  await a.addInitScript(() => {
    const Real = Worker
    window.workers = 0
    window.Worker = class extends Real { constructor() { super('/absent.js'); window.workers++ } }
  })
  for (const page of [a, b]) {
    await page.addInitScript(talking)
    await enter(page, id)
  }
  await until('its voice is heard', async () => { const h = await hears(b, 2); t.diagnostic(JSON.stringify(h)); return h.size > 0 && h.made < 0.05 }, 60_000)
  assert.equal(await a.evaluate(() => window.workers), 1, 'tried once, then done without')
})
