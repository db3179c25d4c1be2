// Who comes late into a call between three real browsers: the first picture is
// served from what the server keeps, and the publisher, whose link is far and
// thin, encodes no keyframe for it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { byId, callers, clean, enter, pictures, until } from './pages.mjs'

test('a third participant sees at once', { timeout: 240_000 }, async t => {
  const who = server => [server.user('clinician'), server.user('specialist'), server.user('specialist', 1)]
  const { server, link: far, id, pages: [a, b, c] } = await callers(t, 'Essai Retard', { through: true, who })
  far.delay = 400
  for (const page of [a, b]) await enter(page, id)
  await until('the expert sees the far picture', async () => (await pictures(b)).seen.some(s => s.frames > 10))
  const kept = async () => Number(/^sira_media_kept_total (\S+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())[1])
  // A keyframe is made for whoever needs one first; who comes soon after that
  // is served from what was kept, unless the size of the picture changes.
  for (let n = 1; ; n++) {
    const before = { kept: await kept(), ...await pictures(a) }, began = Date.now()
    await (n === 1 ? enter(c, id) : byId(c, 'call-open').first().click())
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
