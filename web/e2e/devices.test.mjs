// What carts send and are asked for, as dcmtk's tools play them: an examination
// asked in a case stands on the cart's worklist and its images come live; what
// has no case waits for a person, who compares and attaches; the same UID with
// other bytes is in quarantine; administrators see who may do what.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { makeSlice, readWorklist, send, uid } from './cart.mjs'
import { browser, phone, Server, tablet } from './harness.mjs'
import { byId, clean, fits, person, until } from './pages.mjs'

let server, chromium, folder

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-cart-'))
  server = await new Server({ args: ['--dicom-allow', 'CART1@127.0.0.1,STRAY,ELSEWHERE', '--dicom-devices', 'CART1=csref-kati,ELSEWHERE=hr-gao',
    '--dicom-query', 'WS1@127.0.0.1', '--dicom-destinations', 'PACS=tls://127.0.0.1:2762'] }).start()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const as = login => server.demo.users.find(u => u.login === login)
const slice = (name, o) => makeSlice(folder, name, o)
const storescu = (aet, ...files) => send(server, aet, ...files)
const worklist = aet => readWorklist(server, aet)

/** A case of the clinician at Kati, without a word of a screen. */
async function openCase(name, sex) {
  const id = crypto.randomUUID(), asker = as('a.coulibaly')
  const to = (await server.api(asker, 'GET', '/api/directory')).body.specialists.filter(s => s.specialties.includes('radiologie')).map(s => s.id)
  const r = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name, sex, age: { value: 35, unit: 'Y' } }, specialty: 'radiologie', urgency: 'U1', question: 'Saignement ?', history: '',
    consent: { how: 'oral', by: 'La patiente', at: new Date().toISOString() }, to } }] })
  assert.equal(r.status, 200, JSON.stringify(r.body))
  return r.body.case
}

test('an examination asked in a case is on the cart’s worklist, and its images come live', { timeout: 240_000 }, async t => {
  const c = await openCase('Nana KONATÉ', 'F')
  const page = await person(chromium, server, as('a.coulibaly'), tablet)
  await page.goto(`${server.url}/dossier/${c.id}`)
  await byId(page, 'procedure-ask').click()
  await byId(page, 'procedure-send').click()
  await byId(page, 'procedure-problem').waitFor() // nothing said yet what is wanted
  await byId(page, 'procedure-modality').selectOption('CT')
  await byId(page, 'procedure-description').fill('Scanner cérébral sans injection')
  await byId(page, 'procedure-device').selectOption('CART1')
  await fits(page, 'Demander un examen')
  await byId(page, 'procedure-send').click()
  await byId(page, 'procedure-state').filter({ hasText: 'en attente' }).waitFor()
  let entry

  await t.test('the cart that was named reads it, another does not', async () => {
    const mine = await worklist('CART1')
    assert.equal(mine.length, 1, JSON.stringify(mine))
    entry = mine[0]
    assert.deepEqual({ ...entry, study: '' }, { accession: c.number, patient: 'KONATÉ^Nana', study: '', description: 'Scanner cérébral sans injection', modality: 'CT', station: 'CART1' })
    assert.match(entry.study, /^2\.25\.\d+$/)
    assert.deepEqual(await worklist('ELSEWHERE'), [])
  })

  await t.test('what is sent with it arrives in the open page, and the request is done', async () => {
    const out = await storescu('CART1', slice('asked', { study: entry.study, accession: entry.accession, patient: entry.patient }).file)
    assert.match(out, /Success/, out)
    await page.locator('[data-testid="series-tile"][data-modality="CT"]').waitFor({ timeout: 30_000 })
    await byId(page, 'procedure-state').filter({ hasText: 'reçu' }).waitFor({ timeout: 30_000 })
    assert.equal(await byId(page, 'patient-differs').count(), 0)
    assert.deepEqual(await worklist('CART1'), [])
  })

  await t.test('a request to any device of the place can be taken back', async () => {
    await byId(page, 'procedure-ask').click()
    await byId(page, 'procedure-modality').selectOption('US')
    await byId(page, 'procedure-description').fill('Échographie abdominale')
    await byId(page, 'procedure-send').click()
    await byId(page, 'procedure-state').filter({ hasText: 'en attente' }).waitFor()
    const [e] = await worklist('CART1')
    assert.equal(e.description, 'Échographie abdominale')
    assert.deepEqual(await worklist('ELSEWHERE'), [])
    await byId(page, 'procedure-cancel').click()
    await byId(page, 'procedure-sure-yes').click()
    await page.locator('[data-testid="procedure"][data-state="none"]').waitFor()
    assert.deepEqual(await worklist('CART1'), [])
  })
  clean(page, 'clinician')
})

