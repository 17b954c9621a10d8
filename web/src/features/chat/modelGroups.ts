/** How models are named and grouped where one is chosen. */

import { composer, wordsOfGroup } from "../../strings";
import type { PickerGroup } from "../../ui/Picker.svelte";
import type { Model } from "../../wire/types";

export function labelOf(model: Model): string {
  return model.is_demo ? `${model.name} · ${composer.onThisMachine} · ${composer.demo}` : model.name;
}

/** Models by provider, in the server's order, the demo last; hidden ones left out, but not the one that is chosen. */
export function groupsOf(models: readonly Model[], chosen: string | null = null): PickerGroup[] {
  const groups = new Map<string, PickerGroup>();
  const offered = models.filter((model) => !model.is_hidden || model.id === chosen);
  const ordered = offered.toSorted((a, b) => Number(a.is_demo) - Number(b.is_demo));
  for (const model of ordered) {
    const label = wordsOfGroup(model.provider) ?? model.provider_name;
    if (!groups.has(label)) groups.set(label, { label, options: [] });
    groups.get(label)?.options.push({ id: model.id, label: model.name, hint: model.is_demo ? composer.demo : "" });
  }
  return [...groups.values()];
}
