/** What a person sees of a tool that was called. */

import type { ToolKind } from "../wire/types";

/** The icon that stands for what a tool does to the world. */
export const kindIcons = { read: "file", edit: "pencil", execute: "terminal", fetch: "globe", other: "tool" } as const satisfies Record<ToolKind, string>;
