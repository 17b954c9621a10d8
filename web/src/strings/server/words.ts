/** The shape of what the server says. */

/** What an error brings beside its code: `most`, `name`, `retry_after_s` and others; see docs/http-api.md. */
export type Facts = Readonly<Record<string, unknown>>;
/** Why something did not work, by the code of the error. */
export type Refusals = Readonly<Record<string, string | ((facts: Facts) => string)>>;
/** The commands, by name: what may follow, written as the server does, and what it is for. */
export type CommandWords = Readonly<Record<string, { readonly argument: string; readonly help: string }>>;
/** What a tool of the built-in agent does, by the tool's name, where its line does not tell that by its arguments. */
export type ToolWords = Readonly<Record<string, string>>;
/** What models are listed under that belong to no provider, by what stands in its place. */
export type GroupWords = Readonly<Record<string, string>>;

export interface ServerWords {
  readonly refusals: Refusals;
  readonly commands: CommandWords;
  readonly tools: ToolWords;
  readonly groups: GroupWords;
}
