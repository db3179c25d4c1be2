// What a call was like: in the call a word for each one's link and whose it is,
// beside it the last minutes drawn, through a link that is cut meanwhile; then
// the true numbers in the record, for administrators and at /metrics.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { phone, tablet } from './harness.mjs'
import { byId, callers, clean, enter, fits, person, received, until } from './pages.mjs'

const outage = 9000 // ms

async function shot(page, name) {
  if (!process.env.SIRA_SCREENS) return
  mkdirSync(process.env.SIRA_SCREENS, { recursive: true })
  await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, `${name}.png`) })
}

/** The reports that the page sends of its call. */
function reports(page) {
  const all = []
  page.on('websocket', ws => {
    if (ws.url().includes('/api/calls/')) ws.on('framesent', f => { const m = JSON.parse(f.payload); if (m.type === 'report') all.push(m) })
  })
  return all
}

/** A metric's value. */
async function metric(server, name) {
  const text = (await server.api(server.user('admin'), 'GET', '/metrics')).body
  return text.split('\n').filter(l => l.startsWith(name + ' ') || l.startsWith(name + '{')).map(l => Number(l.split(' ').at(-1))).reduce((a, b) => a + b, 0)
}

const charts = person => person.evaluate(section => [...section.querySelectorAll('svg[role=img]')].map(s => ({
  id: s.dataset.testid, label: s.getAttribute('aria-label'), width: s.getBoundingClientRect().width,
  drawn: [...s.querySelectorAll('path')].filter(p => (p.getAttribute('d') ?? '').length > 40).length, outages: s.querySelectorAll('[data-testid=mark-outage]').length,
})))

