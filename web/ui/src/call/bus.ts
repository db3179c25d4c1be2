// Messages about stills, drawings and gestures wait here until the part that
// shows them, which is loaded when first needed, listens.
export interface Message { type: string; [field: string]: unknown }

const ours = new Set(['joined', 'ask', 'guide', 'freeze', 'freezing', 'still', 'still-closed', 'at', 'draw', 'gesture']);

export class Bus {
  private waiting: Message[] = [];
  private listener?: (m: Message) => void;
  constructor(private wanted: () => void) {}
  hear = (m: Message): void => {
    if (!ours.has(m.type)) return; // of a newer server
    if (this.listener) return this.listener(m);
    this.waiting.push(m);
    if (m.type !== 'joined') this.wanted();
  };
  listen(f: ((m: Message) => void) | undefined): void {
    this.listener = f;
    if (f) for (const m of this.waiting.splice(0)) f(m);
  }
}
