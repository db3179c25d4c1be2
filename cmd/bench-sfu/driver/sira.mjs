// People of a `sira demo` in its own pages, as far as the button that starts
// their call.
import { randomUUID } from 'node:crypto'

const byId = (page, id) => page.locator(`[data-testid="${id}"]`)

async function api(url, user, method, path, body) {
  const r = await fetch(url + path, { method, headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) })
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`)
  return await r.json()
}

/** A new case, for which the two may call each other. */
export async function prepare({ url, city, rural }) {
  const id = randomUUID(), to = (await api(url, city, 'GET', '/api/session')).user
  await api(url, rural, 'POST', `/api/cases/${id}/events`, { events: [{ id: randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: 'Essai Mesure', sex: 'F', age: { value: 30, unit: 'Y' } }, specialty: to.specialties[0], urgency: 'U2',
    question: 'Mesure', history: '', consent: { how: 'oral' }, to: [to.id] } }] })
  return { id }
}

/** Signs in, opens the case, and has the page's code for calls at hand, as who called before has. */
export async function open(page, who, config, room) {
  await page.goto(config.url)
  await byId(page, 'login-name').fill(config[who].login)
  await byId(page, 'login-password').fill(config[who].password)
  await byId(page, 'login-submit').click()
  await byId(page, 'search').waitFor()
  if (config.whip && who === 'rural') { await page.evaluate(cart, { url: `/whip/${room.id}`, token: config.rural.token, ...config.whip }); return }
  await page.goto(`${config.url}/dossier/${room.id}`)
  await byId(page, 'call-open').first().waitFor()
  await page.evaluate(async () => {
    const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/assets/call.css', crossOrigin: '' })
    await Promise.all([import('/assets/call.js'), new Promise((resolve, reject) => { style.onload = resolve; style.onerror = reject; document.head.append(style) })])
  })
  if (who === 'rural') { // nothing may be ready that was made over a better link
    await byId(page, 'patient-banner').locator('.back').click()
    await byId(page, 'search').waitFor()
  }
}

/** Opens the case over the link that is measured, as who has read of it and will click. */
export async function arrive(page, config, room) {
  if (config.whip) return
  await page.evaluate((path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }, `/dossier/${room.id}`)
  await byId(page, 'call-open').first().waitFor({ timeout: 60_000 })
}

/** Sends a file from the case that is open, as who picks one does. */
export async function upload(page, bytes) {
  const buffer = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i += 65536) crypto.getRandomValues(buffer.subarray(i, Math.min(bytes, i + 65536)))
  buffer.write('%PDF-1.7\n')
  await byId(page, 'add-files').first().click()
  await byId(page, 'file-input').first().setInputFiles({ name: 'dossier.pdf', mimeType: 'application/pdf', buffer })
}

/** Runs in the page: a button that publishes the camera by WHIP (RFC 9725), as the encoder of an ultrasound cart does. */
function cart({ url, token, kbps, fps }) {
  const button = document.createElement('button')
  button.dataset.testid = 'call-open'
  button.style = 'position:fixed;inset:0 auto auto 0;z-index:99'
  button.textContent = 'WHIP'
  button.onclick = async () => {
    const [track] = (await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } })).getVideoTracks()
    const pc = new RTCPeerConnection()
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', sendEncodings: [{ maxBitrate: kbps * 1000, maxFramerate: fps }] })
    transceiver.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter((c) => /vp9|rtx/i.test(c.mimeType)))
    const parameters = transceiver.sender.getParameters()
    parameters.degradationPreference = 'maintain-resolution'
    await transceiver.sender.setParameters(parameters)
    await pc.setLocalDescription()
    while (pc.iceGatheringState !== 'complete') await new Promise((r) => setTimeout(r, 20))
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' }, body: pc.localDescription.sdp })
    if (answer.status !== 201) { window.__bench.note(`${answer.status} ${await answer.text()}`); return }
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
    window.__bench.note('published')
  }
  document.body.append(button)
}
