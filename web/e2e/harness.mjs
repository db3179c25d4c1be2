// What every browser test needs: the real binary on free loopback ports with
// data of its own, a real Chromium, and the real files of the corpus.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, readdirSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** Builds the binary once per test process; answers its path. */
let built
export function binary() {
  if (process.env.SIRA_BINARY) return process.env.SIRA_BINARY
  if (!built) {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'sira-bin-'))
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
    built = path.join(dir, 'sira')
    execFileSync('go', ['build', '-o', built, './cmd/sira'], { cwd: root, stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } })
  }
  return built
}

export async function freePort() {
  return await new Promise((resolve, reject) => {
    const s = net.createServer()
    s.once('error', reject)
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)) })
  })
}

/** A `sira demo` process with a data folder that survives stop, kill and start. */
export class Server {
  constructor(options = {}) {
    this.data = mkdtempSync(path.join(os.tmpdir(), 'sira-e2e-'))
    this.options = options // args, env; tls: { cert, key } files
    this.log = ''
  }

  async start() {
    this.port ??= await freePort()
    this.dicomPort ??= await freePort()
    const args = ['demo', '--data', this.data, '--listen', `127.0.0.1:${this.port}`,
      '--dicom-listen', `127.0.0.1:${this.dicomPort}`, '--media-listen', '127.0.0.1:0', ...(this.options.tls ? ['--tls-cert', this.options.tls.cert, '--tls-key', this.options.tls.key] : []), ...(this.options.args ?? [])]
    const child = spawn(binary(), args, { cwd: this.data, env: { ...process.env, ...this.options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    this.exited = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
    for (const s of [child.stdout, child.stderr]) s.on('data', d => { this.log = (this.log + d).slice(-200_000) })
    await this.ready()
    this.demo = JSON.parse(readFileSync(path.join(this.data, 'demo.json'), 'utf8'))
    this.url = this.demo.url
    return this
  }

  async ready() {
    let gone = false
    this.exited.then(() => { gone = true })
    for (const end = Date.now() + 240_000; Date.now() < end;) {
      if (gone) throw new Error(`sira demo ended at once:\n${this.log}`)
      try {
        const r = await fetch(`${this.options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}/readyz`)
        if (r.ok && existsSync(path.join(this.data, 'demo.json'))) return
      } catch { /* not yet listening */ }
      await new Promise(r => setTimeout(r, 100))
    }
    await this.kill()
    throw new Error(`sira demo was not ready after 240 s:\n${this.log}`)
  }

  /** The power cut: no handler runs. */
  async kill() { this.child.kill('SIGKILL'); return await this.exited }

  async stop() { this.child.kill('SIGTERM'); return await this.exited }

  async remove() {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }

  user(role, n = 0) {
    const u = this.demo.users.filter(u => u.role === role)[n]
    if (!u) throw new Error(`demo.json has no ${role} number ${n}`)
    return u
  }

  /** A call of the JSON API as a machine client. */
  async api(user, method, url, body) {
    const r = await fetch(this.url + url, {
      method,
      headers: { authorization: `Bearer ${user.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    })
    const text = await r.text()
    return { status: r.status, headers: r.headers, body: text && /json/.test(r.headers.get('content-type') ?? '') ? JSON.parse(text) : text }
  }
}

/** A Chromium with a fake camera and microphone and no talk with anybody else. */
export async function browser(...more) {
  return await chromium.launch({
    executablePath: process.env.SIRA_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
      '--enable-unsafe-swiftshader', '--use-gl=angle', '--use-angle=swiftshader', ...more],
  })
}

export const tablet = { width: 1024, height: 600 }
export const phone = { width: 390, height: 844 }

/** The folder of real files. Missing: said loudly, and a failure where ../shared is there. */
export function corpus() {
  const dir = process.env.SIRA_CORPUS ?? path.join(root, '../shared/corpus')
  if (existsSync(dir)) return dir
  if (existsSync(path.join(root, '../shared')) || process.env.SIRA_TEST_STRICT) throw new Error(`no corpus at ${dir}`)
  console.error(`!! NOT RUN with real files: no corpus at ${dir}`)
  return null
}

/** Files that the module suyashkumar/dicom ships for its own tests. */
export function moduleTestdata() {
  const dir = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', 'github.com/suyashkumar/dicom'], { cwd: root }).toString().trim()
  return readdirSync(path.join(dir, 'testdata')).filter(f => f.endsWith('.dcm')).map(f => path.join(dir, 'testdata', f))
}
