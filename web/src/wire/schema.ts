/** What the server says, generated from its OpenAPI description by `npm run types`. Never edited by hand. */

export interface Again {
  message_id?: string | null;
  model?: string | null;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** With `confirm`, `argv` is the exact command that was shown without it. */
export interface AgentAdd {
  args?: string[];
  argv?: string[];
  command: string;
  confirm?: boolean;
  env?: Record<string, string>;
  name: string;
  request_id?: string | null;
  title?: string;
}

/** `agent` is null until the command, `argv`, is confirmed. */
export interface AgentAdded {
  agent: AgentProgram | null;
  argv: string[];
}

export interface AgentAnswer {
  agent: AgentProgram;
}

/** `reason` says why it does not work. */
export interface AgentChecked {
  reason: string;
  version: string;
  works: boolean;
}

/** A slash command of an agent's own, to be sent to it as a message. `argument` hints at what follows its name. */
export interface AgentCommand {
  argument: string;
  help: string;
  name: string;
}

export interface AgentCommands {
  commands: AgentCommand[];
}

/** An agent that can be installed here. `line` is the last that the installer said, or why it failed. */
export interface AgentInstallable {
  line: string;
  name: string;
  package: string;
  phase: "absent" | "installing" | "installed" | "failed";
  size_mb: number;
  title: string;
}

export interface AgentInstalling {
  agent: AgentInstallable;
}

/** An agent that is a program of its own. `env` names what is set for it; the values never leave the server. `mcp` names the MCP servers that it is given. */
export interface AgentProgram {
  argv: string[];
  env: string[];
  mcp: string[];
  model: string;
  name: string;
  source: "found" | "config" | "own";
  title: string;
}

/** `servers` names the MCP servers that an agent can be given. */
export interface AgentPrograms {
  agents: AgentProgram[];
  installable: AgentInstallable[];
  servers: string[];
}

/** The MCP servers that an agent is given, all of them. */
export interface AgentServers {
  name: string;
  request_id?: string | null;
  servers: string[];
}

export interface Answer {
  question_id: string;
  request_id?: string | null;
  stream_id: string;
  text: string;
}

export interface ApprovalMode {
  mode: "read" | "ask" | "edit" | "full";
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** May this exact call run? `arguments_sha256` binds the answer to all that is shown, as `approvals.binding` says. `kind`, `title`, `folder`, `diff`, `grounds`, `sets_off` and `runner` are those of `approvals.Call`. `changed` names those grounds because of which it is asked again. */
export interface ApprovalRequested {
  approval_id: string;
  arguments: string;
  arguments_sha256: string;
  call_id: string;
  changed?: string[];
  diff?: string;
  folder?: string;
  grounds?: Record<string, string>;
  kind?: "edit" | "execute" | "fetch" | "other" | "read";
  name: string;
  runner?: "" | "agent" | "fireside";
  seq?: number;
  sets_off?: boolean;
  title?: string;
  type: "approval.requested";
}

/** What a person said, and their `note` to the agent. The call runs after this, or never. */
export interface ApprovalResolved {
  approval_id: string;
  choice: "always" | "deny" | "expired" | "once" | "session";
  note?: string;
  seq?: number;
  type: "approval.resolved";
}

/** `arguments_sha256` is that of the request that was shown. `note` is a word to the agent. */
export interface Approve {
  approval_id: string;
  arguments_sha256: string;
  choice: "once" | "session" | "always" | "deny";
  note?: string;
  request_id?: string | null;
}

export interface Archive {
  archived: boolean;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** A question asked aside; follow its stream after `seq`. `transcript`: see `Transcript`. */
export interface Aside {
  is_active: boolean;
  model: string;
  question: string;
  seq: number;
  session_id: string;
  started_at: number;
  stream_id: string;
  transcript: Transcript;
}

export interface AsideAnswer {
  aside: Aside;
}

/** A run that waits for a person's word, and all that it asks: see `ApprovalRequested` and `QuestionAsked`. */
export interface Asking {
  approvals: ApprovalRequested[];
  kind: "turn" | "aside" | "task";
  question: QuestionAsked | null;
  session_id: string;
  stream_id: string;
  title: string;
}

/** The longest waiting first. */
export interface AskingList {
  asking: Asking[];
}

/** A file that was given along with a message. `width` and `height` in pixels, of a picture; `size` in bytes. */
export interface Attachment {
  height?: number | null;
  id: string;
  media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "application/pdf" | "text/plain" | "application/octet-stream";
  name: string;
  size: number;
  width?: number | null;
}

export interface AttachmentAnswer {
  attachment: Attachment;
}

export interface Background {
  model?: string | null;
  prompt: string;
  request_id?: string | null;
  session_id: string;
}

/** Up to `message_id`, that one included; without it, all of the session. */
export interface Branch {
  message_id?: string | null;
  request_id?: string | null;
  session_id: string;
  title?: string | null;
}

export interface Btw {
  model?: string | null;
  question: string;
  request_id?: string | null;
  session_id: string;
}

/** What an answer, a session, and a day in all of them may take. What is absent is not limited. */
export interface Budget {
  answer_dollars?: number | null;
  answer_tokens?: number | null;
  chat_dollars?: number | null;
  chat_tokens?: number | null;
  day_dollars?: number | null;
  day_tokens?: number | null;
}

/** The whole budget: what is absent or null is not limited. US dollars, and tokens in and out. */
export interface BudgetChange {
  answer_dollars?: number | null;
  answer_tokens?: number | null;
  chat_dollars?: number | null;
  chat_tokens?: number | null;
  day_dollars?: number | null;
  day_tokens?: number | null;
  request_id?: string | null;
}

export interface Cancel {
  request_id?: string | null;
  stream_id: string;
}

export interface Cancelled {
  cancelled: boolean;
  ok: true;
}

/** `revision` is what the client saw; another one by now is a conflict. */
export interface Change {
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** What an answer did to a file. `diff` is unified. With `not_kept`, a sentence, it cannot be undone. */
export interface ChangedFile {
  by: "tool" | "command";
  diff: string;
  name: string;
  not_kept: string;
  what: "made" | "deleted" | "changed";
}

/** What the answers of a session changed in its folder, oldest first. */
export interface ChangesAnswer {
  changes: RunChanges[];
}

/** `message_id` is the message to replace, `new_message_id` the id of the new one. Without `attachments` it has those of the one that it replaces. */
export interface ChatEdit {
  agent?: string | null;
  attachments?: string[] | null;
  message: string;
  message_id: string;
  model?: string | null;
  new_message_id?: string | null;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** Both are replaced as a whole; an empty `system_prompt` is none. */
export interface ChatSettings {
  parameters?: Parameters;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
  system_prompt?: string;
}

export interface ChatStart {
  agent?: string | null;
  attachments?: string[];
  message: string;
  message_id?: string | null;
  model?: string | null;
  request_id?: string | null;
  session_id: string;
  workspace?: string | null;
}

/** `path` in full, or from `~` on; null is no folder. */
export interface ChooseFolder {
  path: string | null;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** `version` counts from 1, the oldest. */
export interface ChooseVersion {
  message_id: string;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
  version: number;
}

export interface CodeExchange {
  code: string;
  request_id?: string | null;
}

export interface Command {
  argument: string;
  help: string;
  name: string;
  needs_session: boolean;
}

export interface CommandList {
  commands: Command[];
}

/** `text` is the whole line, slash included. `session_id` is absent in a new chat. */
export interface CommandRun {
  model?: string | null;
  request_id?: string | null;
  session_id?: string | null;
  text: string;
}

/** Put this text into the composer, with what was given along with it. */
export interface Compose {
  attachments?: Attachment[];
  text: string;
  type: "compose";
}

/** How full a model's window was with the last request: tokens, `window` absent where it is not known. `filled` is what the provider counted. The rest tells roughly what it is made of, in estimated tokens. */
export interface Context {
  conversation?: number;
  files?: number;
  filled: number;
  instructions?: number;
  tool_results?: number;
  window?: number | null;
}

/** How full the model's window was with the last request; see `Context`. */
export interface ContextNote {
  conversation?: number | null;
  files?: number | null;
  filled: number;
  instructions?: number | null;
  tool_results?: number | null;
  window?: number | null;
}

export interface Copy {
  request_id?: string | null;
  session_id: string;
  title?: string | null;
}

export interface Counts {
  active: number;
  archived: number;
  pinned: number;
}

export interface DefaultModel {
  model: string;
  request_id?: string | null;
}

/** Something that only the page can do. */
export interface Do {
  action: "export" | "help" | "model" | "theme";
  argument?: string;
  type: "do";
}

/** What was typed and not sent. `revision` rises with every change. */
export interface Draft {
  attachments: Attachment[];
  revision: number;
  text: string;
}

export interface DraftPut {
  attachments?: string[];
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
  text: string;
}

/** What the page is to do because of a command; see `Effect`. */
export interface Effects {
  effects: (OpenSession | FollowRun | ShowAside | ShowTask | Reload | Compose | Do | Say)[];
}

/** The one shape of every failure; further fields depend on `code`. */
export interface Error {
  code: string;
  error: string;
  field?: string | null;
}

/** Why a run failed, for a person: what happened, and what to do next. */
export interface Failure {
  code: string;
  hint?: string;
  message: string;
}

export interface FailureNote {
  code: string;
  hint?: string | null;
  message: string;
}

/** Null is none. */
export interface FallbackModel {
  model: string | null;
  request_id?: string | null;
}

/** Names of files, relative to the folder of the session, that which fits best first. */
export interface FileList {
  files: string[];
}

/** `stream_id` is the run before which the files were as they are to be. `force`: also where others changed them. */
export interface FilesRestore {
  force?: boolean;
  request_id?: string | null;
  session_id: string;
  stream_id: string;
}

/** Names of files: as they were before, left because someone else changed them since, and not kept at all. */
export interface FilesRestored {
  conflicts: string[];
  not_kept: string[];
  restored: string[];
}

/** The folders in one, hidden ones last, and whether there are more. `refusal` says why it may not be worked in; `default` is what new sessions work in, if it is a folder to work in. */
export interface FolderList {
  default: string | null;
  folders: string[];
  home: string;
  is_cut: boolean;
  parent: string | null;
  path: string;
  refusal: string | null;
}

/** A run has begun in this session. */
export interface FollowRun {
  session_id: string;
  stream_id: string;
  type: "follow_run";
}

export interface FoundModel {
  id: string;
  name: string;
}

/** `path` is relative to the folder of the session. */
export interface FromWorkspace {
  path: string;
  request_id?: string | null;
  session_id: string;
}

export interface Health {
  active_runs: number;
  sessions: number;
  status: "ok";
  uptime_seconds: number;
  version: string;
}

export interface HideModel {
  is_hidden: boolean;
  model: string;
  request_id?: string | null;
}

export interface Imported {
  imported: SessionRow[];
  skipped: number;
}

/** `path` is to be put after the address of the server; it works once, for a quarter of an hour. */
export interface Link {
  path: string;
}

export interface Login {
  request_id?: string | null;
  token: string;
}

/** A program by its `command`, or an address by its `url`. With `confirm`, `argv` is the exact command that was shown without it, and `token` proves once more who asks. */
export interface McpAdd {
  args?: string[];
  argv?: string[];
  command?: string;
  confirm?: boolean;
  env?: Record<string, string>;
  headers?: Record<string, string>;
  name: string;
  request_id?: string | null;
  token?: string;
  url?: string;
}

/** `server` is null until what would be started, `argv`, or reached, `url`, is confirmed. */
export interface McpAdded {
  argv: string[];
  server: McpServer | null;
  url: string;
}

export interface McpAnswer {
  server: McpServer;
}

/** `reason` says why it does not work; then `server` is as it was known before. */
export interface McpChecked {
  reason: string;
  server: McpServer;
  works: boolean;
}

/** A program by its `argv`, or an address by its `url`. Of `env` and `headers` the names alone are told. */
export interface McpServer {
  argv: string[];
  env: string[];
  headers: string[];
  kind: "stdio" | "http";
  name: string;
  only_reads: boolean;
  tools: McpTool[];
  url: string;
  version: string;
}

/** `most_on`: so many tools of all servers together may be on. */
export interface McpServers {
  most_on: number;
  servers: McpServer[];
}

/** `on` is for the tools that `tools` names, or for all; `only_reads`, whether to believe what the server says. */
export interface McpSwitch {
  name: string;
  on?: boolean | null;
  only_reads?: boolean | null;
  request_id?: string | null;
  tools?: string[] | null;
}

/** A tool as its server described it. `name` is the server's name for it, `offered` the model's. */
export interface McpTool {
  description: string;
  is_on: boolean;
  name: string;
  offered: string;
  reads: boolean;
  title: string;
}

/** What the built-in agent remembers in all sessions. `most` characters fit. */
export interface MemoryAnswer {
  most: number;
  revision: number;
  text: string;
}

/** `revision` is that of the memory that was shown. */
export interface MemoryPut {
  request_id?: string | null;
  revision: number;
  text: string;
}

/** An entry of a conversation. Documents from elsewhere may bring more fields, or parts as `content`. A turn of which there are other `versions` has the ids that they begin with, oldest first, its own among them at `version`. What was said to the agent at work is `steered`. */
export interface Message {
  approval?: "once" | "session" | "always" | "deny" | "expired" | null;
  attachments?: Attachment[] | null;
  content?: string | unknown[] | null;
  context?: ContextNote | null;
  diff?: string | null;
  duration_ms?: number | null;
  failure?: FailureNote | null;
  id: string;
  is_error?: boolean | null;
  kind?: "read" | "edit" | "execute" | "fetch" | "other" | null;
  model?: string | null;
  name?: string | null;
  notices?: NoticeNote[] | null;
  outcome?: "done" | "cancelled" | "failed" | "interrupted" | null;
  plan?: PlanNote[] | null;
  reasoning?: string | null;
  reasoning_ms?: number | null;
  role: string;
  run_id?: string | null;
  steered?: boolean | null;
  timestamp?: number | null;
  title?: string | null;
  tool_call_id?: string | null;
  tool_calls?: ToolCall[] | null;
  usage?: UsageNote | null;
  version?: number | null;
  versions?: string[] | null;
}

export interface Model {
  facts: ModelFacts;
  id: string;
  is_demo: boolean;
  is_hidden: boolean;
  name: string;
  provider: string;
  provider_name: string;
}

/** What is known of a model; what is absent is not. `window` in tokens, prices in US dollars for a million. */
export interface ModelFacts {
  images?: boolean | null;
  input_price?: number | null;
  output_price?: number | null;
  reasoning?: boolean | null;
  tools?: boolean | null;
  window?: number | null;
}

/** `code` and `facts` are what an error has. */
export interface ModelProblem {
  code: string;
  facts: Record<string, number>;
  message: string;
  provider: string;
}

export interface Models {
  default: string | null;
  fallback: string | null;
  models: Model[];
  problems: ModelProblem[];
}

export interface Move {
  project_id: string | null;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

export interface NewSession {
  agent?: string | null;
  approval_mode?: "read" | "ask" | "edit" | "full" | null;
  model?: string | null;
  parameters?: Parameters | null;
  profile?: string | null;
  project_id?: string | null;
  request_id?: string | null;
  system_prompt?: string | null;
  workspace?: string | null;
}

export interface NewSessionAnswer {
  session: Session;
}

/** Something the person should know that is no failure. */
export interface Notice {
  code: string;
  message: string;
  seq?: number;
  type: "notice";
}

export interface NoticeBlock {
  code: string;
  kind: "notice";
  message: string;
}

/** `at`: how many of its message's thinking, words, pictures and calls come before it; else all but the calls. */
export interface NoticeNote {
  at?: number | null;
  code: string;
  message: string;
}

export interface Ok {
  ok: true;
}

export interface OneAgent {
  name: string;
  request_id?: string | null;
}

export interface OneAttachment {
  id: string;
  request_id?: string | null;
  session_id: string;
}

export interface OneFile {
  name: string;
  request_id?: string | null;
}

export interface OneMcp {
  name: string;
  request_id?: string | null;
}

export interface OneSession {
  request_id?: string | null;
  session_id: string;
}

export interface OneStream {
  request_id?: string | null;
  stream_id: string;
}

export interface OneTask {
  request_id?: string | null;
  task_id: string;
}

/** Show this session; null is a new chat. */
export interface OpenSession {
  session_id: string | null;
  type: "open_session";
}

/** What is absent or null is left to the model. */
export interface Parameters {
  effort?: "low" | "medium" | "high" | null;
  max_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
}

export interface Passage {
  message_id: string;
  role: string;
  snippet: SnippetPart[];
}

/** A picture in the answer. */
export interface PictureBlock {
  attachment: Attachment;
  kind: "picture";
}

/** A picture in the answer, kept with the session before this is said. */
export interface PictureShown {
  attachment: Attachment;
  seq?: number;
  type: "picture.shown";
}

export interface Pin {
  pinned: boolean;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

export interface PlanEntry {
  status: "completed" | "in_progress" | "pending";
  text: string;
}

export interface PlanNote {
  status: "pending" | "in_progress" | "completed";
  text: string;
}

/** The agent's whole plan as it stands now; replaces the one before. */
export interface PlanUpdated {
  entries: PlanEntry[];
  seq?: number;
  type: "plan.updated";
}

export interface Prepare {
  model?: string | null;
  request_id?: string | null;
}

export interface Project {
  color: string;
  name: string;
  project_id: string;
}

export interface ProjectAnswer {
  project: Project;
}

export interface ProjectChange {
  color?: string | null;
  name?: string | null;
  project_id: string;
  request_id?: string | null;
}

export interface ProjectCreate {
  color?: string | null;
  name: string;
  request_id?: string | null;
}

export interface ProjectDelete {
  project_id: string;
  request_id?: string | null;
}

export interface ProjectList {
  colors: string[];
  projects: Project[];
}

/** A connected provider. The key itself never leaves the server. */
export interface Provider {
  base_url: string | null;
  from_environment: boolean;
  id: string;
  key_last4: string | null;
  key_set: boolean;
  kind: "openai_compatible" | "openai" | "anthropic" | "google";
  name: string;
}

export interface ProviderDelete {
  id: string;
  request_id?: string | null;
}

export interface ProviderSave {
  base_url?: string | null;
  id?: string | null;
  key?: string | null;
  kind: "openai_compatible" | "openai" | "anthropic" | "google";
  models?: string[] | null;
  name?: string | null;
  request_id?: string | null;
}

export interface ProviderSaved {
  models: FoundModel[];
  provider: Provider;
}

/** `id` names a saved provider whose key is to be used when `key` is absent. `models`: names it does not list. */
export interface ProviderTest {
  base_url?: string | null;
  id?: string | null;
  key?: string | null;
  kind: "openai_compatible" | "openai" | "anthropic" | "google";
  models?: string[] | null;
  request_id?: string | null;
}

/** `total` counts what the provider listed, which may be more than is shown. */
export interface ProviderTested {
  models: FoundModel[];
  ok: true;
  took_ms: number;
  total: number;
}

export interface Providers {
  providers: Provider[];
}

/** The person has answered. */
export interface QuestionAnswered {
  question_id: string;
  seq?: number;
  text: string;
  type: "question.answered";
}

/** The agent asks the person something. */
export interface QuestionAsked {
  options?: string[];
  question_id: string;
  seq?: number;
  text: string;
  type: "question.asked";
}

/** The messages that wait in a session, first the one to be sent next; held back while `is_held`. */
export interface Queue {
  can_put_back: boolean;
  is_held: boolean;
  items: Waiting[];
  revision: number;
  session_id: string;
}

/** `message` may be empty where there are `attachments`, which are ids. */
export interface QueueAdd {
  agent?: string | null;
  attachments?: string[];
  message: string;
  message_id?: string | null;
  model?: string | null;
  request_id?: string | null;
  session_id: string;
}

/** `started`, where nothing had to be waited for. */
export interface QueueAdded {
  message_id: string;
  queue: Queue;
  started: Started | null;
}

export interface QueueAnswer {
  queue: Queue;
}

export interface QueueDelete {
  message_ids: string[];
  request_id?: string | null;
  session_id: string;
}

/** `revision` is the one of the message that the client saw; another one by now is a conflict. Without `attachments` it has those that it had. */
export interface QueueEdit {
  attachments?: string[] | null;
  message: string;
  message_id: string;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** `before` is the message to wait before; null is after all. */
export interface QueueReorder {
  before: string | null;
  message_id: string;
  request_id?: string | null;
  session_id: string;
}

/** `started` is null while an answer is still being written. */
export interface QueueResumed {
  queue: Queue;
  started: Started | null;
}

/** The session has changed: look at it again. */
export interface Reload {
  session_id: string;
  type: "reload";
}

/** A session from which messages were taken, which can be put back. */
export interface Removed {
  removed: Message[];
  session: SessionRow;
}

export interface Rename {
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
  title: string;
}

/** What every change may carry: an id that makes repeating it harmless. */
export interface Request {
  request_id?: string | null;
}

export interface RowAnswer {
  session: SessionRow;
}

/** An exact call that is not asked about any more: in one session, or without a `session_id` in all. */
export interface Rule {
  arguments: string;
  created_at: number;
  folder: string;
  name: string;
  rule_id: string;
  session_id?: string | null;
}

/** Oldest first. */
export interface RuleList {
  rules: Rule[];
}

export interface RuleRevoke {
  request_id?: string | null;
  rule_id: string;
}

export interface RunChanges {
  files: ChangedFile[];
  stream_id: string;
}

/** `done`: what an ended run left in its session. */
export interface RunDone {
  messages: Message[];
  session: SessionRow | null;
  usage: UsageNote | null;
}

/** The last event of every run. `failure` is there when the outcome is `failed`. */
export interface RunEnded {
  duration_ms?: number;
  failure?: Failure | null;
  outcome: "cancelled" | "done" | "failed" | "interrupted";
  seq?: number;
  type: "run.ended";
}

/** A run as shown up to `seq`; its stream is to be followed after that number. `transcript`: see `Transcript`. */
export interface RunSnapshot {
  message_id: string;
  seq: number;
  session_id: string;
  started_at: number;
  stream_id: string;
  transcript: Transcript;
}

/** What a person told the agent while it worked, where the agent took it. */
export interface SaidBlock {
  kind: "said";
  message_id: string;
  text: string;
}

/** What holds commands. `why`: what was missing for a better one; `network`: whether they may reach others. */
export interface SandboxAnswer {
  kind: "bubblewrap" | "landlock" | "none";
  network: boolean;
  why: string;
}

/** Tell the person. `code` names the sentence, for a page that says it in another language; `count` is in it. */
export interface Say {
  code: string;
  count?: number | null;
  message: string;
  type: "say";
}

export interface SearchAnswer {
  next_cursor: string | null;
  results: SearchResult[];
  took_ms: number;
}

/** `message_id` null: its title fits. `passages`: the best messages; in a search of one session all, in order. */
export interface SearchResult {
  message_id: string | null;
  passages: Passage[];
  session: SessionRow;
  snippet: SnippetPart[];
}

/** A session with some of its messages, and what is set for its model; an empty `system_prompt` is none. */
export interface Session {
  active_stream_id: string | null;
  agent: string | null;
  approval_mode: "read" | "ask" | "edit" | "full";
  archived: boolean;
  created_at: number;
  estimated_cost: number | null;
  held_messages: number;
  input_tokens: number | null;
  is_streaming: boolean;
  last_message_at: number | null;
  message_count: number;
  messages: Message[];
  model: string | null;
  output_tokens: number | null;
  parameters: Parameters;
  pinned: boolean;
  profile: string | null;
  project_id: string | null;
  revision: number;
  session_id: string;
  system_prompt: string;
  tags: string[];
  title: string;
  title_by: string | null;
  unread: boolean;
  updated_at: number;
  workspace: string | null;
}

/** A session with some of its messages; `_messages_offset` come before them, `_messages_after` after. */
export interface SessionAnswer {
  _messages_after: number;
  _messages_offset: number;
  _messages_truncated: boolean;
  active_run: RunSnapshot | null;
  asides: Aside[];
  draft: Draft;
  queue: Queue;
  session: Session;
  tasks: Task[];
}

/** `version` is where to follow `/api/events` from. While `indexing`, older sessions may still be missing. */
export interface SessionList {
  counts: Counts;
  indexing: boolean;
  next_cursor: string | null;
  sessions: SessionRow[];
  version: string;
}

/** A session in a list. Times in seconds since 1970. `held_messages` wait in its queue until someone says so. */
export interface SessionRow {
  active_stream_id: string | null;
  agent: string | null;
  approval_mode: "read" | "ask" | "edit" | "full";
  archived: boolean;
  created_at: number;
  estimated_cost: number | null;
  held_messages: number;
  input_tokens: number | null;
  is_streaming: boolean;
  last_message_at: number | null;
  message_count: number;
  model: string | null;
  output_tokens: number | null;
  pinned: boolean;
  profile: string | null;
  project_id: string | null;
  revision: number;
  session_id: string;
  tags: string[];
  title: string;
  title_by: string | null;
  unread: boolean;
  updated_at: number;
  workspace: string | null;
}

/** `sessions_changed`: rows to put in place, ids to take out; go on from `version`. */
export interface SessionsChanged {
  removed: string[];
  rows: SessionRow[];
  version: string;
}

/** A question is being answered aside. */
export interface ShowAside {
  stream_id: string;
  type: "show_aside";
}

/** A task is being worked on in the background. */
export interface ShowTask {
  task_id: string;
  type: "show_task";
}

export interface SignedIn {
  signed_in: boolean;
}

/** `origin`: our own place, the folder of the session, or the home folder; `place` is the folder in it, and `whose` the agent that it is meant for, empty for any. `path` is that of its SKILL.md; `problem`, why it is not offered. */
export interface Skill {
  description: string;
  id: string;
  is_on: boolean;
  name: string;
  origin: "own" | "folder" | "home";
  path: string;
  place: string;
  problem: "unreadable" | "outside" | "too_large" | "no_head" | "no_description" | "no_name" | "name_taken" | "too_many" | null;
  whose: string;
}

/** In the order in which they count. `folder`: that of the session, or null; `own`: where to put more. `most_on`: so many are offered at most. `is_cut`: there are more than can be listed. */
export interface SkillList {
  folder: string | null;
  is_cut: boolean;
  most_on: number;
  own: string;
  skills: Skill[];
}

/** `id` is of the list that was asked for with the same `session_id`. */
export interface SkillSwitch {
  id: string;
  is_on: boolean;
  request_id?: string | null;
  session_id?: string | null;
}

export interface SkillText {
  text: string;
}

export interface SnippetPart {
  mark: boolean;
  text: string;
}

export interface Started {
  message_id: string;
  revision: number;
  session_id: string;
  stream_id: string;
  title: string;
  turn_id: string;
}

export interface Steer {
  message_id?: string | null;
  request_id?: string | null;
  session_id: string;
  text: string;
}

/** Not `accepted`, it waits before all others, or was sent. */
export interface SteerAnswer {
  accepted: boolean;
  message_id: string;
  queue: Queue;
  started: Started | null;
}

/** The agent has taken, before its next step, what a person told it while it worked. */
export interface Steered {
  message_id: string;
  seq?: number;
  text: string;
  type: "steered";
}

/** A request to the model begins. A second `attempt` of a step replaces all that the first one showed. */
export interface StepStarted {
  attempt?: number;
  seq?: number;
  step: number;
  type: "step.started";
}

export interface StreamStatus {
  active: boolean;
  last_seq: number;
  outcome: "done" | "cancelled" | "failed" | "interrupted" | null;
}

export interface Tag {
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
  tags: string[];
}

/** Something worked on in the background; once it runs, its stream can be followed. */
export interface Task {
  attempt: number;
  created_at: number;
  model: string;
  prompt: string;
  session_id: string;
  state: "waiting" | "running" | "answered";
  stream_id: string;
  task_id: string;
}

export interface TaskAnswer {
  task: Task;
}

export interface TaskList {
  tasks: Task[];
}

export interface TextBlock {
  kind: "text";
  text: string;
}

/** The next piece of the answer. */
export interface TextDelta {
  seq?: number;
  text: string;
  type: "text.delta";
}

/** Reasoning. `started_ms` and `ended_ms` are milliseconds since the run began. */
export interface ThinkingBlock {
  ended_ms?: number;
  kind: "thinking";
  started_ms?: number;
  text: string;
}

/** The next piece of the model's reasoning. `at_ms`: milliseconds since the run began. */
export interface ThinkingDelta {
  at_ms?: number;
  seq?: number;
  text: string;
  type: "thinking.delta";
}

export interface TitleChanged {
  seq?: number;
  title: string;
  type: "title.changed";
}

/** The next piece of a call's arguments, as JSON text. */
export interface ToolArguments {
  call_id: string;
  seq?: number;
  text: string;
  type: "tool.arguments";
}

export interface ToolBlock {
  approval?: "always" | "deny" | "expired" | "once" | "session" | null;
  arguments?: string;
  attachments?: Attachment[];
  call_id: string;
  diff?: string;
  duration_ms?: number;
  kind: "tool";
  name: string;
  output?: string;
  parent?: string;
  state?: "done" | "error" | "running";
  title?: string;
  tool_kind?: "edit" | "execute" | "fetch" | "other" | "read" | null;
}

export interface ToolCall {
  function: ToolFunction;
  id: string;
  parent?: string | null;
  type: "function";
}

/** A call has its result. `duration_ms` is wall time; `diff` is a unified diff of the files it changed. `attachments` are pictures that it gave, kept with the session before this is said. */
export interface ToolEnded {
  attachments?: Attachment[];
  call_id: string;
  diff?: string;
  duration_ms?: number;
  is_error?: boolean;
  output?: string;
  seq?: number;
  type: "tool.ended";
}

export interface ToolFunction {
  arguments: string;
  name: string;
}

/** The next piece of a running call's output. */
export interface ToolOutput {
  call_id: string;
  seq?: number;
  text: string;
  type: "tool.output";
}

/** A tool call appears. Known again by `call_id`; a second one with the same id updates the first. `parent`: the call that it is made in, by a sub-agent. */
export interface ToolStarted {
  call_id: string;
  kind?: "edit" | "execute" | "fetch" | "other" | "read" | null;
  name: string;
  parent?: string;
  seq?: number;
  title?: string;
  type: "tool.started";
}

/** A run as far as its events tell. `seq` is the number of the last event folded in. `steps` holds, for each request to the model, where in `blocks` it begins; a repeated attempt cuts back to there. */
export interface Transcript {
  blocks?: (TextBlock | ThinkingBlock | PictureBlock | ToolBlock | NoticeBlock | SaidBlock)[];
  context?: Context | null;
  duration_ms?: number;
  failure?: Failure | null;
  outcome?: "cancelled" | "done" | "failed" | "interrupted" | null;
  pending_approvals?: ApprovalRequested[];
  plan?: PlanEntry[];
  question?: QuestionAsked | null;
  seq?: number;
  steps?: Record<string, number>;
  title?: string | null;
  usage?: Usage | null;
}

/** The newest first; `total` counts those beyond the largest list too. */
export interface TrashAnswer {
  items: TrashItem[];
  keep_days: number;
  total: number;
}

/** A deleted session. Without a title it cannot be read. Without `days_left` it is not removed by itself. `cleared_from` is the session that this was cleared out of; restored, it is a session of its own. */
export interface TrashItem {
  cleared_from: string | null;
  days_left: number | null;
  deleted_at: number;
  message_count: number;
  session_id: string;
  title: string | null;
}

export interface Truncate {
  message_id: string;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** `message_id` is the message of the turn that is meant, by default the last one; another by now is a conflict. */
export interface TurnChange {
  message_id?: string | null;
  request_id?: string | null;
  revision?: number | null;
  session_id: string;
}

/** A file that looks like a session and cannot be shown. `can_download`: not so for links, pipes and folders. `readable_messages`: how many messages of it can be had back. */
export interface UnreadableFile {
  can_download: boolean;
  name: string;
  readable_messages: number;
  reason: string;
}

export interface UnreadableFiles {
  files: UnreadableFile[];
}

/** What a run has used so far. Tokens; `cost` in US dollars, absent where the price is not known. */
export interface Usage {
  cost?: number | null;
  input_tokens?: number;
  output_tokens?: number;
}

/** Days newest first; `began` is the first day that was counted, `today` the one it is for the server. */
export interface UsageAnswer {
  began: string;
  budget: Budget;
  days: UsageDay[];
  today: string;
}

/** What was spent on a day of the server's clock. `cost` in US dollars is that of all but `unpriced_tokens`. */
export interface UsageDay {
  answers: number;
  cost: number;
  day: string;
  input_tokens: number;
  output_tokens: number;
  unpriced_tokens: number;
}

export interface UsageNote {
  cost?: number | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
}

/** Totals of the run so far, and how full the model's window was last; replaces the one before. */
export interface UsageUpdated {
  context?: Context | null;
  seq?: number;
  type: "usage.updated";
  usage: Usage;
}

/** A message that waits. `steers`: the agent at work is told it at its next step, unless it ends before. */
export interface Waiting {
  agent: string | null;
  attachments: Attachment[];
  created_at: number;
  message_id: string;
  model: string | null;
  revision: number;
  steers: boolean;
  text: string;
}
