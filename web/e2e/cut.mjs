// A link that can be cut: TCP to the web server and UDP to the media port pass
// through here, until they do not.
import dgram from 'node:dgram'
import net from 'node:net'

export class Link {
  /** web and media are the ports of the server on 127.0.0.1. */
  static async open(web, media) {
    const link = new Link()
    link.web = web
    link.media = media
    link.state = 'up'
    link.kbps = 0 // of media, each way; 0: no bound
    link.delay = 0 // ms of media, each way
    link.rows = undefined // of media: all is lost for so many ms each so many ms, { every, last }
    link.free = {} // when a way has sent what it holds, ms
    link.pairs = new Set()
    link.dead = new Set() // ports of the client from which no packet passes
    link.back = new Map() // one socket to the server for each of the client
    link.tcp = net.createServer({ allowHalfOpen: true }, s => link.carry(s))
    await new Promise(r => link.tcp.listen(0, '127.0.0.1', r))
    link.url = `http://127.0.0.1:${link.tcp.address().port}`
    link.udp = dgram.createSocket('udp4')
    await new Promise(r => link.udp.bind(0, '127.0.0.1', r))
    link.udp.on('message', (m, from) => link.up(m, from))
    return link
  }

  carry(a) {
    if (this.state === 'down' || this.state === 'media') { reset(a); return }
    const b = net.connect({ port: this.web, host: '127.0.0.1', allowHalfOpen: true })
    const pair = [a, b]
    this.pairs.add(pair)
    for (const [x, y] of [[a, b], [b, a]]) {
      x.on('error', () => {})
      x.on('close', () => { y.destroy(); this.pairs.delete(pair) })
      x.on('end', () => y.end())
      x.pipe(y)
    }
    if (this.state === 'silent') for (const s of pair) s.pause()
  }

  up(m, from) {
    if (!this.passes() || this.dead.has(from.port)) return
    let s = this.back.get(from.port)
    if (!s) {
      s = dgram.createSocket('udp4')
      s.on('message', r => this.wait('down', r, () => this.udp.send(r, from.port, from.address)))
      s.on('error', () => {})
      this.back.set(from.port, s)
    }
    this.wait('up', m, () => s.send(m, this.media, '127.0.0.1'))
  }

  passes() { return this.state === 'up' || this.state === 'media' }

  /** A packet takes its time on a thin link, and is dropped where too much waits. */
  wait(way, m, send) {
    const now = performance.now(), start = Math.max(now, this.free[way] ?? 0)
    if (!this.passes() || start > now + 400) return
    if (this.rows && now % this.rows.every < this.rows.last) return
    if (!this.kbps && !this.delay) { send(); return }
    if (this.kbps) this.free[way] = start + (m.length + 28) * 8 / this.kbps
    setTimeout(() => { if (this.passes()) send() }, Math.max(0, (this.free[way] ?? now) - now) + this.delay)
  }

  /** down: connections are refused; silent: what is sent is lost, as by a mast without power; media: of the two only media passes. */
  set(state) {
    this.state = state
    if (state === 'down' || state === 'media') for (const pair of [...this.pairs]) pair.forEach(reset)
    // What hung in a silent link is not delivered late: it comes to an end.
    if (state === 'up') for (const pair of [...this.pairs]) for (const s of pair) if (s.isPaused()) reset(s)
    if (state === 'silent') for (const pair of this.pairs) for (const s of pair) s.pause()
  }

  close() {
    this.state = 'down'
    this.tcp.close()
    for (const pair of [...this.pairs]) for (const s of pair) s.destroy()
    this.udp.close()
    for (const s of this.back.values()) s.close()
  }

  /** In the page: the server's media port is this link's. */
  async through(page) {
    await page.addInitScript(([from, to]) => {
      const real = RTCPeerConnection.prototype.setRemoteDescription
      RTCPeerConnection.prototype.setRemoteDescription = function (d) {
        return real.call(this, { type: d.type, sdp: d.sdp.replaceAll(` ${from} typ host`, ` ${to} typ host`) })
      }
    }, [this.media, this.udp.address().port])
  }
}

/** Ends a connection without a goodbye. One that is still being made is only let go: Node turns in circles on a reset of it. */
function reset(s) {
  if (s.connecting) s.destroy()
  else s.resetAndDestroy()
}
