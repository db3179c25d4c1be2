// Small pieces that every screen uses.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { t } from '../i18n';
import { exact, relative } from '../lib/time';
import { now } from '../state/now';
import { Icon, type IconName } from './icon';

/** A moment as said; the exact time on touch or hover. */
export function When({ at }: { at: string | Date }) {
  const iso = typeof at === 'string' ? at : at.toISOString();
  return <time dateTime={iso} title={exact(at)}>{relative(at, now.value)}</time>;
}

export function Meter({ percent, label, tone }: { percent: number; label: string; tone?: 'warn' | 'good' }) {
  return (
    <div class={`meter ${tone ?? ''}`} role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

export function Notice({ tone = 'info', children, testid, action }: { tone?: 'info' | 'warn' | 'bad' | 'good'; children: ComponentChildren; testid?: string; action?: ComponentChildren }) {
  const icon: Record<string, IconName> = { info: 'info', warn: 'warn', bad: 'warn', good: 'check' };
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'} data-testid={testid}>
      <Icon name={icon[tone]!} /><div class="grow">{children}</div>{action}
    </div>
  );
}

/** A modal dialog of the browser: focus stays in it, Escape closes it. */
export function Dialog({ title, onClose, children, wide, dark, testid }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; dark?: boolean; testid?: string }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class={`dialog ${wide ? 'wide' : ''} ${dark ? 'dark' : ''}`} aria-label={title} data-testid={testid}
      onClose={onClose} onCancel={(e) => { e.preventDefault(); onClose(); }}
      onClick={(e) => { if (e.target === ref.current) onClose(); }}>
      <div class="dialog-box">
        <header class="dialog-head"><h2>{title}</h2>
          <button type="button" class="btn quiet square" aria-label={t('close')} onClick={onClose}><Icon name="close" /></button></header>
        <div class="dialog-body">{children}</div>
      </div>
    </dialog>
  );
}

// ── one line at the foot of the page, with what can be undone ──
interface Toast { text: string; undo?: () => void; tone?: 'bad'; word?: string }
const toast = signal<Toast | undefined>(undefined);
let toastTimer = 0;
export function say(text: string, undo?: () => void, tone?: 'bad', word?: string): void {
  toast.value = { text, undo, tone, word };
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => { toast.value = undefined; }, undo ? 12_000 : 6000);
}
export function Toaster() {
  const v = toast.value;
  return (
    <div class="toaster" aria-live="polite" data-testid="toast">
      {v && <div class={`toast ${v.tone ?? ''}`}><span>{v.text}</span>
        {v.undo && <button type="button" class="btn" data-testid="undo" onClick={() => { v.undo!(); toast.value = undefined; }}>{v.word ?? t('undo')}</button>}
        <button type="button" class="btn quiet square" aria-label={t('close')} onClick={() => { toast.value = undefined; }}><Icon name="close" /></button>
      </div>}
    </div>
  );
}

/** Text area that grows with its content. */
export function Area(props: { id: string; value: string; onInput: (v: string) => void; rows?: number; testid?: string; placeholder?: string; maxLength?: number; required?: boolean; describedBy?: string; label?: string; onKeyDown?: (e: KeyboardEvent) => void; invalid?: boolean }) {
  const ref = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const el = ref.current!;
    el.style.height = 'auto';
    el.style.height = `${Math.min(el.scrollHeight + 2, 420)}px`;
  }, [props.value]);
  return <textarea ref={ref} id={props.id} rows={props.rows ?? 2} value={props.value} maxLength={props.maxLength ?? 20000} placeholder={props.placeholder}
    aria-label={props.label} aria-describedby={props.describedBy} aria-required={props.required} aria-invalid={props.invalid || undefined} data-testid={props.testid}
    onKeyDown={props.onKeyDown} onInput={(e) => props.onInput(e.currentTarget.value)} />;
}
