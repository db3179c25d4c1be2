// One call of two people, each in a Chromium of their own: node call.mjs FILE,
// a JSON of what runCall in ../call.go writes. It says "loaded" when both
// pages are, the city's person is in the call and the rural one may join; waits
// for a line; and says "done" when everything measured stands in the file `out`.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import * as livekit from './livekit.mjs'
import * as sira from './sira.mjs'

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const server = { sira, livekit }[config.server]
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function person(who) {
  const browser = await chromium.launch({
    executablePath: config.chromium[who],
    handleSIGTERM: false, // below: Playwright's own closes the browsers, and stays
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${config.camera}`, `--use-file-for-fake-audio-capture=${config.speech}`,
      `--unsafely-treat-insecure-origin-as-secure=${new URL(config.url).origin}`, ...(config.flags?.[who] ?? [])],
  })
  const context = await browser.newContext({ viewport: { width: 1024, height: 600 }, locale: 'fr-FR', permissions: ['camera', 'microphone'] })
  const page = await context.newPage()
  const trouble = [], requests = []
  page.on('pageerror', (e) => trouble.push(String(e)))
  page.on('request', (r) => requests.push({ t: Date.now(), url: new URL(r.url()).pathname }))
  await page.addInitScript({ path: fileURLToPath(new URL('collect.js', import.meta.url)) })
  return { who, browser, page, trouble, requests }
}

/** Clicks, and begins to look and to count. */
async function join(p) {
  await p.page.evaluate((limit) => { window.__bench.watching = window.__bench.watch(limit) }, config.limit * 1000)
  await p.page.locator('[data-testid="call-open"]').first().click()
  await p.page.evaluate((every) => window.__bench.sample(every), config.every)
}

/** Keeps pictures that the city sees, evenly over the measured seconds. */
async function look(page, end) {
  const { folder, count } = config.frames
  await sleep(config.warm * 1000)
  for (let i = 0; i < count; i++) {
    const url = await page.evaluate(() => {
      const video = [...document.querySelectorAll('[data-testid="call-remote-video"]')].find((v) => v.videoWidth)
      if (!video) return ''
      const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight })
      canvas.getContext('2d').drawImage(video, 0, 0)
      return canvas.toDataURL('image/png')
    })
    if (url) writeFileSync(`${folder}/${i}.png`, Buffer.from(url.split(',')[1], 'base64'))
    await sleep(Math.max(0, (end - Date.now()) / (count - i)))
  }
}

async function taken(p) {
  const { clicked, first, samples, notes } = await p.page.evaluate(() => window.__bench)
  return { clicked, first, samples, notes, trouble: p.trouble, fetched: p.requests.filter((r) => r.t >= clicked).map((r) => r.url) }
}

const people = []
let room
process.on('SIGTERM', async () => {
  await Promise.all(people.map((p) => p.browser.close().catch(() => {})))
  process.exit(1)
})
try {
  room = await server.prepare(config)
  for (const who of ['city', 'rural']) {
    const p = await person(who)
    people.push(p)
    await server.open(p.page, who, config, room)
  }
  const [city, rural] = people
  await join(city)
  await sleep(5000) // in the call, and sending
  console.log('loaded')
  await lines.next()
  await server.arrive?.(rural.page, config, room)
  await sleep(config.read * 1000)
  await join(rural)
  const end = Date.now() + (config.warm + config.seconds) * 1000 + 500
  if (config.upload) { await sleep(5000); await server.upload(rural.page, config.upload) }
  if (config.frames) await look(city.page, end)
  await sleep(Math.max(0, end - Date.now()))
  const out = { version: rural.browser.version(), city: await taken(city), rural: await taken(rural) }
  if (config.shot) await rural.page.screenshot({ path: config.shot })
  writeFileSync(config.out, JSON.stringify(out))
  console.log('done')
} finally {
  for (const p of people) await p.browser.close().catch(() => {})
  room?.close?.()
}
process.exit(0)