test('a call is measured for those in it and for those who ask later', { timeout: 300_000 }, async t => {
  const who = server => ['a.coulibaly', 'm.kone'].map(login => server.demo.users.find(u => u.login === login))
  const { server, link, chromium, id, users: [, specialist], pages: [midwife, expert] } = await callers(t, 'Nana KONATÉ', { through: true, who })
  const told = reports(expert)
  for (const page of [midwife, expert]) await enter(page, id)
  for (const page of [midwife, expert]) await until('sound and picture', async () => { const r = await received(page); return r.audioPackets > 50 && r.videoFrames > 5 })

  await t.test('each sees a word for each link', async () => {
    for (const page of [midwife, expert]) {
      await page.locator('[data-testid="call-link"][data-link="good"]').first().waitFor({ timeout: 30_000 })
      assert.match(await byId(page, 'call-link').first().innerText(), /bon/)
      await page.locator('[data-testid="call-quality"][data-link="good"]').waitFor()
      assert.match(await byId(page, 'call-quality').innerText(), /Vous : bon/)
      assert.equal(await byId(page, 'call-whose').count(), 0, 'nobody is to blame')
    }
    await shot(expert, 'appel-signe')
  })

  await t.test('the browser reports what it heard', async () => {
    await until('a report with ten seconds of speech', () => told.some(r => r.voice >= 8 && r.usable >= 7))
    const r = told.at(-1)
    assert.ok(r.firstAudioMs > 0 && r.firstAudioMs < 20_000 && r.firstVideoMs > 0 && r.width > 0 && r.fps > 0, JSON.stringify(r))
    assert.ok(JSON.stringify(r).length < 250, 'few bytes')
    t.diagnostic(JSON.stringify(r))
  })

  await t.test('the last minutes are drawn while the other is cut', async t => {
    await byId(expert, 'call-quality').click()
    await byId(expert, 'call-record').click()
    await expert.locator('[data-testid="record"][data-people="2"]').waitFor()
    link.set('silent')
    await expert.locator('[data-testid="call-whose"]').waitFor({ timeout: 30_000 })
    const blame = await byId(expert, 'call-whose').innerText()
    await new Promise(r => setTimeout(r, outage - 4000))
    link.set('up')
    assert.match(blame, /La liaison de .*Coulibaly est coupée. La vôtre tient./)
    await until('it is over', async () => await byId(expert, 'call-whose').count() === 0)
    const hers = expert.locator('[data-testid="record-person"]', { hasText: 'Coulibaly' }), his = expert.locator('[data-testid="record-person"]', { hasText: 'Koné' })
    await until('the outage is drawn', async () => (await charts(hers)).every(c => c.outages === 1))
    for (const [who, outages] of [[hers, 1], [his, 0]]) {
      const drawn = await charts(who)
      assert.deepEqual(drawn.map(c => c.id), ['chart-rate', 'chart-delay'])
      for (const c of drawn) assert.ok(c.width > 250 && c.outages === outages && c.label.length > 20, JSON.stringify(c))
      assert.ok(drawn[0].drawn >= 3, `voice, pictures, what arrived and what it carries: ${JSON.stringify(drawn[0])}`)
    }
    await byId(expert, 'record-up').click()
    const up = (await charts(hers))[0]
    assert.ok(/^Débit de/.test(up.label) && up.drawn >= 2, JSON.stringify(up))
    await shot(expert, 'mesures-envoi')
    await byId(expert, 'record-down').click()
    await fits(expert, 'Mesures')
    await shot(expert, 'mesures-tablette')
    assert.match(await byId(hers, 'record-reasons').innerText(), /1 coupure \(/)
    await hers.locator('[data-testid="record-table-open"]').click()
    await until('a table with numbers', async () => (await byId(hers, 'record-table').locator('tbody tr').count()) >= 3)
    assert.match(await byId(hers, 'record-table').innerText(), /coupure/)
    await shot(expert, 'mesures-tableau')
    await hers.locator('[data-testid="record-figures-open"]').click()
    assert.match(await byId(hers, 'figures').innerText(), /Parole utile/)
    await hers.scrollIntoViewIfNeeded()
    await shot(expert, 'mesures-chiffres')
    await expert.setViewportSize(phone)
    await fits(expert, 'Mesures, téléphone')
    await shot(expert, 'mesures-telephone')
    await expert.setViewportSize(tablet)
  })

  const admin = await person(chromium, server, server.user('admin'), tablet)
  await t.test('an administrator sees who and how, not about whom', async () => {
    await byId(admin, 'admin-link').click()
    await byId(admin, 'admin-calls').click()
    const row = byId(admin, 'calls-now').locator('[data-testid="call-row"]')
    await row.waitFor()
    assert.match(await row.innerText(), /Coulibaly/)
    await shot(admin, 'mesures-administration')
    await byId(row, 'call-see').click()
    await admin.locator('[data-testid="record"][data-people="2"]').waitFor()
    assert.ok(!admin.url().includes(id) && !/KONATÉ/.test(await admin.locator('body').innerText()), 'no patient')
    await fits(admin, 'Mesures, administration')
    await shot(admin, 'mesures-administration-appel')
    await admin.setViewportSize(phone)
    await fits(admin, 'Mesures, administration, téléphone')
    await admin.goBack()
    await byId(admin, 'admin-calls').click()
    await byId(admin, 'call-row').first().waitFor()
    await fits(admin, 'Appels, téléphone')
    await shot(admin, 'mesures-administration-telephone')
    await admin.setViewportSize(tablet)
  })

  await t.test('the numbers stay with the act, and at /metrics', async t => {
    const bytes = await metric(server, 'sira_call_bytes_total')
    await expert.goBack()
    for (const page of [midwife, expert]) await byId(page, 'call-hangup').click()
    await byId(expert, 'call-sum').waitFor({ timeout: 30_000 })
    const line = (await byId(expert, 'call-sum').innerText()).replaceAll('\u00a0', ' '), c = (await server.api(specialist, 'GET', `/api/cases/${id}`)).body
    const left = c.timeline.filter(x => x.type === 'call-left'), all = left.at(-1).call.all
    t.diagnostic(line)
    t.diagnostic(JSON.stringify(all))
    assert.equal(left.length, 2)
    assert.equal(left.filter(x => x.call.all).length, 1)
    assert.match(line, /^Appel de \d+ (s|min), parole utile \d+ %, 1 coupure de \d+ s\. Détails/)
    const hers = left.find(x => /Coulibaly/.test(x.by.name)).call.own, his = left.find(x => /Koné/.test(x.by.name)).call.own
    assert.ok(hers.outages === 1 && hers.outageMs > outage - 2000 && hers.outageMs < outage + 15_000 && his.outages === 0, JSON.stringify(hers))
    assert.equal(all.outageMs, hers.outageMs)
    for (const f of [hers, his]) assert.ok(f.seconds > 15 && f.voice > 10 && f.usable > 5 && f.usable <= f.voice && f.firstAudioMs > 0 && f.firstVideoMs > 0 && f.down.voice > 10_000 && f.down.picture > 10_000 && f.up.voice > 10_000 && f.path === 'udp', JSON.stringify(f))
    // Each lost some of the other's speech to the cut, and little else.
    assert.ok(his.voice - his.usable >= 3 && his.usable >= his.voice - (hers.outageMs / 1000 + 8), JSON.stringify(his))
    await byId(expert, 'call-sum-open').click()
    await byId(expert, 'call-details').waitFor()
    assert.equal(await byId(expert, 'figures').count(), 2)
    await byId(expert, 'call-sum').scrollIntoViewIfNeeded()
    await fits(expert, 'Le dossier après l’appel')
    await shot(expert, 'appel-ligne')
    await byId(admin, 'calls-past').locator('[data-testid="call-row"]').waitFor({ timeout: 30_000 })
    assert.equal(await metric(server, 'sira_calls_total'), 1)
    assert.equal(await metric(server, 'sira_call_outages_total'), 1)
    assert.equal(await metric(server, 'sira_call_usable_speech_ratio_count'), 2)
    assert.equal(await metric(server, 'sira_call_first_audio_seconds_count'), 2)
    assert.equal(await metric(server, 'sira_call_bytes_total') - bytes, [hers, his].flatMap(f => [...Object.values(f.up), ...Object.values(f.down)]).reduce((a, b) => a + b, 0))
  })

  clean(expert, 'expert')
  clean(admin, 'administrator')
  assert.deepEqual(midwife.problems, [], 'midwife: errors in the page')
})
