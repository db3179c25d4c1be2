// What the person's call leaves to their files. The tab of the call knows; all
// tabs of this browser keep to it together: one piece at a time, whoever sends it.
// The server holds every client to the same, but what it does not read yet stands
// in the link already, before the voice.
import { effect, signal } from '@preact/signals';
import { repeatMs, Toll, validMs, type Grant } from '../lib/share';

/** Undefined: no call, or one that needs nothing. */
export const grant = signal<Grant | undefined>(undefined);
/** The person wants files before pictures. */
export const filesFirst = signal(false);

type Said = { grant?: Grant; first?: boolean };
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('sira-share');
let own = false; // the call is in this tab
let heard = 0; // timer

if (channel) channel.onmessage = (e: MessageEvent<Said>) => {
  if (e.data.first !== undefined) filesFirst.value = e.data.first;
  if (own || !('grant' in e.data)) return;
  clearTimeout(heard);
  grant.value = e.data.grant;
  if (e.data.grant) heard = window.setTimeout(() => { grant.value = undefined; }, validMs); // a tab that was closed says nothing
};

let repeat = 0;
/** By the tab of the call; undefined at its end. */
export function share(g: Grant | undefined): void {
  own = g !== undefined;
  clearTimeout(heard);
  clearInterval(repeat);
  grant.value = g && (g.up !== undefined || g.down !== undefined) ? g : undefined;
  const say = () => channel?.postMessage({ grant: grant.value, first: filesFirst.value });
  say();
  if (own) repeat = window.setInterval(say, repeatMs);
  else if (filesFirst.value) putFilesFirst(false);
}

export function putFilesFirst(on: boolean): void {
  filesFirst.value = on;
  channel?.postMessage({ first: on });
}

/** Waits until this piece may leave; the next one, of any tab, waits until it is paid for. */
export function turn(bytes: number): Promise<void> {
  if (grant.value?.up === undefined) return Promise.resolve();
  return new Promise((go) => void exclusively(() => { go(); return paid(new Toll(bytes)); }));
}

let line: Promise<unknown> = Promise.resolve();
function exclusively(work: () => Promise<void>): Promise<unknown> {
  if (navigator.locks) return navigator.locks.request('sira-turn', work);
  line = line.then(work); // a page without https: each tab for itself
  return line;
}

const lookMs = 100;
function paid(toll: Toll): Promise<void> {
  return new Promise((done) => {
    let last = performance.now();
    const stop = effect(() => { if (grant.value?.up === undefined) window.setTimeout(end); }); // let go at once
    const timer = window.setInterval(() => {
      const now = performance.now();
      if (toll.pay(now - last, grant.value?.up)) end();
      last = now;
    }, lookMs);
    function end(): void { clearInterval(timer); stop(); done(); }
  });
}