test('what has no case waits for a person, who compares and attaches', { timeout: 240_000 }, async t => {
  const c = await openCase('Nana KONATÉ', 'F')
  const page = await person(chromium, server, as('a.coulibaly'), tablet)
  const series = uid(), study = uid()
  const common = { study, series, patient: 'SANOGO^BAKARY', sex: 'M' }

  await t.test('the header counts it while the list is open', async () => {
    assert.equal(await byId(page, 'tray-badge').count(), 0)
    await storescu('CART1', slice('tray1', common).file, slice('tray2', common).file)
    await byId(page, 'tray-badge').filter({ hasText: '1' }).waitFor({ timeout: 30_000 })
    await storescu('CART1', slice('tray3', { accession: 'KAT-1999-0001' }).file)
    await byId(page, 'tray-badge').filter({ hasText: '2' }).waitFor({ timeout: 30_000 })
  })

  const card = page.locator(`[data-testid="tray-study"][data-study="${study}"]`)
  await t.test('each study says whose it is, from where, and why it waits', async () => {
    await byId(page, 'tray-link').click()
    await card.waitFor()
    assert.match(await card.locator('[data-testid="tray-patient"]').textContent(), /BAKARY SANOGO.*Masculin|BAKARY SANOGO.*Homme|BAKARY SANOGO/)
    assert.match(await card.textContent(), /2 images/)
    assert.match(await card.textContent(), /CART1.*CSRéf de Kati/)
    assert.match(await card.locator('[data-testid="tray-reason"]').textContent(), /aucun numéro de dossier/)
    await page.locator('[data-testid="tray-study"][data-reason="unknown-accession"] [data-testid="tray-reason"]', { hasText: 'KAT-1999-0001' }).waitFor()
    await page.waitForFunction(() => [...document.querySelectorAll('[data-testid="tray-picture"]')].some(i => i.naturalWidth > 16), null, { timeout: 30_000 })
    await fits(page, 'Examens reçus')
  })

  await t.test('another patient’s study needs a word of its own', async () => {
    await card.locator('[data-testid="tray-attach"]').click()
    const search = byId(page, 'attach-search')
    if (await search.count()) await search.fill(c.number)
    await page.locator(`[data-testid="attach-case"][value="${c.id}"]`).check({ force: true })
    await byId(page, 'compare').waitFor()
    assert.equal(await page.locator('[data-testid="compare"] tr[data-verdict="differs"]').count(), 2) // name and sex
    await fits(page, 'Rattacher')
    await byId(page, 'attach-confirm').click()
    await byId(page, 'attach-contradicts').waitFor()
    await byId(page, 'attach-confirm').click()
    await byId(page, 'attach-problem').waitFor()
    assert.equal((await server.api(as('a.coulibaly'), 'GET', `/api/cases/${c.id}`)).body.series.length, 0, 'attached without a confirmation')
    await byId(page, 'attach-sure').check()
    await byId(page, 'attach-confirm').click()
    await byId(page, 'tray-attached').waitFor()
    await byId(page, 'tray-badge').filter({ hasText: '1' }).waitFor()
    await byId(page, 'tray-open-case').click()
    const tile = page.locator('[data-testid="series-tile"][data-modality="CT"]')
    await tile.waitFor()
    await tile.locator('[data-testid="patient-differs"]').waitFor()
  })

  await t.test('what is no use is discarded, after a question', async () => {
    await byId(page, 'tray-link').click()
    await byId(page, 'tray-discard').click()
    await byId(page, 'sure-yes').click()
    await byId(page, 'tray-empty').waitFor()
    await until('no badge', async () => await byId(page, 'tray-badge').count() === 0)
  })
  clean(page, 'clinician')

  await t.test('a device that stands nowhere is the dispatcher’s, on a phone too', async () => {
    const dispatcher = await person(chromium, server, as('a.cisse'), phone)
    const right = await openCase('Kadidia DEMBÉLÉ', 'F')
    await storescu('STRAY', slice('stray', { patient: 'DEMBELE^KADIDIA' }).file)
    await byId(dispatcher, 'tray-badge').filter({ hasText: '1' }).waitFor({ timeout: 30_000 })
    await byId(dispatcher, 'tray-link').click()
    await byId(dispatcher, 'tray-study').waitFor()
    await fits(dispatcher, 'Examens reçus')
    await byId(dispatcher, 'tray-attach').click()
    // The case of that name comes first.
    assert.equal(await byId(dispatcher, 'attach-case').first().getAttribute('value'), right.id)
    await byId(dispatcher, 'attach-case').first().check({ force: true })
    await fits(dispatcher, 'Rattacher')
    await byId(dispatcher, 'attach-confirm').click()
    await byId(dispatcher, 'tray-attached').waitFor()
    assert.equal((await server.api(as('a.coulibaly'), 'GET', `/api/cases/${right.id}`)).body.series.length, 1)
    clean(dispatcher, 'dispatcher')
  })
})

