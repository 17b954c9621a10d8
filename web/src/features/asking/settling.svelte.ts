/** What has just appeared takes no word yet: the press was meant for what stood there before. */

const SETTLES_MS = 400;

export class Settling {
  isSettled = $state(false);

  constructor() {
    $effect(() => {
      const timer = setTimeout(() => (this.isSettled = true), SETTLES_MS);
      return () => clearTimeout(timer);
    });
  }
}

/** The digit that was pressed where no text is written, else null. */
export function digitOf(event: KeyboardEvent): number | null {
  const isWriting = event.target instanceof HTMLElement && event.target.matches("input, textarea");
  if (isWriting || event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return null;
  return /^[1-9]$/.test(event.key) ? Number(event.key) : null;
}
