// Where no video passes, or none is wanted: a still every few seconds, by data
// channel, between two real browsers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { tablet } from './harness.mjs'
import { brightness, byId, callers, clean, enter, fits, picture, received, until } from './pages.mjs'

/** What is seen now: address, size and a sum of the still's pixels; null when the next one takes its place meanwhile. */
const seen = page => byId(page, 'call-still').evaluate(async img => {
  try { await img.decode() } catch { return null }
  const c = document.createElement('canvas')
  c.width = img.naturalWidth
  c.height = img.naturalHeight
  const ctx = c.getContext('2d')
  ctx.drawImage(img, 0, 0)
  let sum = 0
  ctx.getImageData(0, 0, c.width, c.height).data.forEach((v, i) => { sum = (sum * 31 + v * (i % 7 + 1)) % 1000000007 })
  return { src: img.src, width: img.naturalWidth, sum }
})

/** Which of them, on that screen, are not to be seen whole where the page stands. */
const hidden = async (page, viewport, ids) => {
  await page.setViewportSize(viewport)
  return await page.evaluate(ids => ids.filter(id => {
    const e = document.querySelector(`[data-testid="${id}"]`), r = e?.getBoundingClientRect()
    if (!r?.width || !r.height) return true
    const whole = e.closest('.call-tile') ?? e // what is written on a picture does not hide it
    return [[r.left, r.top], [r.right, r.top], [r.left, r.bottom], [r.right, r.bottom]].some(([x, y]) =>
      !whole.contains(document.elementFromPoint(x + (x === r.left ? 4 : -4), y + (y === r.top ? 4 : -4))))
  }), ids)
}

test('images only: stills that change, both ways, and back to video', { timeout: 240_000 }, async t => {
  const { id, pages: [a, b] } = await callers(t, 'Essai Images')
  for (const page of [a, b]) await enter(page, id)
  for (const page of [a, b]) await until('sound and video', async () => { const r = await received(page); return r.audioPackets > 50 && r.videoFrames > 5 })

  await t.test('stills take the place of video for both', async () => {
    await byId(a, 'call-mode').selectOption('stills')
    for (const page of [a, b]) {
      const first = await until('a still', async () => await byId(page, 'call-still').count() && await seen(page))
      assert.ok(first.width > 100 && first.width <= 320, `${first.width} pixels`)
      assert.ok((await brightness(page, 'call-still')).deviation > 5, 'a flat picture')
      await until('another one, of another moment', async () => { const s = await byId(page, 'call-still').count() && await seen(page); return s && s.src !== first.src && s.sum !== first.sum })
    }
  })

  await t.test('how old it is and why, in words', async () => {
    await until('by wish', async () => /Une image toutes les \d+ s, à votre demande/.test(await byId(a, 'call-still-why').textContent()))
    await until('by the other’s choice', async () => / a choisi d’envoyer une image toutes les \d+ s/.test(await byId(b, 'call-still-why').textContent()))
    assert.match(await byId(a, 'call-still-age').textContent(), /image il y a \d+ s/)
    assert.ok(Number(await byId(a, 'call-still-age').getAttribute('data-age')) < 30)
    await a.locator('[data-testid="call-picture"][data-picture="stills"]').waitFor()
    await picture(a, 'images-seulement')
    const then = await received(b)
    await until('the voice goes on', async () => (await received(b)).audioPackets > then.audioPackets + 30)
    assert.ok((await received(b)).videoFrames <= then.videoFrames + 2, 'video beside stills')
  })

  await t.test('all of it is seen without scrolling', async () => {
    const all = ['call-still', 'call-still-age', 'call-still-why', 'call-self-video', 'call-seen-in-stills', 'call-freeze', 'call-guide', 'call-freeze-own', 'call-mode', 'call-devices', 'call-mute', 'call-camera', 'call-hangup']
    for (const page of [a, b]) for (const viewport of [{ width: 800, height: 1280 }, tablet]) {
      assert.deepEqual(await hidden(page, viewport, all), [], `cut off at ${viewport.width}×${viewport.height}`)
      await fits(page, 'images fixes')
    }
    const [theirs, own] = await Promise.all(['call-still', 'call-self-video'].map(id => byId(a, id).boundingBox()))
    assert.ok(theirs.width > 2 * own.width && theirs.height > 2 * own.height, `${theirs.width}×${theirs.height} beside ${own.width}×${own.height}`)
  })

  await t.test('video comes back', async () => {
    const then = await Promise.all([a, b].map(received))
    await byId(a, 'call-mode').selectOption('video')
    await Promise.all([a, b].map((page, i) => until('frames', async () => (await received(page)).videoFrames > then[i].videoFrames + 10)))
    for (const page of [a, b]) await until('no still', async () => await byId(page, 'call-still').count() === 0)
    const rest = ['call-self-video', 'call-freeze', 'call-guide', 'call-freeze-own', 'call-mode', 'call-devices', 'call-mute', 'call-camera', 'call-hangup']
    assert.deepEqual(await hidden(a, tablet, rest), [], 'cut off beside video')
    const box = await byId(a, 'call-remote-video').boundingBox()
    assert.ok(box.y >= 0 && box.y + box.height <= tablet.height && box.width >= 300 && box.height >= 225, `their video: ${JSON.stringify(box)}`)
    await picture(a, 'video')
  })

  await t.test('sound only: no picture either way, and back', async () => {
    await byId(a, 'call-mode').selectOption('voice')
    await byId(b, 'call-tile').filter({ hasText: 'caméra coupée' }).waitFor({ timeout: 20_000 })
    await a.locator('[data-testid="call-picture"][data-picture="unwanted"]').waitFor({ timeout: 20_000 })
    await byId(a, 'call-mode').selectOption('video')
    const then = await Promise.all([a, b].map(received))
    await Promise.all([a, b].map((page, i) => until('frames', async () => (await received(page)).videoFrames > then[i].videoFrames + 10)))
  })
  for (const page of [a, b]) clean(page, 'a page')
})
