// Takes the pictures of docs/screens with the demo's data: `make screens`.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { browser, phone, root, Server, tablet } from './harness.mjs'
import { byId, person } from './pages.mjs'

const out = process.env.SIRA_SCREENS ?? path.join(root, 'docs/screens')
mkdirSync(out, { recursive: true })
const server = await new Server().start()
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
  console.log(`screens are in ${out}`)
} finally {
  await chromium.close()
  await server.remove()
}
