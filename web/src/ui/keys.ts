/** What this system calls the key for commands. */
export const modifier: "⌘" | "Ctrl" = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? "") ? "⌘" : "Ctrl";
