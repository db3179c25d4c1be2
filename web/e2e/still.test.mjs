// The same image for all: a clinician's camera is frozen from afar, both see the
// same bytes, point and draw on them; the probe is guided by pictograms; after
// the call the still and its drawing are in the record.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { browser, Server, tablet } from './harness.mjs'
import { byId, clean, enter, fits, person, received, until } from './pages.mjs'

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

/** The sizes of the messages of a type on the page's call, WebSocket headers (RFC 6455, 5.2) included. */
function listen(page) {
  const frames = []
  page.on('websocket', ws => {
    if (!ws.url().includes('/api/calls/')) return
    const note = (sent, payload) => {
      const length = Buffer.byteLength(payload)
      frames.push({ sent, at: Date.now(), type: JSON.parse(payload).type, bytes: length + (length > 125 ? 4 : 2) + (sent ? 4 : 0) })
    }
    ws.on('framesent', f => note(true, f.payload))
    ws.on('framereceived', f => note(false, f.payload))
  })
  return frames
}

/** A digest of the pixels that the page shows of the still. */
const pixels = page => page.evaluate(async () => {
  const img = document.querySelector('[data-testid="still-image"]')
  await img.decode()
  const c = document.createElement('canvas')
  c.width = img.naturalWidth
  c.height = img.naturalHeight
  const x = c.getContext('2d')
  x.drawImage(img, 0, 0)
  const d = await crypto.subtle.digest('SHA-256', x.getImageData(0, 0, c.width, c.height).data)
  return `${c.width}×${c.height} ${[...new Uint8Array(d)].map(b => b.toString(16).padStart(2, '0')).join('')}`
})

