/** The shortcuts of the page, as the overview shows them. */

import type { SendKey } from "../../state/theme.svelte";
import { shortcuts as words } from "../../strings";

export interface ShortcutGroup {
  readonly label: string;
  /** Each of the ways is a row of keys. */
  readonly entries: readonly { readonly ways: readonly (readonly string[])[]; readonly says: string }[];
}

/** `modifier` is what this system calls the key for commands. */
export function shortcutGroups(modifier: "⌘" | "Ctrl", sendKey: SendKey): readonly ShortcutGroup[] {
  const { groups, says } = words;
  const sendsAlone = sendKey === "enter";
  const sending = sendsAlone ? ["Enter"] : [modifier, "Enter"];
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
      label: groups.writing,
      entries: [
        { ways: [sending], says: says.send },
        { ways: [sendsAlone ? [modifier, "Enter"] : [modifier, "Shift", "Enter"]], says: says.steer },
        { ways: [["Shift", "Enter"], ...(sendsAlone ? [] : [["Enter"]])], says: says.line },
        { ways: [["↑"]], says: says.recall },
        { ways: [[modifier, "U"]], says: says.attach },
        { ways: [["@"]], says: says.mention },
        { ways: [["/"]], says: says.command },
        { ways: [["Tab"]], says: says.complete },
        { ways: [["/", "/"]], says: says.slash },
      ],
    },
    {
      label: groups.queue,
      entries: [
        { ways: [["↑"], ["↓"]], says: says.moveWaiting },
        { ways: [sending], says: says.saveWaiting },
        { ways: [["Esc"]], says: says.leaveWaiting },
      ],
    },
    {
      label: groups.asking,
      entries: [
        { ways: [["↑"]], says: says.toAsked },
        { ways: [["1"], ["2"], ["3"], ["4"]], says: says.sayWord },
        { ways: [["Esc"]], says: says.leaveAsked },
      ],
    },
    {
      label: groups.conversation,
      entries: [
        { ways: [[modifier, "G"]], says: says.within },
        { ways: [["Enter"], ["↑"]], says: says.previousMatch },
        { ways: [["Shift", "Enter"], ["↓"]], says: says.nextMatch },
      ],
    },
    {
      label: groups.finding,
      entries: [
        { ways: [["Enter"], ["↓"]], says: says.toResults },
        { ways: [["↑"], ["↓"]], says: says.moveResults },
        { ways: [[">"]], says: says.onlyCommands },
      ],
    },
    {
      label: groups.list,
      entries: [
        { ways: [["↑"], ["↓"], ["Home"], ["End"]], says: says.move },
        { ways: [["Enter"]], says: says.open },
        { ways: [["F2"]], says: says.rename },
        { ways: [["Delete"]], says: says.remove },
        { ways: [["Space"]], says: says.select },
        { ways: [["Shift", "Space"]], says: says.selectTo },
        { ways: [["Shift", "F10"]], says: says.menu },
      ],
    },
  ];
}
