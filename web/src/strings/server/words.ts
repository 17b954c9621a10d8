/** The shape of what the server says. */

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
