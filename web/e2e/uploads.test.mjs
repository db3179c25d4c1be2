// Files over a link that is slow and cut: progress is true, an upload goes on at
// the byte, also when the server lost its power and the page was loaded again.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, Server, tablet } from './harness.mjs'
import { byId, clean, fillRequest, person, until } from './pages.mjs'

let server, chromium, folder

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-files-'))
  server = await new Server().start()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const clinician = () => server.demo.users.find(u => u.login === 'f.keita')
const request = {
  name: 'Kadidia SANOGO', sex: 'F', age: 29, specialty: 'dermatologie', urgency: 'U3', consentBy: 'La patiente',
  question: 'Cette lésion est-elle à prélever ?', history: 'Apparue il y a trois mois.',
}

/** A PDF of the wanted size whose bytes cannot be squeezed. */
function bigFile(name, size) {
  const file = path.join(folder, name)
  const bytes = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(size), Buffer.from('\n%%EOF\n')])
  writeFileSync(file, bytes)
  return { file, name, sum: createHash('sha256').update(bytes).digest('hex') }
}

async function throttle(page, bytesPerSecond) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 100, downloadThroughput: -1, uploadThroughput: bytesPerSecond })
}

const percent = async row => Number(await row.getAttribute('data-percent'))

async function storedSum(user, id, name) {
  const { body } = await server.api(user, 'GET', `/api/cases/${id}`)
  const a = body.files.find(f => f.name === name)
  assert.ok(a, `${name} is not in the case`)
  const r = await fetch(`${server.url}/api/cases/${id}/attachments/${a.id}`, { headers: { authorization: `Bearer ${user.token}` } })
  return createHash('sha256').update(Buffer.from(await r.arrayBuffer())).digest('hex')
}

test('an upload survives a pause, a power cut and a reload', { timeout: 300_000 }, async t => {
  const page = await person(chromium, server, clinician(), tablet)
  const big = bigFile('compte-rendu.pdf', 6 << 20)
  await fillRequest(page, request)
  await throttle(page, 500_000)
  await byId(page, 'file-input').setInputFiles(big.file)
  const row = page.locator('[data-testid="upload-row"][data-name="compte-rendu.pdf"]')
  const id = new URL(page.url()).searchParams.get('b')

  await t.test('progress says percent, rate and time left', async () => {
    await until('10 %', async () => await percent(row) >= 10)
    await until('rate and time left', async () => /\/s/.test(await row.textContent()) && /reste/i.test(await row.textContent()))
  })

  await t.test('paused means no byte moves; resumed goes on', async () => {
    await row.locator('[data-testid="upload-pause"]').click()
    await until('paused', async () => await row.getAttribute('data-state') === 'paused')
    const at = await percent(row)
    await new Promise(r => setTimeout(r, 2500))
    assert.equal(await percent(row), at)
    await row.locator('[data-testid="upload-resume"]').click()
    await until('moving again', async () => await percent(row) > at)
  })

  await t.test('after kill -9 it goes on at the byte', async () => {
    const at = await until('25 %', async () => { const p = await percent(row); return p >= 25 && p })
    await server.kill()
    await until('the row says that it waits', async () => await row.getAttribute('data-state') === 'waiting')
    await server.start()
    await until('sending again', async () => await row.getAttribute('data-state') === 'sending' && await percent(row) >= Math.min(at - 15, 20), 60_000)
  })

  await t.test('after a reload it goes on, the form still filled', async () => {
    await until('40 %', async () => await percent(row) >= 40)
    await page.reload()
    await byId(page, 'request-form').waitFor()
    assert.equal(await byId(page, 'field-name').inputValue(), request.name)
    assert.equal(await byId(page, 'field-question').inputValue(), request.question)
    await until('beyond where it was', async () => await percent(row) >= 35)
    await throttle(page, -1)
    await until('stored', async () => await row.getAttribute('data-state') === 'stored', 120_000)
  })

  await t.test('sent: the file is in the case, bit for bit, once', async () => {
    await byId(page, 'request-send').click()
    await byId(page, 'case').waitFor({ timeout: 60_000 })
    await page.locator('[data-testid="file-tile"][data-name="compte-rendu.pdf"]').waitFor({ timeout: 60_000 })
    assert.equal(await storedSum(clinician(), id, 'compte-rendu.pdf'), big.sum)
    // The same file again, also under another name, is there once.
    const twin = path.join(folder, 'copie.pdf')
    copyFileSync(big.file, twin)
    await byId(page, 'add-files').click()
    await byId(page, 'file-input').setInputFiles([big.file, twin])
    await until('the copy is named a duplicate', async () => {
      const { body } = await server.api(clinician(), 'GET', `/api/intake?caseId=${id}`)
      return body.uploads.some(u => u.name === 'copie.pdf' && u.files?.some(f => f.state === 'duplicate'))
    })
    const { body } = await server.api(clinician(), 'GET', `/api/cases/${id}`)
    assert.equal(body.files.filter(f => f.hash === big.sum).length, 1)
  })
  clean(page, 'clinician')
})

test('a request written without a link leaves by itself, once', { timeout: 120_000 }, async () => {
  const page = await person(chromium, server, clinician(), tablet)
  await fillRequest(page, { ...request, name: 'Bintou FOFANA' })
  await page.context().setOffline(true)
  await byId(page, 'request-send').click()
  await byId(page, 'request-waiting').waitFor({ timeout: 60_000 })
  await page.context().setOffline(false)
  await byId(page, 'case').waitFor({ timeout: 90_000 })
  const { body } = await server.api(clinician(), 'GET', '/api/cases')
  assert.equal(body.cases.filter(c => c.patient.name === 'Bintou FOFANA').length, 1)
})

test('a file too large for the disk is refused in words, and the server stays', { timeout: 120_000 }, async () => {
  const small = await new Server({ args: ['--min-free', '900TiB'] }).start()
  try {
    const user = small.user('clinician')
    const meta = (k, v) => `${k} ${Buffer.from(v).toString('base64')}`
    const r = await fetch(`${small.url}/api/uploads/`, { method: 'POST', headers: {
      authorization: `Bearer ${user.token}`, 'tus-resumable': '1.0.0', 'upload-length': String(4 * 2 ** 30 - 1),
      'upload-metadata': [meta('filename', 'scanner.zip'), meta('filetype', 'application/zip'), meta('caseId', crypto.randomUUID())].join(',') } })
    const body = await r.json()
    assert.equal(r.status, 507, JSON.stringify(body))
    assert.match(body.detail, /ne tient plus sur le serveur/)
    assert.equal((await fetch(`${small.url}/readyz`)).status, 200)
  } finally { await small.remove() }
})
