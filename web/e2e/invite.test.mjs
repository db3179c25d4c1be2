// A person without an account is invited to the call of a case: a link that one
// browser may use once, the waiting room on a phone, let in, back after a reload
// and a cut of the link, put out for good. Who was never invited gets nowhere.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { generate } from '../ui/node_modules/lean-qr/index.mjs'
import { browser, phone, tablet } from './harness.mjs'
import { byId, clean, fits, linked, person, received, until } from './pages.mjs'

let server, chromium, road // road: the guest's link, which can be cut

before(async () => {
  ({ server, link: road } = await linked())
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  road?.close()
  await server?.remove()
})

const as = login => server.demo.users.find(u => u.login === login)
const patient = 'Nana KONATÉ'

/** Keeps a picture of the page where SIRA_SCREENS says so. */
async function look(page, name) {
  const out = process.env.SIRA_SCREENS
  if (!out) return
  mkdirSync(out, { recursive: true })
  await page.screenshot({ path: path.join(out, `${name}.png`) })
}

/** A phone of somebody without an account. */
async function stranger(origin = server.url) {
  const context = await chromium.newContext({ viewport: phone, isMobile: true, hasTouch: true, locale: 'fr-FR', permissions: ['microphone', 'camera'] })
  const page = await context.newPage()
  page.problems = []
  page.foreign = []
  page.asked = []
  page.on('pageerror', e => page.problems.push(String(e)))
  page.on('console', m => { if (m.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(m.text())) page.problems.push(m.text()) })
  page.on('request', r => {
    const u = new URL(r.url())
    if (/^https?:$/.test(u.protocol) && u.origin !== origin) page.foreign.push(r.url())
    page.asked.push(u.pathname + u.search)
  })
  return page
}

/** Presses « Inviter » and gives the link that is shown. */
async function invite(page, kind, name) {
  await byId(page, 'invite-open').last().click()
  if (await byId(page, 'invite-another').isVisible()) await byId(page, 'invite-another').click()
  await byId(page, `invite-${kind}`).check({ force: true })
  if (name) await byId(page, 'invite-name').fill(name)
  await byId(page, 'invite-make').click()
  return await byId(page, 'invite-link').inputValue()
}

const closeDialog = page => page.keyboard.press('Escape')
const phase = page => byId(page, 'call-panel').getAttribute('data-phase')

