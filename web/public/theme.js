// Runs before the first paint, so that a chosen look never flashes the other one.
try {
  const known = { theme: ["light", "dark", "paper", "midnight"], density: ["compact"], send: ["ctrl-enter"] };
  for (const [key, names] of Object.entries(known)) {
    const chosen = localStorage.getItem(`fireside.${key}`);
    if (names.includes(chosen)) document.documentElement.dataset[key] = chosen;
  }
} catch {
  // Storage is switched off: the system's look it is.
}
