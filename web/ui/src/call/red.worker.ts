// Beside the page: each packet of our voice passes here. Without a wish of the
// server it goes on as it is, and so it does whatever goes wrong.
import { Further } from './red';

interface Frame { data: ArrayBuffer; getMetadata(): { rtpTimestamp?: number; mimeType?: string } }
interface Transformer { readable: ReadableStream<Frame>; writable: WritableStream<Frame> }

const further = new Further();
onmessage = (e: MessageEvent<number>): void => { further.again = e.data; };

function transform(frame: Frame, to: TransformStreamDefaultController<Frame>): void {
  try {
    const { rtpTimestamp, mimeType } = frame.getMetadata();
    const more = rtpTimestamp !== undefined && mimeType?.toLowerCase() === 'audio/red' ? further.rewrite(new Uint8Array(frame.data), rtpTimestamp) : undefined;
    if (more) frame.data = more.buffer;
  } catch { /* as it is */ }
  to.enqueue(frame);
}

addEventListener('rtctransform', (e) => {
  const { readable, writable } = (e as unknown as { transformer: Transformer }).transformer;
  void readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable).catch(() => {}); // the connection ended
});
