import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stills } from '../src/call/stills';
import { Gather } from '../src/lib/piece';

const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));

/** Stills of a page that has a camera, and what leaves of them. */
function page(): { stills: Stills; sent: ArrayBuffer[] } {
  const sent: ArrayBuffer[] = [];
  const picture = new Uint8Array(4800);
  picture.set(new TextEncoder().encode('RIFF\0\0\0\0WEBP'));
  const canvas = { getContext: () => ({ drawImage() {} }), toBlob: (done: (b: Blob) => void, type: string) => done(new Blob([picture], { type })) };
  const video = { videoWidth: 320, videoHeight: 240, paused: false };
  Object.assign(globalThis, {
    window: globalThis,
    document: { createElement: (name: string) => (name === 'canvas' ? canvas : video) },
    MediaStream: class { constructor(private tracks: unknown[]) {} getTracks() { return this.tracks; } },
  });
  const channel = { readyState: 'open', bufferedAmount: 0, send: (b: ArrayBuffer) => sent.push(b) };
  const stills = new Stills(() => ({ enabled: true, readyState: 'live' }) as MediaStreamTrack, () => {});
  stills.open({ createDataChannel: () => channel } as unknown as RTCPeerConnection);
  return { stills, sent };
}

const numbers = (sent: ArrayBuffer[]): number[] => sent.map((b) => new DataView(b).getUint16(1));

test('stills that stop and begin again in the middle of one are not sent mixed', async () => {
  const { stills, sent } = page(), want = { bytes: 5000, every: 0.5 };
  stills.wanted(want);
  await sleep(150); // one is on its way
  stills.wanted({ bytes: 0, every: 5 });
  stills.wanted(want);
  await sleep(2000);
  stills.wanted({ bytes: 0, every: 5 });
  const was = numbers(sent), gather = new Gather();
  assert.deepEqual(was, [...was].sort((a, b) => a - b), 'pieces of two stills are mixed');
  const whole = sent.filter((b) => gather.add(b, 0)).length;
  assert.ok(whole >= 2, `${whole} whole of ${sent.length} pieces`);
  await sleep(700);
  assert.equal(sent.length, was.length, 'more came after the end');
});
