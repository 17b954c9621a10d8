/** The shortcuts of the page, as the overview shows them. */

import { shortcuts as words } from "../../strings";

export interface ShortcutGroup {
  readonly label: string;
  /** Each of the ways is a row of keys. */
  readonly entries: readonly { readonly ways: readonly (readonly string[])[]; readonly says: string }[];
}

/** `modifier` is what this system calls the key for commands. */
export function shortcutGroups(modifier: "⌘" | "Ctrl"): readonly ShortcutGroup[] {
  const { groups, says } = words;
  return [
    {
      label: groups.everywhere,
      entries: [
        { ways: [[modifier, "K"]], says: says.palette },
        { ways: [[modifier, "Shift", "F"]], says: says.find },
        { ways: [["/"]], says: says.findQuick },
        { ways: [["?"]], says: says.help },
        { ways: [["Esc"]], says: says.escape },
      ],
    },
    {
      label: groups.conversation,
      entries: [
        { ways: [[modifier, "G"]], says: says.within },
        { ways: [["Enter"], ["Shift", "Enter"]], says: says.nextMatch },
      ],
    },
    {
      label: groups.writing,
      entries: [
        { ways: [["Enter"]], says: says.send },
        { ways: [["Shift", "Enter"]], says: says.line },
        { ways: [["/"]], says: says.command },
        { ways: [["/", "/"]], says: says.slash },
      ],
    },
    {
      label: groups.list,
      entries: [
        { ways: [["↑"], ["↓"]], says: says.move },
        { ways: [["Enter"]], says: says.open },
        { ways: [["F2"]], says: says.rename },
        { ways: [["Delete"]], says: says.remove },
        { ways: [["Shift", "F10"]], says: says.menu },
      ],
    },
  ];
}
