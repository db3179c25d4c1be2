// What people do on the screens, in their words, for the tests.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Link } from './cut.mjs'
import { browser, freePort, phone, Server, tablet } from './harness.mjs'

export const byId = (page, id) => page.locator(`[data-testid="${id}"]`)

/** A page of its own browser context: other cookies, other storage, another person. */
export async function person(browser, server, user, viewport) {
  const context = await browser.newContext({ viewport, locale: 'fr-FR', permissions: ['microphone', 'camera'] })
  const page = await context.newPage()
  page.problems = []
  page.on('pageerror', e => page.problems.push(String(e)))
  page.on('console', m => { if (m.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(m.text())) page.problems.push(m.text()) })
  page.foreign = []
  page.on('request', r => { const u = new URL(r.url()); if (/^https?:$/.test(u.protocol) && u.origin !== new URL(server.url).origin) page.foreign.push(r.url()) })
  page.home = server.url
  await page.goto(page.home)
  await byId(page, 'login-name').fill(user.login)
  await byId(page, 'login-password').fill(user.password)
  await byId(page, 'login-submit').click()
  await byId(page, 'search').waitFor()
  return page
}

/** Nothing went wrong in the page, and it spoke to nobody but its server. */
export function clean(page, who) {
  assert.deepEqual(page.problems, [], `${who}: errors in the page`)
  assert.deepEqual(page.foreign, [], `${who}: requests to a foreign host`)
}

export async function fillRequest(page, r) {
  await byId(page, 'new-request').first().click()
  await byId(page, 'request-form').waitFor()
  await byId(page, 'field-name').fill(r.name)
  await byId(page, `field-sex-${r.sex}`).check({ force: true })
  await byId(page, 'field-age').fill(String(r.age))
  await byId(page, 'field-question').fill(r.question)
  await byId(page, 'field-history').fill(r.history)
  await byId(page, 'field-specialty').selectOption(r.specialty)
  if (r.to) {
    const option = byId(page, 'field-to').locator('option', { hasText: r.to })
    await byId(page, 'field-to').selectOption(await option.getAttribute('value'))
  }
  await byId(page, `field-urgency-${r.urgency}`).check({ force: true })
  await byId(page, 'field-consent-oral').check({ force: true })
  await byId(page, 'field-consent-by').fill(r.consentBy)
}

/** A new case of the asker for the expert, and others. */
export async function newCase(server, asker, expert, name, ...more) {
  const id = randomUUID(), to = (await server.api(expert, 'GET', '/api/session')).body.user
  const others = await Promise.all(more.map(async u => (await server.api(u, 'GET', '/api/session')).body.user.id))
  const opened = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name, sex: 'F', age: { value: 30, unit: 'Y' } }, specialty: to.specialties[0], urgency: 'U2', question: 'Essai', history: '', consent: { how: 'oral' }, to: [to.id, ...others] } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  return id
}

/** A server and a link to it that can be cut: its address is link.url, its media port is the link's for a page that went link.through(page). */
export async function linked() {
  const media = await freePort()
  const server = await new Server({ args: ['--media-listen', `127.0.0.1:${media}`, '--media-tcp-listen', 'off'] }).start()
  return { server, link: await Link.open(server.port, media) }
}

/**
 * What a test of a call begins with: a server of its own, a case of that name and
 * a page of each who may be in its call, first the one who asked. They are not in
 * it yet (enter). through: the first page's link can be cut. who: others than a
 * clinician and a specialist. All is gone with the test.
 */
export async function callers(t, name, { through = false, who = server => [server.user('clinician'), server.user('specialist')] } = {}) {
  const { server, link } = through ? await linked() : { server: await new Server().start() }
  t.after(() => server.remove())
  if (link) t.after(() => link.close())
  const chromium = await browser()
  t.after(() => chromium.close())
  const users = who(server), [asker, expert, ...more] = users, pages = []
  const id = await newCase(server, asker, expert, name, ...more)
  for (const [i, user] of users.entries()) pages.push(await person(chromium, i === 0 && link ? { url: link.url } : server, user, tablet))
  await link?.through(pages[0])
  return { server, link, chromium, users, id, pages }
}

/** Goes to the case and into its call. */
export async function enter(page, id) {
  await page.goto(`${page.home}/dossier/${id}`)
  await byId(page, 'call-open').first().click()
}

/** Pictures of a page on a tablet and a phone, where SIRA_SCREENS names a folder. */
export async function picture(page, name) {
  if (!process.env.SIRA_SCREENS) return
  mkdirSync(process.env.SIRA_SCREENS, { recursive: true })
  for (const [size, viewport] of Object.entries({ tablette: tablet, telephone: phone })) {
    await page.setViewportSize(viewport)
    await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, `${name}-${size}.png`) })
  }
  await page.setViewportSize(tablet)
}

/** Sums of what a peer connection received, by kind. */
export async function received(page) {
  return await page.evaluate(async () => {
    const out = { audioPackets: 0, audioEnergy: 0, videoFrames: 0 }
    const stats = await window.__siraCall?.pc.getStats() ?? new Map()
    for (const s of stats.values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'audio') { out.audioPackets += s.packetsReceived; out.audioEnergy += s.totalAudioEnergy ?? 0 }
      if (s.type === 'inbound-rtp' && s.kind === 'video') out.videoFrames += s.framesDecoded ?? 0
    }
    return out
  })
}

