/** Parts of the page that are fetched when they are first needed; those that nobody gave, again when someone is there. */

const missing = new Set<Lazy<unknown>>();

export class Lazy<Part> {
  /** It was asked for, and nobody gave it. */
  isMissing = $state(false);
  #part = $state.raw<Part | null>(null);
  #coming: Promise<Part> | null = null;
  #wasAsked = false;

  constructor(private readonly ask: () => Promise<Part>) {}

  /** It, or null until it is here. Whoever looks for it has it fetched. */
  get here(): Part | null {
    if (!this.#wasAsked) this.fetch().catch(() => null);
    return this.#part;
  }

  fetch(): Promise<Part> {
    this.#wasAsked = true;
    this.#coming ??= this.ask().then(
      (part) => {
        missing.delete(this);
        this.isMissing = false;
        return (this.#part = part);
      },
      (error: unknown) => {
        missing.add(this);
        this.isMissing = true;
        this.#coming = null;
        throw error;
      },
    );
    return this.#coming;
  }
}

/** The server is there: ask again for what it did not give. */
export function fetchMissing(): void {
  for (const part of missing) part.fetch().catch(() => null);
}
