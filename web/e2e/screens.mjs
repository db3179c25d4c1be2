// Takes the pictures of docs/screens with the demo's data: `make screens`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { copyStudy, send } from './cart.mjs'
import { browser, phone, root, Server, tablet } from './harness.mjs'
import { byId, person } from './pages.mjs'

const out = process.env.SIRA_SCREENS ?? path.join(root, 'docs/screens')
mkdirSync(out, { recursive: true })
const folder = mkdtempSync(path.join(os.tmpdir(), 'sira-cart-'))
const server = await new Server({ args: ['--dicom-allow', 'ECHO1@10.20.0.11,CT1@10.20.0.0/24,CART1@127.0.0.1,VALISE', '--dicom-devices', 'ECHO1=csref-kati,CT1=csref-kati,CART1=csref-kati',
  '--dicom-query', 'CONSOLE@10.20.0.30', '--dicom-destinations', 'PACS=tls://10.20.0.5:2762'] }).start()
const chromium = await browser()
const as = login => server.demo.users.find(u => u.login === login)
const shot = (page, name) => page.screenshot({ path: path.join(out, `${name}.png`) })

async function caseOf(login, name) {
  const { body } = await server.api(as(login), 'GET', '/api/cases')
  const id = body.cases.find(c => c.patient.name.includes(name)).id
  return (await server.api(as(login), 'GET', `/api/cases/${id}`)).body
}

async function image(page, login, name, file, act) {
  const c = await caseOf(login, name)
  await page.goto(`${server.url}/dossier/${c.id}/images/${c.series[0].seriesUID}`)
  if (c.series[0].kind === 'waveform') await byId(page, 'ecg-canvas').waitFor()
  else await page.waitForFunction(() => document.querySelector('[data-testid="viewer-canvas"]')?.dataset.state === 'full', null, { timeout: 60_000 })
  await act?.()
  await page.waitForTimeout(700)
  await shot(page, file)
}

