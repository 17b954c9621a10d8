/** The generated wire types, under the names that the page uses. */

import type {
  FailureNote,
  Models,
  ProviderSave,
  RunEnded,
  RunSnapshot,
  SessionAnswer,
  SessionRow,
  Started,
  UsageNote,
} from "./schema";

export type {
  Message,
  Model,
  PlanEntry,
  Provider,
  ProviderSaved,
  ProviderTested,
  Providers,
  RowAnswer,
  RunDone,
  SessionList,
  SessionsChanged,
} from "./schema";

export type Failure = FailureNote;
export type Usage = UsageNote;
export type Row = SessionRow;
export type Outcome = RunEnded["outcome"];
export type SessionPage = SessionAnswer;
export type ActiveRun = RunSnapshot;
export type RunStarted = Started;
export type ModelList = Models;
export type ProviderDraft = ProviderSave;
export type ProviderKind = ProviderSave["kind"];
