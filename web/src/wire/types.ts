/** The shapes the server speaks, under the names that the page uses. */

export interface Row {
  session_id: string;
  title: string;
  workspace: string | null;
  model: string | null;
  agent: string | null;
  message_count: number;
  created_at: number;
  updated_at: number;
  last_message_at: number | null;
  pinned: boolean;
  archived: boolean;
  is_streaming: boolean;
  active_stream_id: string | null;
  attention: string | null;
  unread: boolean;
  revision: number;
}

export type Outcome = "done" | "cancelled" | "failed" | "interrupted";

export interface Failure {
  code: string;
  message: string;
  hint?: string;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  cost?: number | null;
}

export interface PlanEntry {
  text: string;
  status: "pending" | "in_progress" | "completed";
}

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

export interface Message {
  id: string;
  role: "user" | "assistant" | "tool";
  content: unknown;
  timestamp?: number | null;
  model?: string | null;
  run_id?: string | null;
  reasoning?: string | null;
  reasoning_ms?: number | null;
  tool_calls?: ToolCall[] | null;
  notices?: { code: string; message: string }[] | null;
  outcome?: Outcome | null;
  failure?: Failure | null;
  usage?: Usage | null;
  duration_ms?: number | null;
  tool_call_id?: string | null;
  name?: string | null;
  title?: string | null;
  is_error?: boolean | null;
}

export interface ActiveRun {
  stream_id: string;
  session_id: string;
  message_id: string | null;
  seq: number;
  started_at: number;
  transcript: unknown;
}

export interface SessionList {
  sessions: Row[];
  next_cursor: string | null;
  counts: { active: number; archived: number; pinned: number };
  indexing: boolean;
  version: string;
}

export interface SessionPage {
  session: Row & { messages: Message[] };
  _messages_offset: number;
  _messages_truncated: boolean;
  active_run: ActiveRun | null;
}

export interface RunStarted {
  stream_id: string;
  session_id: string;
  turn_id: string;
  message_id: string;
  title: string;
  revision: number;
}

export interface Model {
  id: string;
  name: string;
  provider: string;
  provider_name: string;
  is_demo: boolean;
}

export interface ModelList {
  models: Model[];
  default: string | null;
  problems: { provider: string; message: string }[];
}

export type ProviderKind = "openai_compatible" | "openai" | "anthropic" | "google";

export interface Provider {
  id: string;
  kind: ProviderKind;
  name: string;
  base_url: string | null;
  key_set: boolean;
  key_last4: string | null;
  from_environment: boolean;
}

export interface ProviderDraft {
  id?: string;
  kind: ProviderKind;
  name?: string;
  base_url?: string;
  key?: string;
}

export interface ProviderTested {
  ok: boolean;
  models: { id: string; name: string }[];
  took_ms: number;
}