try {
  const dispatcher = await person(chromium, server, as('a.cisse'), tablet)
  await byId(dispatcher, 'case-row').first().waitFor()
  await shot(dispatcher, 'liste-tablette')
  const radiologist = await person(chromium, server, as('m.kone'), tablet)
  await image(radiologist, 'm.kone', 'Fadimata', 'images-scanner')
  await image(radiologist, 'm.kone', 'Oumou', 'images-thorax')
  const ct = await caseOf('m.kone', 'Fadimata')
  await radiologist.goto(`${server.url}/dossier/${ct.id}`)
  await byId(radiologist, 'series-tile').first().waitFor()
  await radiologist.waitForTimeout(800)
  await shot(radiologist, 'dossier-tablette')

  const cardiologist = await person(chromium, server, as('s.traore'), tablet)
  await image(cardiologist, 's.traore', 'Moussa', 'ecg')
  await image(cardiologist, 's.traore', 'Mariam', 'images-echographie')

  const asker = await person(chromium, server, as('a.coulibaly'), tablet)
  await byId(asker, 'new-request').first().click()
  await byId(asker, 'request-form').waitFor()
  await byId(asker, 'field-name').fill('Nana KONATÉ')
  await byId(asker, 'field-sex-F').check({ force: true })
  await byId(asker, 'field-age').fill('35')
  await shot(asker, 'demande-tablette')
  const call = await caseOf('a.coulibaly', 'Moussa DOUMBIA')
  await asker.goto(`${server.url}/dossier/${call.id}`)
  await cardiologist.goto(`${server.url}/dossier/${call.id}`)
  await byId(asker, 'call-open').first().click()
  await byId(cardiologist, 'call-open').first().click()
  await byId(asker, 'call-tile').first().waitFor({ timeout: 30_000 })
  await asker.waitForTimeout(5000)
  await shot(asker, 'appel-tablette')

  const mobile = await person(chromium, server, as('f.keita'), phone)
  await byId(mobile, 'tab-waiting').click()
  await byId(mobile, 'case-row').first().waitFor()
  await shot(mobile, 'liste-telephone')
  await byId(mobile, 'case-row').first().click()
  await byId(mobile, 'case').waitFor()
  await mobile.waitForTimeout(800)
  await shot(mobile, 'dossier-telephone')

  // What carts sent: to the clinician's tray, to the dispatcher's, and twice under one UID.
  const kidneys = await caseOf('s.traore', 'Mariam'), lungs = await caseOf('m.kone', 'Oumou')
  const echo = await copyStudy(server, as('s.traore'), kidneys, folder, 1, { PatientName: 'CAMARA^ROKIA', PatientID: 'K-2231', PatientSex: 'F', PatientBirthDate: '19910512', StudyDescription: 'Échographie', StudyDate: '20261128', SpecificCharacterSet: 'ISO_IR 192' })
  const scan = await copyStudy(server, as('m.kone'), ct, folder, 6, { PatientName: 'DOUMBIA^MOUSSA', PatientID: 'K-2240', PatientSex: 'M', PatientBirthDate: '19680101', AccessionNumber: 'KAT-2026-9041', StudyDate: '20261129' })
  for (const files of [echo, scan]) await send(server, 'CART1', ...files)
  const chest = await copyStudy(server, as('m.kone'), lungs, folder, 1, { PatientName: 'SISSOKO^ADAMA', PatientID: '77', PatientSex: 'M', StudyDate: '20261129' })
  await send(server, 'VALISE', ...chest)
  execFileSync('dcmodify', ['-nb', '-i', 'PatientName=SISSOKO^ADAMA B', '-i', 'PatientSex=F', ...chest])
  await send(server, 'VALISE', ...chest)
  const receiver = await person(chromium, server, as('a.coulibaly'), tablet)
  await receiver.goto(`${server.url}/recus`)
  await receiver.waitForFunction(() => [...document.querySelectorAll('[data-testid="tray-picture"]')].filter(i => i.naturalWidth > 16).length === 2, null, { timeout: 30_000 })
  await shot(receiver, 'recus-tablette')
  await byId(receiver, 'tray-study').filter({ hasText: 'CAMARA' }).locator('[data-testid="tray-attach"]').click()
  await byId(receiver, 'attach-case').first().check({ force: true })
  await byId(receiver, 'attach-confirm').click()
  await byId(receiver, 'attach-contradicts').waitFor()
  await shot(receiver, 'rattacher-tablette')
  await receiver.setViewportSize(phone)
  await receiver.keyboard.press('Escape')
  await shot(receiver, 'recus-telephone')
  await receiver.setViewportSize(tablet)
  await receiver.goto(`${server.url}/dossier/${call.id}`)
  await byId(receiver, 'procedure-ask').click()
  await byId(receiver, 'procedure-modality').selectOption('CT')
  await byId(receiver, 'procedure-description').fill('Scanner thoracique sans injection')
  await byId(receiver, 'procedure-send').click()
  await byId(receiver, 'procedure-state').scrollIntoViewIfNeeded()
  await receiver.waitForTimeout(6500) // the word at the foot of the page goes
  await shot(receiver, 'examen-demande-tablette')
  await dispatcher.goto(`${server.url}/quarantaine`)
  await byId(dispatcher, 'quarantine-entry').waitFor()
  await shot(dispatcher, 'quarantaine-tablette')
  const admin = await person(chromium, server, as('m.sissoko'), tablet)
  await admin.goto(`${server.url}/administration`)
  await byId(admin, 'node-free').waitFor()
  await shot(admin, 'administration-serveur')
  await byId(admin, 'admin-dicom').click()
  await shot(admin, 'administration-dicom')
  console.log(`screens are in ${out}`)
} finally {
  await chromium.close()
  await server.remove()
  rmSync(folder, { recursive: true, force: true })
}
