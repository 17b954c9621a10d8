/** How the page looks and is written in, as chosen in this browser. `public/theme.js` reads it before the first paint. */

export const THEMES = ["system", "light", "dark", "paper", "midnight"] as const;
export const DENSITIES = ["comfortable", "compact"] as const;

/** Does Enter send what is written, or only together with Ctrl? */
export const SEND_KEYS = ["enter", "ctrl-enter"] as const;

export type Theme = (typeof THEMES)[number];
export type Density = (typeof DENSITIES)[number];
export type SendKey = (typeof SEND_KEYS)[number];

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
export const sendKey = new Choice<SendKey>("send", SEND_KEYS);
