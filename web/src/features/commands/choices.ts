/** What the palette offers for what is typed into it. */

import type { IconName } from "../../ui/icons";
import type { OptionGroup } from "../../ui/OptionList.svelte";

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly icon: IconName;
  run(): void;
}

export type Section = OptionGroup<Choice>;

/** Only commands are wanted after `>`; what is looked for stands behind it. */
export function wantedOf(typed: string): { words: string; onlyCommands: boolean } {
  const onlyCommands = /^\s*[>/]/.test(typed);
  return { words: typed.replace(/^\s*[>/]/, "").trim(), onlyCommands };
}

/** The choices that say all the words, those first whose label begins with what was typed; at most `most`. */
export function fitting(choices: readonly Choice[], words: string, most: number): readonly Choice[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = choices.filter(({ label, hint }) => wanted.every((word) => `${label} ${hint}`.toLowerCase().includes(word)));
  const begins = ({ label }: Choice): number => Number(label.toLowerCase().replace(/^\//, "").startsWith(words.toLowerCase()));
  return fits.toSorted((a, b) => begins(b) - begins(a)).slice(0, most);
}

/** The sections that have something to choose, each choice once. */
export function withoutEmpty(sections: readonly Section[]): readonly Section[] {
  const seen = new Set<string>();
  const fresh = (choice: Choice): boolean => !seen.has(choice.id) && !!seen.add(choice.id);
  return sections.map((one) => ({ ...one, options: one.options.filter(fresh) })).filter((one) => one.options.length > 0);
}
