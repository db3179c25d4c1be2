// What leaves a case: key images marked in the viewer, the whole case for the
// patient, and images without identity after a person has looked at them; read
// back with tools that are not ours.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { browser, corpus, Server, tablet } from './harness.mjs'
import { byId, clean, fillRequest, person, until } from './pages.mjs'

const real = corpus()
let server, chromium, folder

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sira-export-'))
  server = await new Server().start()
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await server?.remove()
  if (!process.env.SIRA_E2E_KEEP) rmSync(folder, { recursive: true, force: true })
})

const request = {
  name: 'Ƴaabu ƊIALLO-Ñamɛ', sex: 'F', age: 42, specialty: 'radiologie', urgency: 'U1', to: 'Moussa Koné', consentBy: 'La patiente',
  question: 'Kyste hépatique de Madame Diallo ?', history: 'Douleur de l’hypochondre droit.',
}
// Two ultrasounds (a JPEG cine that says where its image lies, a still that does
// not), an ECG, a PDF in DICOM, a photo.
const files = ['pydicom/examples_ybr_color.dcm', 'wg04/US1_UNC.dcm', 'ecg/Example.dcm', 'misc/encapsulated_pdf.dcm', 'photo/phone_VL1.jpg']
const identities = ['CompressedSamples', '13US1', 'Ƴaabu', 'DIALLO', 'ƊIALLO', 'hypochondre', 'Kyste', 'Koné', 'Coulibaly', 'KAT-']

const walk = dir => readdirSync(dir, { withFileTypes: true }).flatMap(e => e.isDirectory() ? walk(path.join(dir, e.name)) : [path.join(dir, e.name)])
const dump = (f, ...tags) => execFileSync('dcmdump', ['-q', ...tags.flatMap(t => ['+P', t]), f], { encoding: 'utf8', maxBuffer: 1 << 26 })
const value = (f, tag) => /\[(.*?)\]/.exec(dump(f, tag).split('\n')[0])?.[1] ?? ''

/** Clicks the download through and unpacks what came. */
async function fetched(page, name) {
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), byId(page, 'export-run').click()])
  const zip = path.join(folder, `${name}.zip`), dir = path.join(folder, name)
  await download.saveAs(zip)
  await page.waitForFunction(() => document.querySelector('[data-testid="export-progress"]')?.dataset.state === 'done', null, { timeout: 30_000 })
  await shot(page, `${name}-envoyé`)
  execFileSync('unzip', ['-q', zip, '-d', dir])
  return { dir, zip, file: download.suggestedFilename(), dicom: walk(path.join(dir, 'DICOM')) }
}

/** The directory and every object, by dcmtk; reports and selections by dciodvfy. */
function readable({ dir, dicom }) {
  const listed = dump(path.join(dir, 'DICOMDIR'), 'ReferencedFileID').split('\n').map(l => /\[(.*?)\]/.exec(l)?.[1]).filter(Boolean)
  assert.deepEqual(listed.map(f => path.join(dir, f.replaceAll('\\', '/'))).sort(), [...dicom].sort(), 'DICOMDIR and files differ')
  for (const f of [path.join(dir, 'DICOMDIR'), ...dicom]) assert.match(execFileSync('dcmftest', [f], { encoding: 'utf8' }), /^yes/)
  for (const f of dicom.filter(f => /1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\.|KeyObject|SRStorage/.test(dump(f, '0008,0016')))) {
    const said = spawnSync('dciodvfy', [f], { encoding: 'utf8' })
    assert.deepEqual((said.stderr + said.stdout).split('\n').filter(l => /^Error/.test(l)), [], `dciodvfy: ${f}`)
  }
}

const of = (dicom, modality) => dicom.filter(f => value(f, '0008,0060') === modality)

async function shot(page, name) {
  if (process.env.SIRA_E2E_KEEP) await page.screenshot({ path: path.join(process.env.SIRA_E2E_KEEP, `${name}.png`) })
}

