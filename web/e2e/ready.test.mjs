// Whoever looks at a case in whose call somebody is has a connection standing
// ready: unseen, silent, and all that a click needs. Where it is gone by then,
// the click joins as ever.
import assert from 'node:assert/strict'
import test from 'node:test'
import { byId, callers, clean, enter, received, until } from './pages.mjs'

/** What a page sent by its connection. */
const sent = page => page.evaluate(async () => {
  let packets = 0
  for (const s of (await window.__siraCall.pc.getStats()).values()) if (s.type === 'outbound-rtp') packets += s.packetsSent
  return packets
})

/** What the page asked of the call by HTTP, in order. */
const asked = page => {
  const list = []
  page.on('response', async r => {
    if (r.request().method() === 'POST' && /\/api\/calls\/[^/]+$/.test(r.url())) list.push(`${r.status()} ${r.ok() ? (await r.json().catch(() => ({}))).type : ''}`.trim())
  })
  return list
}

const connected = page => page.evaluate(() => window.__siraCall?.pc.connectionState === 'connected')

test('a connection stands ready before the click', { timeout: 240_000 }, async t => {
  const { server, id, pages: [a, b] } = await callers(t, 'Essai Prêt')
  const exchanges = asked(b)
  await b.goto(`${server.url}/dossier/${id}`)
  await byId(b, 'call-open').first().waitFor()
  assert.deepEqual(exchanges, [], 'nobody is in the call: nothing to be ready for')
  await enter(a, id)

  await t.test('unseen and silent', async () => {
    await until('it stands', () => connected(b))
    await until('said so', () => exchanges.length > 0)
    assert.deepEqual(exchanges, ['200 ready'])
    assert.match(await byId(b, 'call-presence').textContent(), /1/)
    assert.equal(await byId(a, 'call-tile').count(), 0)
    await new Promise(r => setTimeout(r, 1500))
    assert.equal(await sent(b), 0)
    assert.equal((await received(b)).audioPackets, 0)
    assert.equal(await byId(a, 'call-tile').count(), 0, 'seen by who is in the call')
  })

  await t.test('the click goes on with it', async () => {
    await b.evaluate(() => { window.__siraCall.pc.mark = 'ready' })
    await byId(b, 'call-open').first().click()
    for (const page of [a, b]) await until('sound and video', async () => { const r = await received(page); return r.audioPackets > 50 && r.videoFrames > 5 })
    assert.equal(await b.evaluate(() => window.__siraCall.pc.mark), 'ready', 'another connection')
    assert.deepEqual(exchanges, ['200 ready', '200 joined'])
    await byId(b, 'call-panel').and(b.locator('[data-phase="joined"]')).waitFor()
    await byId(a, 'call-tile').first().waitFor()
    await byId(b, 'call-hangup').click()
    await until('gone for the other', async () => await byId(a, 'call-tile').count() === 0)
  })

  await t.test('where the server has let it go, the click joins as ever', async () => {
    exchanges.length = 0
    await b.goto(`${server.url}/`)
    await b.goto(`${server.url}/dossier/${id}`)
    await until('it stands again', () => connected(b))
    await until('said so', () => exchanges.length > 0)
    // The same person at another window: the server keeps one of a person.
    const other = await b.context().newPage()
    await other.goto(`${server.url}/dossier/${id}`)
    await until('the other window stands ready', () => connected(other))
    await byId(b, 'call-open').first().click()
    for (const page of [a, b]) await until('sound', async () => (await received(page)).audioPackets > 50)
    await until('three exchanges', () => exchanges.length === 3)
    assert.deepEqual(exchanges, ['200 ready', '410', '200 joined'])
    await byId(b, 'call-hangup').click()
    await other.close()
  })

  await t.test('nobody is left in the call: none stands ready', async () => {
    await byId(a, 'call-hangup').click()
    await until('let go', async () => b.evaluate(() => window.__siraCall.pc.connectionState === 'closed'))
  })
  for (const page of [a, b]) clean(page, 'a page')
})
