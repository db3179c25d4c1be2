// Whose link makes a picture small: each reads the truth, from their own side.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { byId, callers, clean, enter, until } from './pages.mjs'

test('a thin link is blamed on who has it', { timeout: 240_000 }, async t => {
  const { link, id, pages: [a, b] } = await callers(t, 'Essai Liaison', { through: true })
  link.kbps = 110
  const said = new Map([[a, new Set()], [b, new Set()]])
  for (const page of [a, b]) page.on('websocket', ws => ws.on('framereceived', f => {
    const m = JSON.parse(f.payload)
    if (m.type === 'quality') said.get(page).add([m.picture ?? 'all', ...(m.others ?? []).map(o => `${o.picture}-${o.why}`)].join(' '))
  }))
  for (const page of [a, b]) await enter(page, id)
  await until('who has it reads that it is theirs', async () => /votre liaison/.test(await byId(a, 'call-picture').textContent({ timeout: 500 }).catch(() => '')), 90_000)
  await until('the other reads whose it is', async () => /la liaison de Dr Aminata Coulibaly/.test(await b.locator('[data-testid="call-their-picture"][data-why="link"], [data-testid="call-still-why"]').first().textContent({ timeout: 500 }).catch(() => '')), 90_000)
  if (process.env.SIRA_SCREENS) {
    mkdirSync(process.env.SIRA_SCREENS, { recursive: true })
    for (const [name, page] of [['ici', a], ['autre', b]]) await page.screenshot({ path: path.join(process.env.SIRA_SCREENS, `liaison-faible-${name}.png`) })
  }
  t.diagnostic(`thin: ${[...said.get(a)].join(', ')}; good: ${[...said.get(b)].join(', ')}`)
  clean(b, 'expert')
  assert.deepEqual(a.problems, [], 'asker: errors in the page')
})
