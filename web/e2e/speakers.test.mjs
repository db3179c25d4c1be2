// Five who speak and one who hears: at most three at once, the one who begins is
// heard, and who is left out leaves no gap in what is heard.
import assert from 'node:assert/strict'
import test from 'node:test'
import { callers, clean, enter, until } from './pages.mjs'

/** A microphone and no camera; window.speak says how loud somebody speaks, in words with pauses of 100 ms. */
const microphone = () => {
  window.speak = 0
  navigator.mediaDevices.getUserMedia = async () => {
    const c = new AudioContext({ sampleRate: 48000 }), b = c.createBuffer(1, 48000, 48000), d = b.getChannelData(0)
    for (let i = 0; i < d.length; i++) d[i] = (i % 24000 < 19000 ? 1 : 0) * ((i / 240 % 1 - 0.5) * (0.5 + 0.4 * Math.sin(i / 900)) + (Math.random() - 0.5) * 0.1)
    const source = c.createBufferSource(), gain = c.createGain(), to = c.createMediaStreamDestination()
    source.buffer = b
    source.loop = true
    source.connect(gain).connect(to)
    source.start()
    setInterval(() => { gain.gain.value = window.speak }, 20)
    return to.stream
  }
}

/** Of each voice that a page receives, by the slot's section. */
const voices = async page => await page.evaluate(async () => {
  const out = {}
  for (const s of (await window.__siraCall.pc.getStats()).values())
    if (s.type === 'inbound-rtp' && s.kind === 'audio') out[s.mid] = { packets: s.packetsReceived, lost: s.packetsLost, made: s.concealedSamples - s.silentConcealedSamples, played: s.totalSamplesReceived, energy: s.totalAudioEnergy }
  return out
})

test('of many who speak the loudest are heard', { timeout: 420_000 }, async t => {
  const who = server => [server.user('clinician'), ...[0, 1, 2, 3].map(n => server.user('specialist', n))]
  const { id, pages } = await callers(t, 'Essai Voix', { who })
  for (const page of pages) {
    await page.addInitScript(microphone)
    await enter(page, id)
  }
  const [viewer, ...talkers] = pages
  const speak = async (list, loud) => { for (const p of list) await p.evaluate(n => { window.speak = n }, loud) }
  const flowing = async (over = 1000) => {
    const a = await voices(viewer)
    await new Promise(r => setTimeout(r, over))
    const b = await voices(viewer)
    const packets = Object.entries(b).reduce((n, [mid, v]) => n + v.packets - (a[mid]?.packets ?? 0), 0)
    return packets * 60 / over // in packets of 60 ms: a link of sound only is not known to carry more
  }
  await until('four voices arrive', async () => Object.keys(await voices(viewer)).length === 4, 120_000)

  await t.test('three of four that speak at once', async () => {
    await speak(talkers, 0.3)
    await until('three', async () => { const n = await flowing(); t.diagnostic(`${n.toFixed(2)} voices`); return n > 2.5 && n < 3.3 }, 60_000) // two, until the link is known to carry three
  })
  await t.test('one after the other: each is heard, and nothing is made up', async () => {
    await speak(talkers, 0)
    await new Promise(r => setTimeout(r, 1500))
    const began = await voices(viewer)
    for (let turn = 0; turn < 8; turn++) {
      const before = await voices(viewer)
      await speak([talkers[turn % 4]], 0.3)
      await until(`turn ${turn}`, async () => { const now = await voices(viewer); return Object.entries(now).some(([mid, v]) => v.energy - before[mid].energy > 1e-4) }, 5000)
      await new Promise(r => setTimeout(r, 1500))
      await speak(talkers, 0)
      await new Promise(r => setTimeout(r, 700))
    }
    const now = await voices(viewer)
    for (const [mid, v] of Object.entries(now)) {
      const made = (v.made - began[mid].made) / (v.played - began[mid].played)
      t.diagnostic(`section ${mid}: ${v.packets - began[mid].packets} packets, ${v.lost - began[mid].lost} lost, ${(100 * made).toFixed(2)} % made up`)
      assert.ok(v.lost - began[mid].lost <= 0, `${v.lost - began[mid].lost} packets lost`)
      assert.ok(made < 0.08, `${(100 * made).toFixed(1)} % made up`)
    }
  })
  await t.test('cut while speaking: no packet is missing', async () => {
    await speak(talkers, 0.05)
    await until('three', async () => { const n = await flowing(); return n > 2.5 && n < 3.3 }, 60_000)
    const began = await voices(viewer)
    for (let turn = 0; turn < 6; turn++) {
      await speak(talkers, 0.05)
      await speak([talkers[turn % 4]], 0.6)
      await new Promise(r => setTimeout(r, 2500))
    }
    const now = await voices(viewer)
    for (const [mid, v] of Object.entries(now)) {
      const made = (v.made - began[mid].made) / (v.played - began[mid].played)
      t.diagnostic(`section ${mid}: ${v.packets - began[mid].packets} packets, ${v.lost - began[mid].lost} lost, ${(100 * made).toFixed(2)} % made up`)
      assert.ok(v.lost - began[mid].lost <= 0, `${v.lost - began[mid].lost} packets lost`)
      assert.ok(made < 0.08, `${(100 * made).toFixed(1)} % made up`)
    }
  })
  clean(viewer, 'viewer')
})
