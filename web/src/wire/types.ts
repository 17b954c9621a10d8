/** The generated wire types, under the names that the page uses. */

import type {
  Effects,
  FailureNote,
  Models,
  ProviderSave,
  RunEnded,
  RunSnapshot,
  SearchAnswer,
  SearchResult,
  SessionAnswer,
  SessionRow,
  Started,
  UsageNote,
} from "./schema";

export type {
  Command,
  CommandList,
  Message,
  Model,
  Passage,
  PlanEntry,
  Project,
  ProjectList,
  Provider,
  ProviderSaved,
  ProviderTested,
  Providers,
  RowAnswer,
  RunDone,
  SessionList,
  SessionsChanged,
  SnippetPart,
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
export type Found = SearchResult;
export type FoundList = SearchAnswer;
export type CommandDone = Effects;
export type Effect = Effects["effects"][number];
export type ProviderKind = ProviderSave["kind"];
