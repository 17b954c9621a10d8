/** How the page looks: its theme, and how much stands on a screen. `public/theme.js` reads both before the first paint. */

export const THEMES = ["system", "light", "dark", "paper", "midnight"] as const;
export const DENSITIES = ["comfortable", "compact"] as const;

export type Theme = (typeof THEMES)[number];
export type Density = (typeof DENSITIES)[number];

/** One of some names, kept in this browser and on the root element, where the styles see it. The first is no choice. */
class Choice<Name extends string> {
  current = $state<Name>() as Name;

  constructor(
    private readonly key: string,
    private readonly names: readonly [Name, ...Name[]],
  ) {
    const shown = globalThis.document?.documentElement.dataset[key] as Name | undefined;
    this.current = shown && names.includes(shown) ? shown : names[0];
  }

  choose(name: Name): void {
    this.current = name;
    const isNone = name === this.names[0];
    if (isNone) delete document.documentElement.dataset[this.key];
    else document.documentElement.dataset[this.key] = name;
    try {
      if (isNone) localStorage.removeItem(`fireside.${this.key}`);
      else localStorage.setItem(`fireside.${this.key}`, name);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }
}

export const theme = new Choice<Theme>("theme", THEMES);
export const density = new Choice<Density>("density", DENSITIES);
