// Two who watch the same picture, one over a thin link and one over a good one:
// what each is sent, each two seconds, from real browsers. Links and uplinks are
// found by use, which takes a minute or two and a machine with nothing else to
// do; so this is looked at and no test. After a while the thin link becomes a
// good one. `node spread.mjs [kbit/s of the thin link] [the one codec of the good viewer]`
import { browser, tablet } from './harness.mjs'
import { byId, enter, limited, linked, newCase, person, pictures } from './pages.mjs'

const thin = Number(process.argv[2] ?? 250), codec = process.argv[3], goodFrom = codec ? 360 : 470, seconds = 160, better = 90
const { server, link: road } = await linked()
const chromium = await browser()
try {
  const asker = server.user('clinician'), expert = server.user('specialist'), second = server.user('specialist', 1)
  const id = await newCase(server, asker, expert, 'Essai Deux Tailles', second)
  const a = await person(chromium, server, asker, tablet), b = await person(chromium, server, expert, tablet), c = await person(chromium, { url: road.url }, second, tablet)
  await road.through(c)
  if (codec) await b.addInitScript(limited, [codec])
  const blind = async page => { await byId(page, 'call-self-video').waitFor(); await byId(page, 'call-camera').click() }
  await enter(a, id)
  await enter(b, id)
  await blind(b)
  let was = { bytes: 0, low: 0, at: Date.now(), good: 0, thin: 0 }, joined = 0
  for (const began = Date.now(); !joined ? Date.now() < began + 180_000 : Date.now() < joined + seconds * 1000;) {
    await new Promise(r => setTimeout(r, 2000))
    const [of, ...seen] = await Promise.all([a, b, c].map(pictures)), at = Date.now()
    const [good, weak] = seen.map(p => p.seen.reduce((x, s) => (s.frames > x.frames ? s : x), { frames: 0, bytes: 0 }))
    if (joined && at > joined + better * 1000) road.kbps = 0
    const per = n => (n * 1000 / (at - was.at)).toFixed(0)
    const kbps = Number(per((of.bytes - was.bytes) / 125))
    console.log(`${((at - began) / 1000).toFixed(0)} s: sent ${of.mode} ${of.height} lines ${kbps} kbit/s, ${of.keyframes} keyframes${of.low ? `, and ${of.low.active ? `${of.low.height} lines ${per((of.low.bytes - was.low) / 125)} kbit/s, ${of.low.keyframes} keyframes` : 'paused'}` : ''}; good ${good.height} lines ${per(good.frames - was.good)}/s; thin ${weak.height ?? '-'} lines ${per(weak.frames - was.thin)}/s`)
    was = { bytes: of.bytes, low: of.low?.bytes ?? 0, at, good: good.frames, thin: weak.frames }
    if (!joined && kbps > goodFrom) { joined = at; road.kbps = thin; await enter(c, id); await blind(c) }
  }
} finally {
  await chromium.close()
  road.close()
  await server.remove()
}
