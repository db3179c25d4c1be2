// Every screen on a tablet and on a phone: nothing runs out of the page, targets
// are large enough for a thumb, a keyboard alone is enough, two experts who
// answer at once are both told the truth.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { browser, phone, Server, tablet } from './harness.mjs'
import { byId, clean, fits, person } from './pages.mjs'

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

async function caseOf(login, name) {
  const { body } = await server.api(as(login), 'GET', '/api/cases')
  const found = body.cases.find(c => c.patient.name.includes(name))
  assert.ok(found, `${login} does not see the case of ${name}`)
  return (await server.api(as(login), 'GET', `/api/cases/${found.id}`)).body
}

for (const [device, viewport] of [['tablet', tablet], ['phone', phone]]) {
  test(`all screens on a ${device}`, { timeout: 180_000 }, async () => {
    const page = await person(chromium, server, as('m.kone'), viewport)
    await byId(page, 'case-row').first().waitFor()
    await fits(page, 'Ma liste')
    const ct = await caseOf('m.kone', 'Fadimata')
    await page.goto(`${server.url}/dossier/${ct.id}`)
    await byId(page, 'series-tile').first().waitFor()
    await fits(page, 'Le dossier')
    await page.goto(`${server.url}/dossier/${ct.id}/images/${ct.series[0].seriesUID}`)
    await page.waitForFunction(() => document.querySelector('[data-testid="viewer-canvas"]')?.dataset.state === 'full', null, { timeout: 60_000 })
    await fits(page, 'Images')
    const asker = await person(chromium, server, as('a.coulibaly'), viewport)
    await byId(asker, 'new-request').first().click()
    await byId(asker, 'request-form').waitFor()
    await fits(asker, 'Nouvelle demande')
    clean(page, 'radiologist')
    clean(asker, 'clinician')
  })
}

test('a keyboard alone opens a case and its images', { timeout: 120_000 }, async () => {
  const context = await chromium.newContext({ viewport: tablet, locale: 'fr-FR' })
  const page = await context.newPage()
  await page.goto(server.url)
  await byId(page, 'login-name').focus()
  await page.keyboard.type(as('m.kone').login)
  await page.keyboard.press('Tab')
  await page.keyboard.type(as('m.kone').password)
  await page.keyboard.press('Enter')
  await byId(page, 'case-row').first().waitFor()
  const tabTo = async selector => {
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(s => !!document.activeElement?.closest(s) || !!document.activeElement?.querySelector?.(s), selector)) return
    }
    throw new Error(`80 tabs never reached ${selector}`)
  }
  await tabTo('[data-testid="case-row"]')
  const ring = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' })
  assert.ok(ring, 'the focus is not visible')
  await page.keyboard.press('Enter')
  await byId(page, 'case').waitFor()
  const ct = await caseOf('m.kone', 'Fadimata')
  await page.goto(`${server.url}/dossier/${ct.id}`)
  await byId(page, 'series-tile').first().waitFor()
  await tabTo('[data-testid="open-images"], [data-testid="series-tile"]')
  await page.keyboard.press('Enter')
  await byId(page, 'viewer-canvas').waitFor()
  await page.waitForFunction(() => document.querySelector('[data-testid="viewer-canvas"]').dataset.state === 'full', null, { timeout: 60_000 })
  const at = Number(await byId(page, 'viewer-canvas').getAttribute('data-slice'))
  await page.keyboard.press('ArrowDown')
  await page.waitForFunction(n => Number(document.querySelector('[data-testid="viewer-canvas"]').dataset.slice) === n + 1, at)
  const inverted = byId(page, 'viewer-invert')
  await page.keyboard.press('i')
  await page.waitForFunction(() => document.querySelector('[data-testid="viewer-invert"]').getAttribute('aria-pressed') === 'true')
  assert.equal(await inverted.getAttribute('aria-pressed'), 'true')
})

test('of two experts who answer at once one wins and the other keeps the text', { timeout: 120_000 }, async () => {
  const asker = as('a.coulibaly'), people = (await server.api(asker, 'GET', '/api/directory')).body.specialists
  const to = people.filter(p => p.specialties.includes('radiologie')).map(p => p.id)
  assert.equal(to.length, 2)
  const id = crypto.randomUUID()
  const opened = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: 'Lassana SIDIBÉ', sex: 'M', age: { value: 51, unit: 'Y' } }, specialty: 'radiologie', urgency: 'U1', question: 'Pneumothorax ?', history: '',
    consent: { how: 'oral', by: 'Le patient', at: new Date().toISOString() }, to } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const pages = []
  for (const login of ['m.kone', 'a.dembele']) {
    const page = await person(chromium, server, as(login), tablet)
    await page.goto(`${server.url}/dossier/${id}`)
    await byId(page, 'opinion-conclusion-field').fill(`Avis de ${login}`)
    await byId(page, 'opinion-review').click()
    await byId(page, 'opinion-sign').waitFor()
    pages.push(page)
  }
  await Promise.all(pages.map(p => byId(p, 'opinion-sign').click()))
  const outcome = await Promise.all(pages.map(async p => {
    await p.waitForFunction(() => document.querySelector('[data-testid="opinion-conflict"]') || document.querySelector('[data-testid="opinion"]'), null, { timeout: 30_000 })
    await p.waitForTimeout(1000)
    return await byId(p, 'opinion-conflict').count() > 0 ? 'told' : 'won'
  }))
  assert.deepEqual(outcome.sort(), ['told', 'won'])
  const loser = await byId(pages[0], 'opinion-conflict').count() ? pages[0] : pages[1]
  assert.match(await byId(loser, 'opinion-conclusion-field').inputValue(), /Avis de/)
  await byId(loser, 'opinion-as-message').click()
  await byId(loser, 'message').filter({ hasText: 'Avis de' }).waitFor({ timeout: 30_000 })
  const { body } = await server.api(asker, 'GET', `/api/cases/${id}`)
  assert.equal(body.opinions.length, 1)
})
