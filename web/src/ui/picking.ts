/** Having a person choose files of their own. */

/** The input of the last question: one that is not held may be gone before its answer comes. */
let asking: HTMLInputElement | null = null;

/** Calls `taken` with what was chosen; must come from something that the person pressed. */
export function pickFiles(taken: (files: readonly File[]) => void): void {
  asking = document.createElement("input");
  asking.type = "file";
  asking.multiple = true;
  asking.onchange = ({ currentTarget }) => taken([...((currentTarget as HTMLInputElement).files ?? [])]);
  asking.click();
}