test('one picture for all in a call', { timeout: 180_000 }, async t => {
  const id = crypto.randomUUID(), asker = as('a.coulibaly'), to = (await server.api(as('m.kone'), 'GET', '/api/session')).body.user.id
  const opened = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: 'Nana KONATÉ', sex: 'F', age: { value: 27, unit: 'Y' } }, specialty: 'radiologie', urgency: 'U1', question: 'Présentation du fœtus ?', history: '',
    consent: { how: 'oral', by: 'La patiente', at: new Date().toISOString() }, to: [to] } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const midwife = await person(chromium, server, asker, tablet), expert = await person(chromium, server, as('m.kone'), tablet)
  const heard = listen(midwife), said = listen(expert)
  for (const page of [midwife, expert]) await enter(page, id)
  await until('the specialist sees the camera', async () => (await received(expert)).videoFrames > 5)
  let file

  await t.test('the specialist freezes it, both see the same bytes', async () => {
    await byId(expert, 'call-freeze').click()
    for (const page of [midwife, expert]) await byId(page, 'still-image').waitFor({ timeout: 30_000 })
    const c = (await server.api(asker, 'GET', `/api/cases/${id}`)).body
    file = c.files[0]
    assert.equal(file.kind, 'still')
    assert.equal(file.addedBy.id, asker.id ?? file.addedBy.id)
    assert.deepEqual([file.still.width, file.still.height, file.still.received], [640, 480, false])
    const raw = Buffer.from(await (await fetch(`${server.url}/api/cases/${id}/attachments/${file.id}`, { headers: { authorization: `Bearer ${asker.token}` } })).arrayBuffer())
    assert.equal(createHash('sha256').update(raw).digest('hex'), file.hash)
    assert.equal(raw.subarray(8, 12).toString(), 'WEBP')
    assert.ok(raw.length <= 30_000, `${raw.length} bytes`)
    t.diagnostic(`still of 640×480: ${raw.length} bytes`)
    for (const page of [midwife, expert]) assert.equal(await byId(page, 'still').getAttribute('data-hash'), file.hash)
    const shown = [await pixels(midwife), await pixels(expert)]
    assert.equal(shown[0], shown[1])
    assert.match(shown[0], /^640×480 /)
    await fits(expert, 'image figée')
  })

  const box = await byId(expert, 'still').locator('svg').boundingBox()
  const at = (x, y) => [box.x + box.width * x, box.y + box.height * y]

  await t.test('one draws, the other sees it', async () => {
    await expert.mouse.move(...at(0.4, 0.4))
    await expert.mouse.down()
    for (const [x, y] of [[0.5, 0.35], [0.6, 0.4], [0.6, 0.55], [0.5, 0.6], [0.4, 0.55]]) await expert.mouse.move(...at(x, y), { steps: 4 })
    await expert.mouse.up()
    await byId(expert, 'still-arrow').click()
    await expert.mouse.move(...at(0.3, 0.2))
    await expert.mouse.down()
    await expert.mouse.move(...at(0.45, 0.45), { steps: 5 })
    await expert.mouse.up()
    await until('both marks arrive', async () => await byId(midwife, 'still-mark').count() === 2)
    const [hers, his] = await Promise.all([midwife, expert].map(p => byId(p, 'still-mark').evaluateAll(l => l.map(g => g.innerHTML))))
    assert.deepEqual(hers, his)
    assert.match(hers[0], /Koné/)
    // With the keys alone: the marker moves, Enter puts an arrow; then it is taken back.
    await byId(midwife, 'still').locator('svg').focus()
    for (const key of ['ArrowRight', 'ArrowDown', 'Enter']) await midwife.keyboard.press(key)
    await until('an arrow by keys', async () => await byId(expert, 'still-mark').count() === 3)
    await byId(midwife, 'still-undo').click()
    await until('taken back', async () => await byId(expert, 'still-mark').count() === 2)
  })

  await t.test('pointing costs less than 3 kbit/s', async () => {
    await byId(expert, 'still-show').click()
    said.length = heard.length = 0
    for (let i = 0, end = Date.now() + 4000; Date.now() < end; i++) await expert.mouse.move(...at(0.5 + 0.2 * Math.cos(i / 9), 0.5 + 0.2 * Math.sin(i / 9)))
    await byId(midwife, 'still-pointer').waitFor()
    for (const [who, frames, sent] of [['sent', said, true], ['received', heard, false]]) {
      const points = frames.filter(f => f.type === 'at' && f.sent === sent)
      assert.ok(points.length > 5, `${who}: ${points.length} pointers`)
      const bytes = points.slice(1).reduce((n, f) => n + f.bytes, 0), kbps = bytes * 8 / (points.at(-1).at - points[0].at)
      t.diagnostic(`pointing, ${who}: ${points.length} messages, ${kbps.toFixed(2)} kbit/s`)
      if (sent) assert.ok(kbps < 3, `${who}: ${kbps} kbit/s`)
      else assert.ok(Math.max(...points.map(f => f.bytes)) * 8 / 120 < 3, `${who}: a message of ${points[0].bytes} bytes`) // may arrive in clumps
    }
  })

  await t.test('a movement of the probe is shown big, then goes', async () => {
    await byId(expert, 'still-size').click()
    await byId(expert, 'call-guide').click()
    await byId(expert, 'gesture-tilt').click()
    await fits(expert, 'guider la sonde')
    await byId(expert, 'gesture-tilt-left').click()
    const shown = byId(midwife, 'gesture-shown')
    await shown.waitFor({ timeout: 10_000 })
    assert.match(await shown.textContent(), /Incliner à gauche.*Koné/)
    assert.equal(await byId(expert, 'gesture-shown').count(), 0)
    await shown.waitFor({ state: 'detached', timeout: 20_000 })
  })

  await t.test('after the call the record has the still and its drawing', async () => {
    for (const page of [expert, midwife]) if (await byId(page, 'still-size').isVisible() && await page.locator('.still.big').count()) await byId(page, 'still-size').click()
    for (const page of [expert, midwife]) await byId(page, 'call-hangup').click()
    const c = await until('the drawing is in the case', async () => {
      const { body } = await server.api(asker, 'GET', `/api/cases/${id}`)
      return body.files[0].still.drawings.length ? body : undefined
    })
    const drawings = c.files[0].still.drawings
    assert.deepEqual([drawings.length, drawings[0].by, drawings[0].marks.map(m => m.kind)], [1, to, ['stroke', 'arrow']])
    const tile = midwife.locator('[data-testid="file-tile"][data-kind="still"]').filter({ hasText: 'dessin' })
    await tile.waitFor({ timeout: 30_000 })
    await tile.locator('a').click()
    await midwife.waitForFunction(() => document.querySelector('dialog [data-testid="still-image"]')?.naturalWidth === 640, null, { timeout: 30_000 })
    assert.equal(await midwife.locator('dialog [data-testid="still-mark"]').count(), 2)
    await byId(midwife, 'story').filter({ hasText: 'a dessiné' }).first().waitFor()
  })
  for (const [page, who] of [[midwife, 'midwife'], [expert, 'specialist']]) clean(page, who)
})