/** Chooses images without identity and fills in all but what must be looked at. */
async function anonymous(page, to) {
  await byId(page, 'do-export').click()
  await page.locator('[data-testid="dialog-export"][open]').waitFor()
  await byId(page, 'export-anonymous').check({ force: true })
  await byId(page, 'export-to').fill(to)
  await byId(page, 'export-why').selectOption({ index: 1 })
  await byId(page, 'export-group').first().waitFor({ timeout: 60_000 })
}

/** Looks at all images of the group that still waits; fn may change its masks. */
async function lookAt(page, fn = async () => {}) {
  await page.locator('[data-testid="export-group"][data-state="look"] [data-testid="export-open"]').first().click()
  const masks = byId(page, 'masks')
  await masks.waitFor()
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="masks"]').dataset.seen) >= 1, null, { timeout: 30_000 })
  await fn()
  if (await masks.getAttribute('data-total') !== '1') {
    assert.equal(await byId(page, 'masks-confirm').isDisabled(), true, 'a cine may leave before all of it was seen')
    await byId(page, 'masks-play').click()
  }
  await page.waitForFunction(() => { const m = document.querySelector('[data-testid="masks"]'); return m.dataset.seen === m.dataset.total }, null, { timeout: 60_000 })
  await byId(page, 'masks-confirm').click()
  await byId(page, 'dialog-export').waitFor()
}