/** A microphone into which somebody speaks without a pause: no silence is left out. */
export const talking = () => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
  navigator.mediaDevices.getUserMedia = async wish => {
    const stream = await real(wish)
    if (!wish.audio) return stream
    const c = new AudioContext({ sampleRate: 48000 }), b = c.createBuffer(1, 48000, 48000), d = b.getChannelData(0)
    for (let i = 0; i < d.length; i++) d[i] = (i / 240 % 1 - 0.5) * (0.3 + 0.3 * Math.sin(i / 1500)) + (Math.random() - 0.5) * 0.1
    const source = c.createBufferSource(), to = c.createMediaStreamDestination()
    source.buffer = b
    source.loop = true
    source.connect(to)
    source.start()
    return new MediaStream([...to.stream.getAudioTracks(), ...stream.getVideoTracks()])
  }
}

/** A browser that has only some of its codecs. */
export const limited = names => {
  const wanted = c => names.some(n => c.mimeType.toLowerCase() === `video/${n}`.toLowerCase()) || /rtx/i.test(c.mimeType)
  for (const side of [RTCRtpReceiver, RTCRtpSender]) {
    const real = side.getCapabilities.bind(side)
    side.getCapabilities = kind => { const all = real(kind); if (kind === 'video') all.codecs = all.codecs.filter(wanted); return all }
  }
  const real = RTCRtpTransceiver.prototype.setCodecPreferences
  RTCRtpTransceiver.prototype.setCodecPreferences = function (list) { return real.call(this, list.some(c => /^video/.test(c.mimeType)) ? list.filter(wanted) : list) }
}

/** What a page's connection says of the pictures it sends (low: the smaller of two) and receives. */
export const pictures = page => page.evaluate(async () => {
  const out = { keyframes: 0, sent: 0, height: 0, codec: '', mode: '', bytes: 0, seen: [] }
  const all = await window.__siraCall?.pc.getStats() ?? new Map()
  const sends = [...all.values()].filter(s => s.type === 'outbound-rtp' && s.kind === 'video').sort((x, y) => x.mid - y.mid)
  if (sends[1]) out.low = { active: sends[1].active, sent: sends[1].framesEncoded, height: sends[1].frameHeight, bytes: sends[1].bytesSent, keyframes: sends[1].keyFramesEncoded }
  for (const s of all.values()) {
    if (s.id === sends[0]?.id) Object.assign(out, { keyframes: s.keyFramesEncoded, sent: s.framesEncoded, height: s.frameHeight, mode: s.scalabilityMode, bytes: s.bytesSent, codec: all.get(s.codecId)?.mimeType })
    if (s.type === 'inbound-rtp' && s.kind === 'video' && s.packetsReceived) out.seen.push({ mid: s.mid, frames: s.framesDecoded, keys: s.keyFramesDecoded, plis: s.pliCount, nacks: s.nackCount, height: s.frameHeight, bytes: s.bytesReceived, codec: all.get(s.codecId)?.mimeType })
  }
  return out
})

/** The page's pixels under a canvas, as brightness statistics: a black or flat picture is none. */
export async function brightness(page, testid) {
  return await byId(page, testid).evaluate(source => {
    const c = document.createElement('canvas')
    c.width = c.height = 128
    const ctx = c.getContext('2d')
    ctx.drawImage(source, 0, 0, 128, 128)
    const d = ctx.getImageData(0, 0, 128, 128).data
    let sum = 0, square = 0
    for (let i = 0; i < d.length; i += 4) { sum += d[i]; square += d[i] * d[i] }
    const n = d.length / 4, mean = sum / n
    return { mean, deviation: Math.sqrt(square / n - mean * mean) }
  })
}

/** Asks again and again until fn answers something true. */
export async function until(what, fn, timeout = 60_000) {
  const end = Date.now() + timeout
  for (;;) {
    const v = await fn()
    if (v) return v
    if (Date.now() > end) throw new Error(`not reached in ${timeout / 1000} s: ${what}`)
    await new Promise(r => setTimeout(r, 150))
  }
}

/** Nothing runs out of the page, targets are large enough for a thumb, every control has a name. */
export async function fits(page, what) {
  const found = await page.evaluate(() => {
    const small = []
    for (const e of document.querySelectorAll('button, select, input:not([type=hidden]):not([type=radio]):not([type=checkbox]):not([type=file]):not([type=range]), a.btn')) {
      const r = e.getBoundingClientRect()
      if (r.width === 0 || r.height === 0 || e.classList.contains('linklike') || getComputedStyle(e).visibility === 'hidden') continue
      if (r.height < 40) small.push(`${e.tagName} ${(e.getAttribute('data-testid') ?? e.textContent ?? '').trim().slice(0, 30)} ${Math.round(r.width)}×${Math.round(r.height)}`)
    }
    const unnamed = [...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea')].filter(e => {
      if (e.closest('[hidden]') || e.getBoundingClientRect().width === 0) return false
      const label = e.getAttribute('aria-label') ?? e.getAttribute('title') ?? e.labels?.[0]?.textContent ?? e.textContent
      return !label?.trim() && !e.getAttribute('aria-labelledby')
    }).map(e => e.outerHTML.slice(0, 100))
    return { wide: document.documentElement.scrollWidth - innerWidth, small, unnamed }
  })
  assert.ok(found.wide <= 1, `${what}: ${found.wide} px wider than the screen`)
  assert.deepEqual(found.small, [], `${what}: targets too small`)
  assert.deepEqual(found.unnamed, [], `${what}: controls without a name`)
}
