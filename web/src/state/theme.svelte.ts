/** Light, dark, or as the system has it. `public/theme.js` reads the same choice before the first paint. */

export type Theme = "system" | "light" | "dark";

const KEY = "fireside.theme";

class ThemeChoice {
  current = $state<Theme>(chosen());

  choose(theme: Theme): void {
    this.current = theme;
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }
}

function chosen(): Theme {
  const theme = globalThis.document?.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
}

export const theme = new ThemeChoice();
