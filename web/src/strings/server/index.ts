/** What the server says, in other languages than its own. English has none of it: the server's words are English. */

import type { ServerWords } from "./words";

export const SERVER_WORDS = {
  en: (): Promise<ServerWords> => Promise.resolve({ refusals: {}, commands: {}, tools: {}, groups: {} }),
  de: (): Promise<ServerWords> => import("./de"),
  fr: (): Promise<ServerWords> => import("./fr"),
};
