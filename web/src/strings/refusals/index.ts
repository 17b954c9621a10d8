/** What the server says when something did not work, in other languages than its own. */

/** What an error brings beside its code: `most`, `name`, `retry_after_s` and others; see docs/http-api.md. */
export type Facts = Readonly<Record<string, unknown>>;
/** By code. English has none: the server's own sentence is English, and says more than any of these could. */
export type Refusals = Readonly<Record<string, string | ((facts: Facts) => string)>>;

export const REFUSALS = {
  de: (): Promise<Refusals> => import("./de").then(({ refusals }) => refusals),
  fr: (): Promise<Refusals> => import("./fr").then(({ refusals }) => refusals),
};
