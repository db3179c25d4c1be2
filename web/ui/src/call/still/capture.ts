// One frame of a camera at its full resolution, small enough for the link, kept
// in the case however often the link breaks.
import { Problem, problemOf } from '../../api';

export const wantedBytes = 30_000;

async function frame(source: MediaStream): Promise<HTMLCanvasElement> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = source;
  try {
    await video.play();
    for (let i = 0; !video.videoWidth && i < 50; i++) await new Promise((r) => setTimeout(r, 40));
    if (!video.videoWidth) throw new Problem('no-picture', 0, '', '');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d')!.drawImage(video, 0, 0);
    return canvas;
  } finally { video.srcObject = null; }
}

const encoded = (c: HTMLCanvasElement, type: string, quality: number): Promise<Blob | null> => new Promise((done) => c.toBlob(done, type, quality));

/** The best quality that stays within the budget; the resolution stays as it is. WebP, else JPEG. */
export async function freeze(source: MediaStream): Promise<Blob> {
  const canvas = await frame(source);
  let best: Blob | undefined;
  for (const type of ['image/webp', 'image/jpeg']) {
    for (const quality of [0.9, 0.8, 0.7, 0.55, 0.4, 0.25, 0.1]) {
      const blob = await encoded(canvas, type, quality);
      if (blob?.type !== type) break; // an old browser gives PNG instead
      best = blob;
      if (blob.size <= wantedBytes) return blob;
    }
    if (best) return best; // a large sensor: the least it can be
  }
  throw new Problem('no-picture', 0, '', '');
}

export interface Stored { id: string; hash: string; width: number; height: number; size: number }

/** Sends until it is there: the ID makes repeating harmless. */
export async function store(caseId: string, blob: Blob, device: string | undefined, progress: (sent: number) => void): Promise<Stored> {
  const url = `/api/calls/${encodeURIComponent(caseId)}/stills/${crypto.randomUUID?.() ?? uuid()}${device ? `?of=${encodeURIComponent(device)}` : ''}`;
  for (let wait = 1000; ; wait = Math.min(wait * 2, 10_000)) {
    try { return await put(url, blob, progress); } catch (err) {
      if (err instanceof Problem && err.status >= 400 && err.status < 500 && err.status !== 429) throw err;
    }
    progress(0);
    await new Promise((r) => setTimeout(r, wait));
  }
}

function put(url: string, blob: Blob, progress: (sent: number) => void): Promise<Stored> {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest();
    x.open('PUT', url);
    x.setRequestHeader('Content-Type', blob.type);
    x.timeout = 120_000;
    x.upload.onprogress = (e) => progress(e.loaded);
    x.onload = () => {
      if (x.status === 200) return done(JSON.parse(x.responseText) as Stored);
      void problemOf(new Response(x.responseText, { status: x.status })).then(fail, fail);
    };
    x.onerror = x.ontimeout = x.onabort = () => fail(new Problem('offline', 0, '', ''));
    x.send(blob);
  });
}

function uuid(): string { // pages without https have no randomUUID
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const h = [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

/** The bytes that all look at, checked where the browser can (https): once over the link, then from its cache. */
export async function load(url: string, hash: string, progress: (got: number, size: number) => void, gone: () => boolean): Promise<Blob | undefined> {
  for (let wait = 1000; !gone(); wait = Math.min(wait * 2, 10_000)) {
    try {
      const res = await fetch(url, { credentials: 'same-origin' });
      if (!res.ok) throw await problemOf(res);
      const size = Number(res.headers.get('Content-Length')) || 0, parts: Uint8Array<ArrayBuffer>[] = [];
      let got = 0;
      for (const reader = res.body!.getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value as Uint8Array<ArrayBuffer>);
        got += value.length;
        progress(got, size);
      }
      const blob = new Blob(parts, { type: res.headers.get('Content-Type') ?? '' });
      if (await sha256(blob) !== hash && crypto.subtle) throw new Problem('broken-file', 0, '', '');
      return blob;
    } catch (err) {
      if (err instanceof Problem && err.status >= 400 && err.status < 500) throw err;
      await new Promise((r) => setTimeout(r, wait));
    }
  }
  return undefined;
}

export async function sha256(blob: Blob): Promise<string> {
  if (!crypto.subtle) return '';
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))].map((x) => x.toString(16).padStart(2, '0')).join('');
}
