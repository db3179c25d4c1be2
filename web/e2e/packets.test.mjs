// Voice goes in packets as long as the link wants them: short ones over a good
// link, long ones as soon as it is thin, without a word more over it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { callers, clean, enter, received, talking, until } from './pages.mjs'

/** How many packets of voice leave a page in a second, and what was made up of what it hears. */
const rate = async page => await page.evaluate(async () => {
  const read = async () => {
    const out = { at: performance.now(), sent: 0, made: 0, played: 0 }
    for (const s of (await window.__siraCall.pc.getStats()).values()) {
      if (s.type === 'outbound-rtp' && s.kind === 'audio') out.sent = s.packetsSent
      if (s.type === 'inbound-rtp' && s.kind === 'audio') { out.made += s.concealedSamples - s.silentConcealedSamples; out.played += s.totalSamplesReceived }
    }
    return out
  }
  const before = await read()
  await new Promise(r => setTimeout(r, 3000))
  const now = await read()
  return { perSecond: (now.sent - before.sent) * 1000 / (now.at - before.at), made: (now.made - before.made) / Math.max(1, now.played - before.played) }
})

const near = (got, want) => Math.abs(got - want) < 0.12 * want

test('the length of the packets of voice follows the link', { timeout: 240_000 }, async t => {
  const { link, id, pages: [a, b] } = await callers(t, 'Essai Paquets', { through: true })
  for (const page of [a, b]) {
    await page.addInitScript(talking)
    await enter(page, id)
  }
  const both = (what, ok, patience) => Promise.all([a, b].map((page, i) => until(what, async () => {
    const r = await rate(page)
    t.diagnostic(`${'ab'[i]}: ${r.perSecond.toFixed(1)} packets/s, ${(100 * r.made).toFixed(2)} % made up`)
    return ok(r.perSecond)
  }, patience)))

  await t.test('links not known begin with 60 ms', async () => { await both('60 ms', n => near(n, 1000 / 60), 20_000) })
  await t.test('good links go on to shorter ones', async () => { await both('40 or 20 ms', n => near(n, 25) || near(n, 50), 120_000) })
  await t.test('a call goes on over the same connection', async () => {
    assert.deepEqual(await a.evaluate(() => [window.__siraCall.pc.signalingState, window.__siraCall.pc.connectionState]), ['stable', 'connected'])
    const frames = await Promise.all([a, b].map(async page => (await received(page)).videoFrames))
    const { made } = await rate(b)
    for (const [i, page] of [a, b].entries()) assert.ok((await received(page)).videoFrames > frames[i] + 5, 'no picture any more')
    assert.ok(made < 0.05, `${made} of what is heard is made up`)
  })
  await t.test('a link that becomes thin gets 60 ms, from both', async () => {
    link.kbps = 90
    await both('60 ms', n => near(n, 1000 / 60), 60_000)
  })
  clean(b, 'expert')
})