test('somebody without an account in a call', { timeout: 240_000 }, async t => {
  const id = crypto.randomUUID(), asker = as('a.coulibaly'), to = (await server.api(as('m.kone'), 'GET', '/api/session')).body.user.id
  const opened = await server.api(asker, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: patient, sex: 'F', age: { value: 27, unit: 'Y' } }, specialty: 'radiologie', urgency: 'U1', question: 'Présentation du fœtus ?', history: '',
    consent: { how: 'oral', by: 'La patiente', at: new Date().toISOString() }, to: [to] } }] })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const midwife = await person(chromium, server, asker, tablet), expert = await person(chromium, server, as('m.kone'), phone)
  for (const page of [midwife, expert]) await page.goto(`${server.url}/dossier/${id}`)
  await byId(midwife, 'call-open').first().click()
  await until('the clinician is in the call', async () => await phase(midwife) === 'joined')
  const guest = await stranger(road.url)
  await road.through(guest)
  let link
  const exchanged = [], admitted = []

  await t.test('« Inviter » shows a link and its code', async () => {
    link = await invite(midwife, 'patient')
    assert.match(link, new RegExp(`^${server.url}/invitation#[A-Za-z0-9_-]{43}$`))
    await fits(midwife, 'inviter')
    const shown = await byId(midwife, 'invite-qr').evaluate(c => ({ size: c.width, dark: [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0).map(v => (v < 128 ? 1 : 0)).join('') }))
    const code = generate(link)
    let want = ''
    for (let y = -3; y < code.size + 3; y++) for (let x = -3; x < code.size + 3; x++) want += code.get(x, y) ? 1 : 0
    assert.deepEqual([shown.size, shown.dark], [code.size + 6, want])
    assert.match(await byId(midwife, 'invite-made').textContent(), /La patiente.*une seule fois, sur un seul appareil, jusqu’au/s)
    await look(midwife, 'inviter-tablette')
    await closeDialog(midwife)
    await byId(expert, 'invite-open').first().click()
    await byId(expert, 'invite-row').waitFor()
    await byId(expert, 'invite-other').check({ force: true })
    await fits(expert, 'inviter, téléphone')
    await look(expert, 'inviter-telephone')
    await closeDialog(expert)
  })

  await t.test('the guest sees who invites, and nothing of the patient', async () => {
    const webview = await stranger() // of a messenger: it shows the link and has no microphone
    await webview.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }))
    await webview.goto(link)
    assert.match(await byId(webview, 'guest-unable').textContent(), /pas encore utilisé/)
    assert.equal(await byId(webview, 'guest-enter').count(), 0)
    await webview.context().close()
    await guest.goto(link.replace(server.url, road.url))
    await byId(guest, 'guest-enter').waitFor()
    const text = await byId(guest, 'guest').textContent()
    assert.match(text, /Dr.*Coulibaly vous invite à un appel vidéo/i)
    assert.match(text, /micro et la caméra/)
    assert.doesNotMatch(text, /KONATÉ|Konaté|fœtus/)
    await fits(guest, 'invitation')
    await look(guest, 'invitation-telephone')
  })

  await t.test('waits until somebody lets them in', async () => {
    guest.on('response', res => { if (res.url().endsWith('/api/guest/call') && res.request().method() === 'POST') exchanged.push(res.status()) })
    guest.on('websocket', ws => ws.on('framereceived', f => { const m = JSON.parse(f.payload); if (m.type === 'admitted') admitted.push(!!m.joined) }))
    await byId(guest, 'guest-enter').click()
    await until('the guest waits', async () => await phase(guest) === 'waiting')
    assert.match(await byId(guest, 'call-status').textContent(), /On va vous faire entrer/)
    await fits(guest, 'salle d’attente')
    await look(guest, 'salle-attente-telephone')
    for (const page of [midwife, expert]) { // one in the call, the other with the case open
      await byId(page, 'door-guest').waitFor()
      assert.match(await byId(page, 'door').textContent(), /La patiente attend/)
      await fits(page, 'quelqu’un attend')
    }
    await look(midwife, 'attend-tablette')
    await look(expert, 'attend-telephone')
    await guest.waitForTimeout(12_000) // longer than a WebSocket that says nothing is believed
    assert.equal(await phase(guest), 'waiting')
    await byId(midwife, 'door-admit').click()
    await until('the guest is in', async () => await phase(guest) === 'joined')
    assert.deepEqual([exchanged, admitted], [[202], [true]], 'the offer was left at the door')
    for (const page of [midwife, expert]) await byId(page, 'door-guest').waitFor({ state: 'detached' })
  })

  const hearsAndSees = what => until(what, async () => {
    const a = await received(guest), b = await received(midwife)
    return a.audioPackets > 20 && a.audioEnergy > 0 && a.videoFrames > 5 && b.audioPackets > 20 && b.videoFrames > 5
  })

  await t.test('hears and sees, and is heard and seen', async () => {
    await hearsAndSees('both hear and see')
    assert.match(await byId(midwife, 'call-tile').first().textContent(), /La patiente · sur invitation/)
    assert.equal(await byId(guest, 'call-freeze').count() + await byId(guest, 'call-guide').count() + await byId(guest, 'invite-open').count(), 0)
    await fits(guest, 'appel d’un invité')
    await look(guest, 'appel-invite-telephone')
    await look(midwife, 'appel-invite-tablette')
  })

  await t.test('sees the picture before all, and no other file', async () => {
    await byId(midwife, 'call-freeze-own').click()
    await byId(guest, 'still-image').waitFor({ timeout: 30_000 })
    assert.equal(await byId(guest, 'still-draw').count() + await byId(guest, 'still-close').count(), 0)
    await until('the picture is there', () => byId(guest, 'still-image').evaluate(i => i.naturalWidth === 640))
    await look(guest, 'image-figee-invite-telephone')
    const still = (await server.api(asker, 'GET', `/api/cases/${id}`)).body.files[0].id
    const tried = await guest.evaluate(async ([id, still]) => Promise.all([`/api/cases/${id}`, `/api/cases/${id}/attachments/${still}`, `/api/cases/${id}/events`, '/api/cases', '/api/directory', '/api/session', `/api/guest/stills/${still}`]
      .map(async url => (await fetch(url)).status)), [id, still])
    assert.deepEqual(tried, [401, 401, 401, 401, 401, 401, 200])
    await byId(midwife, 'still-close').click()
    await byId(guest, 'still-image').waitFor({ state: 'detached' })
    assert.equal(await guest.evaluate(async still => (await fetch(`/api/guest/stills/${still}`)).status, still), 404)
  })

  await t.test('is still in after a reload', async () => {
    await guest.reload()
    await until('in again', async () => await byId(guest, 'call-panel').count() && await phase(guest) === 'joined')
    assert.equal(await byId(midwife, 'door-guest').count(), 0)
    assert.deepEqual(exchanged, [202, 200], 'in by one exchange')
    await hearsAndSees('both hear and see after the reload')
  })

  await t.test('is still in after the link was cut', async () => {
    await guest.evaluate(() => { window.__siraCall.pc.mark = 'the first' })
    road.set('down')
    await until('the guest sees it', async () => await phase(guest) === 'lost')
    await midwife.locator('[data-testid="call-tile"][data-away]').waitFor({ timeout: 60_000 })
    road.set('up')
    await until('in again', async () => await phase(guest) === 'joined')
    await until('the clinician sees it', async () => await midwife.locator('[data-testid="call-tile"][data-away]').count() === 0)
    assert.equal(await guest.evaluate(() => window.__siraCall.pc.mark), 'the first', 'another peer connection')
    assert.equal(await byId(midwife, 'door-guest').count(), 0)
    const before = await received(guest)
    await until('sound goes on', async () => (await received(guest)).audioPackets > before.audioPackets + 20)
  })

  await t.test('a second browser is refused', async () => {
    const other = await stranger()
    await other.goto(link)
    assert.match(await byId(other, 'guest-problem').textContent(), /déjà servi sur un autre appareil/)
    assert.equal(await byId(other, 'guest-enter').count(), 0)
    await fits(other, 'lien déjà utilisé')
    await look(other, 'lien-utilise-telephone')
    assert.equal(await phase(guest), 'joined')
    await other.context().close()
  })

  await t.test('put out, the guest cannot come back', async () => {
    await byId(midwife, 'guest-out').click()
    await fits(midwife, 'faire sortir')
    await look(midwife, 'faire-sortir-tablette')
    await byId(midwife, 'guest-out-yes').click()
    await byId(guest, 'guest-over').waitFor()
    assert.equal(await byId(guest, 'guest-over').getAttribute('data-code'), 'removed')
    assert.equal(await byId(guest, 'guest-again').count(), 0)
    await look(guest, 'sorti-telephone')
    for (const go of [() => guest.reload(), () => guest.goto('about:blank').then(() => guest.goto(link.replace(server.url, road.url)))]) {
      await go()
      assert.match(await byId(guest, 'guest-problem').textContent(), /Cette invitation a pris fin/)
    }
    assert.equal(await guest.evaluate(() => new Promise(done => {
      const ws = new WebSocket(`ws://${location.host}/api/guest/call`)
      ws.onopen = () => done('open')
      ws.onerror = () => done('refused')
    })), 'refused')
    await until('the clinician is alone', async () => await byId(midwife, 'call-tile').filter({ hasText: 'invitation' }).count() === 0)
  })

  await t.test('a link is taken back, another guest refused; each is told so', async () => {
    const back = await invite(midwife, 'other', 'Moussa, le mari')
    await byId(midwife, 'invite-row').filter({ hasText: 'Moussa' }).locator('[data-testid="invite-take-back"]').click()
    await byId(midwife, 'invite-form').waitFor() // what was shown is worth nothing any more
    await closeDialog(midwife)
    const late = await stranger()
    await late.goto(back)
    assert.match(await byId(late, 'guest-problem').textContent(), /a été reprise/)
    await late.goto('about:blank')
    await late.goto(await invite(midwife, 'other', 'Dr Ali Cissé'))
    await closeDialog(midwife)
    await byId(late, 'guest-enter').click()
    await byId(expert, 'door-guest').waitFor()
    await byId(late, 'call-hangup').click() // does not want to wait
    assert.equal(await byId(late, 'guest-over').getAttribute('data-code'), 'left')
    await byId(expert, 'door-guest').waitFor({ state: 'detached' })
    await byId(late, 'guest-again').click()
    await byId(expert, 'door-refuse').click()
    await byId(late, 'guest-over').waitFor()
    assert.equal(await byId(late, 'guest-over').getAttribute('data-code'), 'refused')
    await late.context().close()
  })

  await t.test('who was never invited gets nowhere', async () => {
    const nobody = await stranger()
    await nobody.goto(`${server.url}/invitation`)
    assert.match(await byId(nobody, 'guest-problem').textContent(), /Ouvrez le lien que vous avez reçu/)
    await nobody.goto('about:blank')
    await nobody.goto(`${server.url}/invitation#${'A'.repeat(43)}`)
    assert.match(await byId(nobody, 'guest-problem').textContent(), /n’existe pas/)
    for (const at of ['/api/guest/call', `/api/calls/${id}`]) {
      assert.equal(await nobody.evaluate(at => new Promise(done => {
        const ws = new WebSocket(`ws://${location.host}${at}`)
        ws.onopen = () => done('open')
        ws.onerror = () => done('refused')
      }), at), 'refused', at)
    }
    await nobody.goto(`${server.url}/dossier/${id}`)
    await byId(nobody, 'login-form').waitFor()
    clean(nobody, 'nobody')
    await nobody.context().close()
  })

  await t.test('all of it is on record, and no secret or name is in an address or a log', async () => {
    const { entries } = (await server.api(asker, 'GET', `/api/cases/${id}/access`)).body
    const told = entries.map(e => `${e.by.name} ${e.action} ${e.outcome} ${e.detail ?? ''}`.trim()).join('\n')
    for (const line of ['call-invite ok La patiente', 'La patiente (sur invitation) call-use-link ok', 'La patiente (sur invitation) call-wait ok', 'call-admit ok La patiente',
      'La patiente (sur invitation) call-join ok', 'La patiente (sur invitation) view-image ok', 'call-put-out ok La patiente', 'La patiente (sur invitation) call-use-link denied',
      'call-uninvite ok Moussa, le mari', 'call-refuse ok Dr Ali Cissé']) assert.ok(told.includes(line), `${line}\n${told}`)
    const secret = link.split('#')[1]
    for (const word of [secret, patient, 'Moussa', 'La patiente']) assert.ok(!server.log.includes(word), `the log holds ${word}`)
    for (const url of guest.asked) assert.ok(!url.includes(secret) && !/KONAT/i.test(decodeURIComponent(url)), url)
  })
  for (const [page, who] of [[midwife, 'clinician'], [expert, 'specialist'], [guest, 'guest']]) clean(page, who)
})
