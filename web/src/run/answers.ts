/** Grouping a session's messages into what a person sees: what they said, and one answer for each run. */

import type { Attachment, ContextNote, Failure, Message, Outcome, PlanEntry, Usage } from "../wire/types";
import type { Block, ToolBlock, Transcript } from "./transcript";

export interface Said {
  readonly kind: "said";
  readonly key: string;
  readonly text: string;
  /** What was given along with it. */
  readonly attachments: readonly Attachment[];
  readonly timestamp: number | null;
  /** It was asked aside and then kept. */
  readonly wasAside: boolean;
  /** How many versions of it and its answers there are, this one among them, and which of them it is. */
  readonly versions: number;
  readonly version: number;
}

export interface Answer {
  readonly kind: "answer";
  /** The run's id, so that an answer keeps its place on the screen when it stops being live. */
  readonly key: string;
  readonly blocks: readonly Block[];
  /** What the agent meant to do, as it stood last. */
  readonly plan: readonly PlanEntry[];
  /** The calls in it that wait for a person's word. */
  readonly asks: readonly string[];
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
  readonly usage: Usage | null;
  /** What filled the model's window with its last request. */
  readonly context: ContextNote | null;
  readonly duration_ms: number;
  readonly model: string | null;
  readonly timestamp: number | null;
  /** What was to be worked on in the background, when this is the answer to that. */
  readonly task: string | null;
  /** The last message in it: up to there a branch goes. */
  readonly messageId: string | null;
}

export type Entry = Said | Answer;

/** The entries of `messages`. `shown`: blocks of runs that were watched here, kept as they stood on the screen. */
export function entriesOf(messages: readonly Message[], shown: ReadonlyMap<string, Transcript> = new Map()): Entry[] {
  const entries: Entry[] = [];
  let open: Message[] = [];
  const close = (): void => {
    if (open.length > 0) entries.push(answerOf(open, shown));
    open = [];
  };
  for (const message of messages) {
    if (isSaid(message)) {
      close();
      entries.push(saidOf(message));
    } else if (message.role === "assistant" || message.role === "tool" || message.role === "user") {
      if (open[0] && (open[0].run_id ?? null) !== (message.run_id ?? null)) close();
      open.push(message);
    }
  }
  close();
  return entries.map(withOwnKey(new Set()));
}

/** Files from elsewhere may name two things alike; a screen cannot. */
function withOwnKey(taken: Set<string>): (entry: Entry) => Entry {
  return (entry) => {
    let key = entry.key;
    while (taken.has(key)) key += "~";
    taken.add(key);
    return key === entry.key ? entry : { ...entry, key };
  };
}

/** Does a turn begin with it? What a person told the agent while it worked is a part of its answer. */
export function isSaid(message: Message): boolean {
  return message.role === "user" && !message.steered;
}

export function liveAnswer(runId: string, transcript: Transcript, model: string | null): Answer {
  const { blocks, plan, outcome, failure, usage, context, duration_ms } = transcript;
  const question = transcript.question ? [transcript.question.question_id] : [];
  const asks = [...transcript.pending_approvals.map((asked) => asked.call_id), ...question];
  const later = { timestamp: null, task: null, messageId: null };
  return { kind: "answer", key: runId, blocks, plan, asks, outcome, failure, usage, context, duration_ms, model, ...later };
}

/** The readable text of a message: its content, or the text parts of it. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map(partText).filter(Boolean).join("\n\n");
}

/** All that an answer says, without thinking and tools. */
export function answerText(answer: Answer): string {
  return answer.blocks
    .map((block) => (block.kind === "text" ? block.text.trim() : ""))
    .filter(Boolean)
    .join("\n\n");
}

/** How much text there is in an entry, in characters. */
export function weightOf(entry: Entry): number {
  if (entry.kind === "said") return entry.text.length;
  return entry.blocks.reduce((sum, block) => sum + blockWeight(block), 0);
}

function blockWeight(block: Block): number {
  if (block.kind === "tool") return block.arguments.length + block.output.length + block.diff.length;
  if (block.kind === "picture") return 0;
  return block.kind === "notice" ? block.message.length : block.text.length;
}

function partText(part: unknown): string {
  if (typeof part === "string") return part;
  if (typeof part === "object" && part !== null && "text" in part && typeof part.text === "string") return part.text;
  return "";
}

function saidOf(message: Message): Said {
  const versions = message.versions?.length ?? 1;
  return {
    kind: "said",
    key: message.id,
    text: textOf(message.content),
    attachments: message.attachments ?? [],
    timestamp: message.timestamp ?? null,
    wasAside: message.aside === true,
    versions,
    version: (message.version ?? versions - 1) + 1,
  };
}

function answerOf(messages: readonly Message[], shown: ReadonlyMap<string, Transcript>): Answer {
  const last = messages.findLast((message) => message.role === "assistant") ?? messages[0]!;
  const watched = last.run_id ? shown.get(last.run_id) : undefined;
  return {
    kind: "answer",
    // The last id, for ecosystem files without runs: it stays when older messages come in above.
    key: last.run_id ?? last.id,
    blocks: watched?.blocks ?? blocksOf(messages),
    plan: last.plan ?? [],
    asks: [],
    outcome: last.outcome ?? null,
    failure: last.failure ?? null,
    usage: last.usage ?? null,
    context: last.context ?? null,
    duration_ms: last.duration_ms ?? 0,
    model: last.model ?? null,
    timestamp: last.timestamp ?? null,
    task: typeof last.task?.prompt === "string" ? last.task.prompt : null,
    messageId: messages.at(-1)?.id ?? null,
  };
}

function blocksOf(messages: readonly Message[]): Block[] {
  const results = new Map(messages.filter((m) => m.role === "tool").map((m) => [m.tool_call_id ?? m.id, m]));
  const blocks: Block[] = [];
  for (const message of messages) {
    if (message.role === "user") blocks.push({ kind: "said", message_id: message.id, text: textOf(message.content) });
    if (message.role === "assistant") blocks.push(...partsOf(message, results));
  }
  return blocks;
}

function partsOf(message: Message, results: ReadonlyMap<string, Message>): Block[] {
  const parts: Block[] = [];
  if (message.reasoning) parts.push({ kind: "thinking", text: message.reasoning, started_ms: 0, ended_ms: message.reasoning_ms ?? 0 });
  const text = textOf(message.content);
  if (text) parts.push({ kind: "text", text });
  for (const attachment of message.attachments ?? []) parts.push({ kind: "picture", attachment });
  const beforeCalls = parts.length;
  for (const call of message.tool_calls ?? []) parts.push(toolOf(call, results.get(call.id)));
  // Each one before it has moved the rest along.
  for (const [moved, { code, message: words, at }] of (message.notices ?? []).entries()) {
    parts.splice((at ?? beforeCalls) + moved, 0, { kind: "notice", code, message: words });
  }
  return parts;
}

function toolOf(call: NonNullable<Message["tool_calls"]>[number], result: Message | undefined): ToolBlock {
  return {
    kind: "tool",
    call_id: call.id,
    name: call.function?.name ?? result?.name ?? "",
    title: result?.title ?? "",
    tool_kind: result?.kind ?? null,
    arguments: call.function?.arguments ?? "",
    output: result ? textOf(result.content) : "",
    state: result?.is_error ? "error" : "done",
    duration_ms: result?.duration_ms ?? 0,
    diff: result?.diff ?? "",
    approval: result?.approval ?? null,
    parent: call.parent ?? "",
    attachments: result?.attachments ?? [],
  };
}
