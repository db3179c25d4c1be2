// Who comes late into a call between three real browsers: the first picture is
// served from what the server keeps, and the publisher, whose link is far and
// thin, encodes no keyframe for it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Link } from './cut.mjs'
import { browser, freePort, Server, tablet } from './harness.mjs'
import { byId, clean, newCase, person, pictures, until } from './pages.mjs'

test('a third participant sees at once', { timeout: 240_000 }, async t => {
  const media = await freePort()
  const server = await new Server({ args: ['--media-listen', `127.0.0.1:${media}`, '--media-tcp-listen', 'off'] }).start()
  t.after(() => server.remove())
  const far = await Link.open(server.port, media)
  t.after(() => far.close())
  far.delay = 400
  const chromium = await browser()
  t.after(() => chromium.close())
  const asker = server.user('clinician'), expert = server.user('specialist'), second = server.user('specialist', 1)
  const id = await newCase(server, asker, expert, 'Essai Retard', second)
  const a = await person(chromium, { url: far.url }, asker, tablet), b = await person(chromium, server, expert, tablet), c = await person(chromium, server, second, tablet)
  await far.through(a)
  const enter = async (page, url) => { await page.goto(`${url}/dossier/${id}`); await byId(page, 'call-open').first().click() }
  await enter(a, far.url)
  await enter(b, server.url)
  await until('the expert sees the far picture', async () => (await pictures(b)).seen.some(s => s.frames > 10))
  const kept = async () => Number(/^sira_media_kept_total (\S+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())[1])
  // A keyframe is made for whoever needs one first; who comes soon after that
  // is served from what was kept, unless the size of the picture changes.
  for (let n = 1; ; n++) {
    const before = { kept: await kept(), ...await pictures(a) }, began = Date.now()
    await (n === 1 ? enter(c, server.url) : byId(c, 'call-open').first().click())
    await until('the third sees two pictures', async () => (await pictures(c)).seen.filter(s => s.frames > 3).length === 2)
    const after = { kept: await kept(), ...await pictures(a) }
    t.diagnostic(`try ${n}: seen after ${Date.now() - began} ms, ${after.kept - before.kept} kept, keyframes ${before.keyframes} to ${after.keyframes}, lines ${before.height} to ${after.height}`)
    if (after.kept > before.kept && after.height === before.height && after.keyframes === before.keyframes) break
    assert.ok(n < 12, 'never served from what was kept')
    await byId(c, 'call-hangup').click()
  }
  const sees = await pictures(c)
  t.diagnostic(JSON.stringify(sees.seen))
  await until('the picture goes on', async () => (await pictures(c)).seen.every((s, i) => s.frames > sees.seen[i].frames + 10))
  for (const page of [b, c]) clean(page, 'a page')
})
