// People of a `sira demo` in its own pages, as far as the button that starts
// their call.
import { randomUUID } from 'node:crypto'

const byId = (page, id) => page.locator(`[data-testid="${id}"]`)

async function api(url, user, method, path, body) {
  const r = await fetch(url + path, { method, headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) })
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`)
  return await r.json()
}

/** A new case, for which the two may call each other. */
export async function prepare({ url, city, rural }) {
  const id = randomUUID(), to = (await api(url, city, 'GET', '/api/session')).user
  await api(url, rural, 'POST', `/api/cases/${id}/events`, { events: [{ id: randomUUID(), type: 'opened', at: new Date().toISOString(), data: {
    patient: { name: 'Essai Mesure', sex: 'F', age: { value: 30, unit: 'Y' } }, specialty: to.specialties[0], urgency: 'U2',
    question: 'Mesure', history: '', consent: { how: 'oral' }, to: [to.id] } }] })
  return { id }
}

/** Signs in, opens the case, and has the page's code for calls at hand, as who called before has. */
export async function open(page, who, config, room) {
  await page.goto(config.url)
  await byId(page, 'login-name').fill(config[who].login)
  await byId(page, 'login-password').fill(config[who].password)
  await byId(page, 'login-submit').click()
  await byId(page, 'search').waitFor()
  await page.goto(`${config.url}/dossier/${room.id}`)
  await byId(page, 'call-open').first().waitFor()
  await page.evaluate(async () => {
    const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/assets/call.css', crossOrigin: '' })
    await Promise.all([import('/assets/call.js'), new Promise((resolve, reject) => { style.onload = resolve; style.onerror = reject; document.head.append(style) })])
  })
}
