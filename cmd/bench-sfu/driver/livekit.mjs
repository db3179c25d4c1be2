// The page that calls by livekit-client, and the tokens LiveKit wants.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const files = { '/': ['livekit.html', 'text/html'], '/livekit-client.umd.js': ['node_modules/livekit-client/dist/livekit-client.umd.js', 'text/javascript'] }

/** Serves the page beside the media server, over the same link. */
export async function prepare({ url }) {
  const { hostname, port } = new URL(url)
  const server = createServer((req, res) => {
    const [file, type] = files[req.url] ?? []
    if (!file) { res.writeHead(404).end(); return }
    res.writeHead(200, { 'content-type': type }).end(readFileSync(new URL(file, import.meta.url)))
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(Number(port), hostname, resolve))
  return { close: () => { server.closeAllConnections(); server.close() } }
}

export async function open(page, who, config) {
  await page.goto(config.url)
  const call = { url: config.signal, token: token(who, config.key, config.secret), roomOptions: config.settings.roomOptions, connectOptions: config.settings.connectOptions }
  await page.evaluate((c) => { window.__call = c }, call)
}

function token(identity, key, secret) {
  const part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: key, sub: identity, nbf: now - 60, exp: now + 3600, video: { room: 'bench', roomJoin: true } })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
