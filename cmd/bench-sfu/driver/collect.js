// Runs in a page before its own scripts: keeps every peer connection the page
// makes, starts a clock when the call is asked for, and reads statistics. It
// does not know whose page it is.
(() => {
  const connections = [];
  const Plain = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Plain {
    constructor(...args) {
      super(...args);
      const i = connections.push(this) - 1;
      for (const [event, state] of [['iceconnectionstatechange', 'iceConnectionState'], ['connectionstatechange', 'connectionState']]) {
        this.addEventListener(event, () => bench.note(`pc${i} ${state === 'connectionState' ? 'dtls' : 'ice'} ${this[state]}`));
      }
    }
  };
  const wanted = ['id', 'type', 'kind', 'mid', 'rid', 'codecId', 'mimeType', 'nominated', 'state', 'active',
    'bytesReceived', 'packetsReceived', 'packetsLost', 'packetsDiscarded', 'fecPacketsReceived', 'retransmittedBytesReceived',
    'totalSamplesReceived', 'concealedSamples', 'silentConcealedSamples', 'concealmentEvents', 'insertedSamplesForDeceleration', 'removedSamplesForAcceleration',
    'jitterBufferDelay', 'jitterBufferEmittedCount', 'framesReceived', 'framesDecoded', 'keyFramesDecoded', 'framesDropped', 'frameWidth', 'frameHeight',
    'framesPerSecond', 'freezeCount', 'totalFreezesDuration', 'nackCount', 'pliCount', 'bytesSent', 'packetsSent', 'targetBitrate', 'framesEncoded', 'keyFramesEncoded',
    'qualityLimitationReason', 'scalabilityMode', 'currentRoundTripTime', 'totalRoundTripTime', 'responsesReceived', 'availableOutgoingBitrate'];
  const types = new Set(['inbound-rtp', 'outbound-rtp', 'candidate-pair', 'codec']);

  let bench;
  async function read() {
    const stats = [];
    await Promise.all(connections.map(async (pc, i) => {
      if (pc.connectionState === 'closed') return;
      const report = await pc.getStats();
      for (const s of report.values()) {
        if (!types.has(s.type) || (s.type === 'candidate-pair' && !s.nominated)) continue;
        const out = { pc: i }, local = report.get(s.localCandidateId);
        if (local) out.path = `${local.candidateType} ${local.relayProtocol ?? local.protocol}`;
        for (const k of wanted) if (s[k] !== undefined) out[k] = s[k];
        stats.push(out);
      }
    }));
    return { t: Date.now(), stats, uploaded: bench.uploaded, stills: bench.stills, stillLines: bench.stillLines };
  }

  bench = window.__bench = { clicked: 0, first: {}, samples: [], notes: [], uploaded: 0, stills: 0, stillLines: 0 };
  bench.note = (text) => bench.notes.push({ t: Date.now(), text: String(text) });
  // The steps of joining.
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia.bind(devices);
  if (ask) devices.getUserMedia = async (...args) => { const stream = await ask(...args); bench.note('devices'); return stream; };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      bench.note('socket asked');
      this.addEventListener('open', () => bench.note('socket open'));
      this.addEventListener('message', () => bench.note('socket answers'), { once: true });
      this.addEventListener('close', (e) => bench.note(`socket closed ${e.code}`));
    }
  };
  // What requests of the page have sent, as it goes.
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...args) {
    let before = 0;
    this.upload.addEventListener('progress', (e) => { bench.uploaded += e.loaded - before; before = e.loaded; });
    return send.apply(this, args);
  };
  addEventListener('click', (e) => { if (e.target.closest?.('[data-testid="call-open"]')) bench.clicked = Date.now(); }, true);

  // Single pictures that are shown where a video would be.
  document.addEventListener('load', (e) => {
    if (!e.target.matches?.('img[data-testid="call-still"]')) return;
    bench.stills++;
    bench.stillLines = e.target.naturalHeight;
  }, true);

  /** Looks often until sound and picture of the other were really received. */
  bench.watch = async (limit) => {
    const { first } = bench;
    for (const end = Date.now() + limit; Date.now() < end && !(first.audio && first.video);) {
      for (const s of (await read()).stats) {
        if (s.type !== 'inbound-rtp') continue;
        if (!first.audio && s.kind === 'audio' && s.totalSamplesReceived > (s.concealedSamples ?? 0)) first.audio = Date.now();
        if (!first.video && s.kind === 'video' && s.framesDecoded > 0) first.video = Date.now();
      }
      await new Promise((r) => setTimeout(r, 50));
    }
  };

  /** Keeps a sample each so many milliseconds, from now on. */
  bench.sample = (every) => {
    let busy = false;
    setInterval(async () => {
      if (busy) return;
      busy = true;
      try { bench.samples.push(await read()); } catch (err) { bench.note(err); }
      busy = false;
    }, every);
  };
})();