test('what leaves a case', { timeout: 600_000, skip: !real && 'NOT RUN: no corpus' }, async t => {
  const asker = await person(chromium, server, server.demo.users.find(u => u.login === 'a.coulibaly'), tablet)
  const expert = await person(chromium, server, server.demo.users.find(u => u.login === 'm.kone'), tablet)
  let id, first

  await t.test('a case with real files', async () => {
    await fillRequest(asker, request)
    await byId(asker, 'file-input').setInputFiles(files.map(f => path.join(real, f)))
    await byId(asker, 'request-send').click()
    await byId(asker, 'case').waitFor({ timeout: 60_000 })
    id = /dossier\/([0-9a-f-]+)/.exec(asker.url())[1]
    const user = server.demo.users.find(u => u.login === 'a.coulibaly')
    await until('all files are in', async () => {
      const { body } = await server.api(user, 'GET', `/api/cases/${id}`)
      return body.series.length === 4 && body.files.length === 1
    }, 120_000)
  })

  await t.test('the expert marks a key image with K, takes it back, marks it again; the asker sees it', async () => {
    await expert.goto(`${server.url}/dossier/${id}`)
    await byId(expert, 'case').waitFor()
    await expert.locator('[data-testid="series-tile"][data-modality="US"]').filter({ hasText: '30 images' }).locator('a').click()
    await expert.waitForFunction(() => document.querySelector('[data-testid="viewer-canvas"]')?.dataset.state === 'full', null, { timeout: 60_000 })
    for (let n = 2; n <= 5; n++) {
      await expert.keyboard.press('ArrowDown')
      await byId(expert, 'viewer-slice').filter({ hasText: `${n} / 30` }).waitFor()
    }
    const mark = byId(expert, 'viewer-key')
    await mark.waitFor()
    await expert.keyboard.press('k')
    await expert.waitForFunction(() => document.querySelector('[data-testid="viewer-key"]').dataset.key === 'yes')
    await shot(expert, 'visionneuse-clé')
    await byId(expert, 'undo').click()
    await expert.waitForFunction(() => document.querySelector('[data-testid="viewer-key"]').dataset.key === 'no')
    await byId(expert, 'viewer-key-toggle').click()
    await expert.waitForFunction(() => document.querySelector('[data-testid="viewer-key"]').dataset.key === 'yes')
    const there = byId(asker, 'key-image') // without reloading
    await there.waitFor({ timeout: 30_000 })
    assert.equal(await there.count(), 1)
    await there.locator('a').click()
    await asker.waitForFunction(() => document.querySelector('[data-testid="viewer-key"]')?.dataset.key === 'yes', null, { timeout: 60_000 })
    assert.equal(await byId(asker, 'viewer-slice').textContent(), '5 / 30')
    await byId(asker, 'viewer-back').click()
    await byId(expert, 'viewer-back').click()
  })

  await t.test('the expert signs an opinion', async () => {
    const user = server.demo.users.find(u => u.login === 'm.kone')
    const r = await server.api(user, 'POST', `/api/cases/${id}/events`, { events: [{ id: crypto.randomUUID(), type: 'opinion-given', at: new Date().toISOString(),
      data: { findings: 'Kyste simple de 3 cm.', conclusion: 'Kyste hépatique biliaire banal.', advice: 'Contrôle à un an.' } }] })
    assert.equal(r.status, 200)
    await asker.locator('.opinion-card').first().waitFor({ timeout: 30_000 })
    await shot(asker, 'dossier-clés')
  })

  await t.test('the whole case, for the patient', async () => {
    await byId(asker, 'do-export').click()
    await byId(asker, 'export-holds').waitFor({ timeout: 60_000 })
    await byId(asker, 'export-run').click()
    await byId(asker, 'export-problem').waitFor() // to whom?
    await byId(asker, 'export-to').fill('La patiente')
    await shot(asker, 'export-complet')
    const out = await fetched(asker, 'complet')
    readable(out)
    assert.doesNotMatch(out.file, /diallo/i)
    assert.equal(out.dicom.length, 6) // two US, ECG, PDF, SR, KO
    assert.match(dump(of(out.dicom, 'SR')[0], '0040,a160'), /Kyste hépatique biliaire banal/)
    const key = of(out.dicom, 'KO')[0]
    const cine = of(out.dicom, 'US').find(f => value(f, '0028,0008') === '30')
    assert.match(dump(key, '0008,1155'), new RegExp(value(cine, '0008,0018').replaceAll('.', '\\.')))
    assert.match(dump(key, '0008,1160'), /\[5\]/)
    const page = readFileSync(path.join(out.dir, 'INDEX.HTM'), 'utf8')
    for (const words of [request.name, request.question, 'Kyste hépatique biliaire banal.', 'Moussa Koné', 'FICHIERS/']) assert.ok(page.includes(words), `INDEX.HTM lacks ${words}`)
    assert.ok(statSync(path.join(out.dir, 'FICHIERS', readdirSync(path.join(out.dir, 'FICHIERS'))[0])).size > 10_000)
    assert.deepEqual(readFileSync(of(out.dicom, 'ECG')[0]), readFileSync(path.join(real, 'ecg/Example.dcm')), 'an original changed on its way')
    await byId(asker, 'export-close').click()
  })

  await t.test('images without identity, after a person has looked', async () => {
    await anonymous(asker, 'Faculté de médecine')
    await shot(asker, 'export-anonyme')
    assert.equal(await byId(asker, 'export-group').count(), 2)
    await byId(asker, 'export-run').click()
    await byId(asker, 'export-problem').waitFor() // not looked yet
    assert.match(await byId(asker, 'export-left').textContent(), /PDF/)
    let drawn
    await lookAt(asker, async () => { await shot(asker, 'masques-boucle') })
    await lookAt(asker, async () => {
      // By pointer: a rectangle; by keyboard: one more, moved, enlarged, and one taken away.
      const stage = await byId(asker, 'masks-stage').boundingBox()
      const before = await byId(asker, 'mask').count()
      await asker.mouse.move(stage.x + stage.width * 0.1, stage.y + stage.height * 0.1)
      await asker.mouse.down()
      await asker.mouse.move(stage.x + stage.width * 0.5, stage.y + stage.height * 0.3, { steps: 4 })
      await asker.mouse.up()
      assert.equal(await byId(asker, 'mask').count(), before + 1)
      await byId(asker, 'masks-add').click()
      await asker.waitForFunction(() => document.activeElement?.dataset.mask !== undefined)
      const at = () => asker.evaluate(() => document.activeElement.style.cssText)
      const placed = await at()
      await asker.keyboard.press('ArrowDown')
      assert.notEqual(await at(), placed)
      const moved = await at()
      await asker.keyboard.press('Shift+ArrowRight')
      assert.notEqual(await at(), moved)
      await asker.keyboard.press('Delete')
      assert.equal(await byId(asker, 'mask').count(), before + 1)
      drawn = await byId(asker, 'mask').last().evaluate(e => ['left', 'top', 'width', 'height'].map(k => parseFloat(e.style[k]) / 100))
      await shot(asker, 'masques-image')
    })
    await shot(asker, 'export-regardé')
    first = await fetched(asker, 'anonyme-1')
    readable(first)
    for (const f of [...walk(first.dir), first.zip]) {
      const text = readFileSync(f).toString('latin1').toLowerCase()
      for (const who of identities) assert.ok(!text.includes(Buffer.from(who.toLowerCase()).toString('latin1')), `${path.relative(folder, f)} holds ${who}`)
    }
    assert.deepEqual(walk(first.dir).filter(f => !f.includes('/DICOM/')).map(f => path.basename(f)).sort(), ['DICOMDIR', 'INDEX.HTM', 'LISEZMOI.TXT'])
    assert.equal(of(first.dicom, 'SR').length + of(first.dicom, 'DOC').length, 0)
    assert.equal(of(first.dicom, 'KO').length, 1)
    const still = of(first.dicom, 'US').find(f => value(f, '0028,0008') !== '30')
    const cine = of(first.dicom, 'US').find(f => value(f, '0028,0008') === '30')
    assert.match(dump(of(first.dicom, 'KO')[0], '0008,1155'), new RegExp(value(cine, '0008,0018').replaceAll('.', '\\.')), 'the selection names another image than was sent')
    const [x, y, width, height] = drawn
    assert.ok(blackness(still, { x, y, width, height }) === 0, 'the mask that was drawn is not black')
    assert.ok(blackness(still, { x: 0, y: 0.5, width: 1, height: 0.5 }) > 20, 'all of the picture is black')
    for (const frame of [1, 15, 30]) assert.ok(blackness(cine, { x: 0, y: 0, width: 1, height: 0.04 }, frame) < 3, `frame ${frame}: above the region is not black`)
    await byId(asker, 'export-close').click()
  })

  await t.test('the same recipient gets the same numbers, another one others', async () => {
    const uids = out => out.dicom.filter(f => value(f, '0008,0060') !== 'KO').map(f => `${value(f, '0008,0018')} ${value(f, '0010,0020')}`).sort()
    const outs = []
    for (const to of ['faculté de MEDECINE', 'Institut Pasteur']) {
      await anonymous(asker, to)
      await lookAt(asker)
      await lookAt(asker)
      outs.push(await fetched(asker, `anonyme-${outs.length + 2}`))
      await byId(asker, 'export-close').click()
    }
    assert.deepEqual(uids(outs[0]), uids(first))
    assert.equal(uids(outs[1]).filter(u => uids(first).includes(u)).length, 0)
  })

  await t.test('all of it stands under « Qui a vu ce dossier »', async () => {
    await byId(asker, 'do-access').click()
    const log = byId(asker, 'access-log')
    await log.locator('td', { hasText: 'a exporté le dossier complet : La patiente' }).first().waitFor()
    await log.locator('td', { hasText: 'a exporté des images sans identité : Institut Pasteur · Enseignement' }).first().waitFor()
    await shot(asker, 'journal')
    assert.ok(!/diallo/i.test(server.log), 'the log names the patient')
  })

  clean(asker, 'the asker')
  clean(expert, 'the expert')
})

/** The lightest pixel of a part of a frame, by dcmtk: 0 is black. Edges of a mask are left out by two pixels. */
function blackness(f, { x, y, width, height }, frame = 1) {
  const ppm = path.join(folder, 'frame.ppm')
  execFileSync('dcmj2pnm', ['-q', '+F', String(frame), '+op', f, ppm])
  const raw = readFileSync(ppm)
  const head = /^P([56])\s+(?:#[^\n]*\n)*(\d+)\s+(\d+)\s+(\d+)\s/.exec(raw.subarray(0, 200).toString('latin1'))
  const per = head[1] === '6' ? 3 : 1, cols = Number(head[2]), rows = Number(head[3]), data = raw.subarray(head[0].length)
  let most = 0
  for (let r = Math.round(y * rows) + 2; r < Math.round((y + height) * rows) - 2; r++) {
    for (let c = Math.round(x * cols) + 2; c < Math.round((x + width) * cols) - 2; c++) {
      for (let k = 0; k < per; k++) most = Math.max(most, data[(r * cols + c) * per + k])
    }
  }
  return most
}