test('the same UID with other bytes is shown to those who look after it', { timeout: 120_000 }, async () => {
  const c = await openCase('Oumou KEITA', 'F')
  const first = slice('first', { accession: c.number })
  assert.match(await storescu('CART1', first.file), /Success/)
  const page = await person(chromium, server, as('a.cisse'), tablet)
  const other = slice('other', { accession: c.number, sop: first.sop, patient: 'KEITA^OUMOU AWA', shade: 7 })
  for (let i = 0; i < 2; i++) assert.match(await storescu('CART1', other.file), /0x0?111/i)
  await byId(page, 'tray-badge').filter({ hasText: '1' }).waitFor({ timeout: 30_000 })
  await byId(page, 'tray-link').click()
  await byId(page, 'tab-quarantine').click()
  const entry = page.locator(`[data-testid="quarantine-entry"][data-sop="${first.sop}"]`)
  await entry.waitFor()
  assert.equal(await entry.getAttribute('data-times'), '2')
  const text = await entry.textContent()
  assert.match(text, /Appareil CART1/)
  assert.match(text, /127\.0\.0\.1/)
  assert.match(await entry.locator('tr[data-field="patientName"]').textContent(), /OUMOU KEITA.*OUMOU AWA KEITA/)
  await page.getByText('exportez-le de nouveau depuis l’appareil').waitFor()
  for (const viewport of [tablet, phone]) { await page.setViewportSize(viewport); await fits(page, 'Quarantaine') }
  await entry.locator('[data-testid="quarantine-drop"]').click()
  await byId(page, 'sure-yes').click()
  await byId(page, 'quarantine-empty').waitFor()
  clean(page, 'dispatcher')
  // A clinician has no such screen.
  const clinician = await person(chromium, server, as('a.coulibaly'), tablet)
  await clinician.goto(`${server.url}/quarantaine`)
  await clinician.getByText('réservée à la régulation').waitFor()
  clean(clinician, 'clinician')
})

test('administrators read the node and the devices, and close an account', { timeout: 180_000 }, async t => {
  const page = await person(chromium, server, as('m.sissoko'), tablet)
  await byId(page, 'admin-link').click()

  await t.test('the state of the node', async () => {
    assert.match(await byId(page, 'node-database').textContent(), /SQLite.*répond/)
    assert.match(await byId(page, 'node-blobs').textContent(), /dossier.*répond/)
    assert.match(await byId(page, 'node-free').textContent(), /\d\sGo/)
    assert.ok(Number((await byId(page, 'count-instances').textContent()).replace(/\D/g, '')) > 0)
    await fits(page, 'Administration')
  })

  await t.test('the DICOM settings in force', async () => {
    await byId(page, 'admin-dicom').click()
    assert.equal(await byId(page, 'dicom-aet').textContent(), 'SIRA')
    assert.match(await byId(page, 'dicom-tls').textContent(), /^non/)
    assert.match(await byId(page, 'dicom-address').textContent(), new RegExp(`:${server.dicomPort}$`))
    const rows = await page.locator('[data-testid="peer"]').allTextContents()
    assert.equal(rows.length, 4)
    assert.match(rows.find(r => r.startsWith('CART1')), /127\.0\.0\.1CSRéf de Katiouiouinon|127\.0\.0\.1CSRéf de Kati oui oui ?non/)
    assert.match(rows.find(r => r.startsWith('STRAY')), /toute adresse.*non déclaré/)
    assert.match(rows.find(r => r.startsWith('WS1')), /non.*oui.*oui/)
    assert.match(await byId(page, 'destination').textContent(), /PACS · 127\.0\.0\.1:2762 · TLS/)
    for (const viewport of [phone, tablet]) { await page.setViewportSize(viewport); await fits(page, 'Appareils DICOM') }
  })

  await t.test('an account is closed: its owner is out at once, until it is opened again', async () => {
    const expert = await person(chromium, server, as('b.sidibe'), tablet)
    await byId(page, 'admin-people').click()
    await byId(page, 'people-search').fill('sidibe')
    const row = page.locator('[data-testid="account-row"][data-login="b.sidibe"]')
    await row.locator('[data-testid="account-close"]').click()
    await byId(page, 'account-sure-yes').click()
    await page.locator('[data-testid="account-row"][data-login="b.sidibe"][data-disabled="true"]').waitFor()
    await expert.reload()
    await byId(expert, 'login-name').fill('b.sidibe')
    await byId(expert, 'login-password').fill(as('b.sidibe').password)
    await byId(expert, 'login-submit').click()
    await byId(expert, 'login-error').waitFor()
    await row.locator('[data-testid="account-open"]').click()
    await page.locator('[data-testid="account-row"][data-login="b.sidibe"][data-disabled="false"]').waitFor()
    await byId(expert, 'login-submit').click()
    await byId(expert, 'search').waitFor()
    await byId(page, 'people-search').fill('')
    for (const viewport of [phone, tablet]) { await page.setViewportSize(viewport); await fits(page, 'Personnes') }
  })
  clean(page, 'administrator')
  assert.ok(!server.log.includes('KEITA') && !server.log.includes('SANOGO'), 'a patient’s name is in the log')
})
