/** What the server says, in other languages than its own. English has none of it: the server's words are English. */

/** What an error brings beside its code: `most`, `name`, `retry_after_s` and others; see docs/http-api.md. */
export type Facts = Readonly<Record<string, unknown>>;
/** Why something did not work, by the code of the error. */
export type Refusals = Readonly<Record<string, string | ((facts: Facts) => string)>>;
/** The commands, by name: what may follow, written as the server does, and what it is for. */
export type CommandWords = Readonly<Record<string, { readonly argument: string; readonly help: string }>>;

export interface ServerWords {
  readonly refusals: Refusals;
  readonly commands: CommandWords;
}

export const SERVER_WORDS = {
  en: (): Promise<ServerWords> => Promise.resolve({ refusals: {}, commands: {} }),
  de: (): Promise<ServerWords> => import("./de"),
  fr: (): Promise<ServerWords> => import("./fr"),
};
