/** The generated wire types, under the names that the page uses. */

import type {
  ApprovalRequested,
  Aside,
  Asking,
  Attachment,
  Draft,
  Effects,
  FailureNote,
  Message as MessageEntry,
  Models,
  ProviderSave,
  RunEnded,
  RunSnapshot,
  SearchAnswer,
  SearchResult,
  SessionAnswer,
  SessionRow,
  Started,
  Task,
  UsageNote,
} from "./schema";

export type {
  AgentAdd,
  AgentAdded,
  AgentChecked,
  AgentCommand,
  AgentCommands,
  AgentInstallable,
  AgentProgram,
  AgentPrograms,
  AsideAnswer,
  Attachment,
  AttachmentAnswer,
  Budget,
  ContextNote,
  AskingList,
  ChangedFile,
  ChangesAnswer,
  FileList,
  FilesRestored,
  FolderList,
  Imported,
  Command,
  CommandList,
  McpAdd,
  McpAdded,
  McpAnswer,
  McpChecked,
  McpServer,
  McpServers,
  MemoryAnswer,
  Model,
  Passage,
  PlanEntry,
  Project,
  ProjectAnswer,
  ProjectList,
  Queue,
  QueueAdded,
  QueueAnswer,
  QueueResumed,
  Provider,
  ProviderSaved,
  ProviderTested,
  Providers,
  Removed,
  RowAnswer,
  Rule,
  RuleList,
  RunDone,
  SandboxAnswer,
  Session,
  SessionList,
  SessionsChanged,
  Skill,
  SkillList,
  SkillText,
  SteerAnswer,
  TaskAnswer,
  TrashAnswer,
  Waiting,
  TrashItem,
  UnreadableFile,
  UnreadableFiles,
  UsageAnswer,
  UsageDay,
  SnippetPart,
} from "./schema";

/** An entry of a conversation, with what else the server keeps at it. */
export interface Message extends MessageEntry {
  /** It is the answer to something that was worked on in the background. */
  task?: { prompt: string };
  /** It was asked aside and then kept. */
  aside?: boolean;
}

export type AsideNote = Aside;
export type AskingNote = Asking;
export type DraftNote = Readonly<Omit<Draft, "attachments">> & { readonly attachments: readonly Attachment[] };
export type TaskNote = Task;
export type Failure = FailureNote;
export type Usage = UsageNote;
export type ToolKind = NonNullable<ApprovalRequested["kind"]>;
export type Row = SessionRow;
export type ApprovalMode = SessionRow["approval_mode"];
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
