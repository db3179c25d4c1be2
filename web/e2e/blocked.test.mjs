// Calls where the network lets no UDP pass: over the media port's TCP, and
// where that is closed too, through the TURN server behind the HTTPS port.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { Server, browser, tablet } from './harness.mjs'
import { clean, enter, newCase, person, received, until } from './pages.mjs'

const noUDP = ['--webrtc-ip-handling-policy=disable_non_proxied_udp']

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the certificate below is of its own making

function certificate(dir) {
  const cert = path.join(dir, 'cert.pem'), key = path.join(dir, 'key.pem')
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { cert, key }
}

/** How the media of a page's call travels. */
async function way(page) {
  return await page.evaluate(async () => {
    const stats = await window.__siraCall.pc.getStats()
    const transport = [...stats.values()].find(s => s.type === 'transport' && s.selectedCandidatePairId)
    const pair = stats.get(transport?.selectedCandidatePairId)
    const local = stats.get(pair?.localCandidateId), remote = stats.get(pair?.remoteCandidateId)
    return `${local?.candidateType} ${local?.relayProtocol ?? local?.protocol} ${remote?.protocol}`
  })
}

async function call(t, server, blocked, want) {
  const asker = server.user('clinician'), expert = server.user('specialist')
  const chromium = await browser('--ignore-certificate-errors'), behind = await browser('--ignore-certificate-errors', ...blocked)
  t.after(() => Promise.all([chromium.close(), behind.close()]))
  const id = await newCase(server, asker, expert, 'Essai Liaison')
  const pages = [await person(behind, server, asker, tablet), await person(chromium, server, expert, tablet)]
  for (const page of pages) await enter(page, id)
  for (const page of pages) await until('sound and picture', async () => { const r = await received(page); return r.audioPackets > 30 && r.videoFrames > 5 && r.audioEnergy > 0 })
  assert.match(await way(pages[0]), want)
  for (const page of pages) clean(page, 'caller')
}

test('without UDP a call goes over TCP', async t => {
  const server = await new Server().start()
  t.after(() => server.remove())
  await call(t, server, noUDP, /^(host|prflx) tcp tcp$/)
})

test('where only HTTPS passes a call goes through the relay', async t => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'sira-tls-'))
  const server = await new Server({ tls: certificate(dir), args: ['--media-tcp-listen', 'off'] }).start()
  t.after(async () => { await server.remove(); rmSync(dir, { recursive: true, force: true }) })
  await call(t, server, noUDP, /^relay tls udp$/)
})
