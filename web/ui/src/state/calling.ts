import { signal } from '@preact/signals';

/** Id of the case whose call panel is open; the call goes on from screen to screen. */
export const calling = signal<string | undefined>(undefined);
/** Set while media flows. */
export const inCall = signal(false);
/** The call panel fills the screen. */
export const callWide = signal(false);
/** Id of the case to whose call somebody is being invited. */
export const inviting = signal<string | undefined>(undefined);
