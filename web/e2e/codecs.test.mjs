// A room whose browsers can show different codecs: the pictures go in one that
// all of them can, and nobody needs to know.
import assert from 'node:assert/strict'
import test from 'node:test'
import { browser, Server, tablet } from './harness.mjs'
import { byId, clean, enter, limited, newCase, person, picture, pictures, received, until } from './pages.mjs'

test('pictures go in a codec that all can show', { timeout: 400_000 }, async t => {
  const server = await new Server().start()
  t.after(() => server.remove())
  const chromium = await browser()
  t.after(() => chromium.close())
  const asker = server.user('clinician'), expert = server.user('specialist'), second = server.user('specialist', 1)
  const id = await newCase(server, asker, expert, 'Essai Codecs', second)
  const a = await person(chromium, server, asker, tablet), b = await person(chromium, server, expert, tablet)
  for (const page of [a, b]) await enter(page, id)
  const sees = async (page, codec, n) => {
    const { seen } = await pictures(page)
    return seen.filter(s => s.codec === `video/${codec}` && s.frames > 3).length === n ? seen : false
  }
  await until('both send and see VP9', async () => (await sees(a, 'VP9', 1)) && await sees(b, 'VP9', 1))

  for (const codec of ['VP8', 'H264', 'AV1']) {
    await t.test(`somebody comes who has ${codec} only`, async t => {
      const c = await person(chromium, server, second, tablet)
      if (!await c.evaluate(n => RTCRtpSender.getCapabilities('video').codecs.some(x => x.mimeType === `video/${n}`), codec)) { t.diagnostic('this Chromium has none'); await c.context().close(); return }
      await c.addInitScript(limited, [codec])
      const began = Date.now()
      await enter(c, id)
      await until(`all send ${codec}`, async () => (await Promise.all([a, b, c].map(pictures))).every(p => p.codec === `video/${codec}`))
      t.diagnostic(`after ${Date.now() - began} ms`)
      for (const page of [a, b, c]) await until('all see it', () => sees(page, codec, 2), 100_000)
      const before = await sees(c, codec, 2)
      await until('pictures go on', async () => (await sees(c, codec, 2)).every((s, i) => s.frames > before[i].frames + 10))
      assert.equal(await byId(c, 'call-no-codec').count(), 0)
      t.diagnostic(JSON.stringify((await Promise.all([a, b, c].map(pictures))).map(p => [p.mode, p.height, p.keyframes])))
      clean(c, codec)
      await byId(c, 'call-hangup').click()
      await c.context().close()
      await until('VP9 again', async () => (await Promise.all([a, b].map(pictures))).every(p => p.codec === 'video/VP9'))
      for (const page of [a, b]) await until('seen', () => sees(page, 'VP9', 1))
    })
  }
  await t.test('two who have none in common are told', async () => {
    for (const page of [a, b]) await byId(page, 'call-hangup').click()
    await a.addInitScript(limited, ['VP8'])
    await b.addInitScript(limited, ['AV1'])
    for (const page of [a, b]) await enter(page, id)
    for (const page of [a, b]) {
      await byId(page, 'call-no-codec').waitFor({ timeout: 60_000 })
      assert.match(await byId(page, 'call-no-codec').textContent(), /aucun format vidéo en commun/)
      await until('sound passes', async () => (await received(page)).audioPackets > 50)
    }
    await picture(a, 'sans-codec')
  })
  for (const page of [a, b]) clean(page, 'a page')
})
