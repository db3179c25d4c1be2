// One budget for the page: what a person sends beside a call takes what the call
// leaves, and everything again when it ends.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { byId, callers, clean, enter, picture, received, until } from './pages.mjs'

const uplink = 60 // kbit/s, that the sender's browser believes in

/** A browser that measured a thin way up: here the loopback is, in its own words, 60 kbit/s. */
const thin = kbps => {
  const real = RTCPeerConnection.prototype.getStats
  RTCPeerConnection.prototype.getStats = async function (...a) {
    const all = new Map(await real.apply(this, a))
    for (const [id, s] of all) if (s.type === 'candidate-pair' && s.availableOutgoingBitrate) all.set(id, { ...s, availableOutgoingBitrate: kbps * 1000 })
    return all
  }
}

test('an upload yields to a call and goes on when it ends', { timeout: 240_000 }, async t => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sira-files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { server, id, pages: [a, b] } = await callers(t, 'Essai Envoi')
  await a.addInitScript(thin, uplink)
  for (const page of [a, b]) await enter(page, id)
  for (const page of [a, b]) await until('sound', async () => (await received(page)).audioPackets > 50)

  const file = path.join(folder, 'compte-rendu.pdf')
  writeFileSync(file, Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(400_000), Buffer.from('\n%%EOF\n')]))
  const accepted = [] // by the server: up to which byte, and when that was known
  let began = 0
  // Another tab of the same browser sends: the call is not its own, the link is.
  const other = await a.context().newPage()
  other.on('request', r => { if (r.method() === 'PATCH') began ||= Date.now() })
  other.on('response', r => { if (r.request().method() === 'PATCH') accepted.push({ to: Number(r.headers()['upload-offset']), at: Date.now() }) })
  await other.goto(`${server.url}/dossier/${id}`)
  const row = other.locator('[data-testid="upload-row"][data-name="compte-rendu.pdf"]').first()
  const sizes = () => accepted.map((p, i) => p.to - (accepted[i - 1]?.to ?? 0))

  await t.test('the grant of the call is known to the other tab', async () => {
    await until('the thin way up is told to the server, and granted', async () => {
      const kbps = await other.evaluate(() => new Promise(resolve => {
        const c = new BroadcastChannel('sira-share')
        c.onmessage = e => { c.close(); resolve(e.data.grant?.up) }
      }))
      return kbps !== undefined && kbps <= uplink / 10
    }, 60_000)
    await byId(other, 'add-files').click()
    await byId(other, 'file-input').setInputFiles(file)
    await until('three pieces', async () => accepted.length >= 3, 60_000)
  })

  await t.test('it says so, and what it would take', async () => {
    await byId(other, 'transfers-sign').click()
    await until('words', async () => /Ralenti pendant l’appel\s: \d+ kbit\/s au plus, encore /.test(await byId(other, 'transfers-slowed').textContent()))
    await picture(other, 'envoi-ralenti')
  })

  await t.test('no more leaves than the grant allows, in small pieces', async () => {
    await until('some more pieces', async () => accepted.length >= 6, 60_000)
    for (const n of sizes()) assert.ok(n > 0 && n <= 2048, `a piece of ${n} bytes`)
    for (const { to, at } of accepted) {
      const most = uplink / 10 * 125 * (at - began) / 1000 + 2048
      assert.ok(to <= most, `${to} bytes in ${at - began} ms, where ${most} may`)
    }
    assert.notEqual(await row.getAttribute('data-state'), 'stored')
    t.diagnostic(`${accepted.at(-1).to} bytes in ${accepted.at(-1).at - began} ms beside the call`)
  })

  await t.test('files first, if the person wants: voice keeps its part', async () => {
    await byId(other, 'files-first').click()
    await until('more is granted', async () => Number(await byId(other, 'transfers-slowed').getAttribute('data-kbps')) > uplink / 10)
    assert.ok(Number(await byId(other, 'transfers-slowed').getAttribute('data-kbps')) <= uplink - 36)
    await byId(other, 'files-first').click()
  })

  await t.test('the call ends: the rest goes at once, in large pieces', async () => {
    assert.notEqual(await row.getAttribute('data-state'), 'stored')
    await byId(a, 'call-hangup').click()
    await until('stored', async () => await row.getAttribute('data-state') === 'stored', 60_000)
    assert.ok(Math.max(...sizes()) > 100_000, 'no large piece')
    assert.equal(await byId(other, 'transfers-slowed').count(), 0)
  })
  for (const page of [a, b]) clean(page, 'a page')
})
