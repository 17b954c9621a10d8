/** What a run's events amount to. The twin of `api/domain/transcript.py`; `tests/contract/runs/` holds both to the same cases. */

import type * as schema from "../wire/schema";
import type { RunFrame } from "./frames";

/** A snapshot leaves out what is at its default; here every field is there. */
type Whole<Shape> = Readonly<Required<Shape>>;

export type Approval = Omit<Whole<schema.ApprovalRequested>, "type">;
export type Question = Omit<Whole<schema.QuestionAsked>, "type">;
export type ToolBlock = Whole<schema.ToolBlock>;
/** What a person told the agent while it worked, where the agent took it. */
export type SaidBlock = Whole<schema.SaidBlock>;
export type Block = Whole<schema.TextBlock> | Whole<schema.ThinkingBlock> | Whole<schema.PictureBlock> | ToolBlock | Whole<schema.NoticeBlock> | SaidBlock;

/** A run as far as its events tell. `seq` is the number of the last event in it; `steps` where each step's blocks begin. */
export interface Transcript extends Omit<Whole<schema.Transcript>, "blocks" | "question" | "pending_approvals"> {
  readonly blocks: readonly Block[];
  /** What waits for a person's word, oldest first. */
  readonly pending_approvals: readonly Approval[];
  readonly question: Question | null;
}

export const EMPTY: Transcript = {
  seq: 0,
  blocks: [],
  steps: {},
  plan: [],
  pending_approvals: [],
  question: null,
  usage: null,
  context: null,
  title: null,
  outcome: null,
  failure: null,
  duration_ms: 0,
};

const TOOL = {
  name: "",
  title: "",
  tool_kind: null,
  arguments: "",
  output: "",
  state: "running",
  duration_ms: 0,
  diff: "",
  approval: null,
  parent: "",
  attachments: [],
} satisfies Partial<ToolBlock>;

const BLOCK_DEFAULTS: { [kind in Block["kind"]]: object } = {
  text: { text: "" },
  thinking: { text: "", started_ms: 0, ended_ms: 0 },
  picture: {},
  tool: TOOL,
  notice: { code: "", message: "" },
  said: { text: "" },
};

/** A snapshot as the server sends it, with the fields it left out. */
export function transcriptFrom(snapshot: schema.Transcript): Transcript {
  const blocks = (snapshot.blocks ?? []).map((block) => ({ ...BLOCK_DEFAULTS[block.kind], ...block }) as Block);
  const pending_approvals = (snapshot.pending_approvals ?? []).map(approvalFrom);
  const question = snapshot.question ? questionFrom(snapshot.question) : null;
  return { ...EMPTY, ...snapshot, blocks, pending_approvals, question };
}

/** A request as the server sends it, with the fields it left out. */
export function approvalFrom({ type: _, ...asked }: schema.ApprovalRequested & { type?: string }): Approval {
  return { seq: 0, kind: "other", title: "", folder: "", diff: "", grounds: {}, changed: [], sets_off: false, runner: "", ...asked };
}

export function questionFrom({ seq = 0, question_id, text, options = [] }: schema.QuestionAsked): Question {
  return { seq, question_id, text, options };
}

/** Is there something between what is known and `frame`? Then only a fresh snapshot helps. */
export function isGap(transcript: Transcript, frame: RunFrame): boolean {
  return frame.seq > transcript.seq + 1;
}

/** The transcript with `frame` in it; the same object when its number is not the next one. */
export function reduce(transcript: Transcript, frame: RunFrame): Transcript {
  if (frame.seq !== transcript.seq + 1) return transcript;
  return { ...apply(transcript, frame), seq: frame.seq };
}

function apply(t: Transcript, frame: RunFrame): Transcript {
  switch (frame.event) {
    case "step":
      return beginStep(t, frame.step);
    case "token":
      return { ...t, blocks: withText(t, frame.text) };
    case "reasoning":
      return { ...t, blocks: withThinking(t, frame.text, frame.at_ms) };
    case "picture":
      return { ...t, blocks: [...t.blocks, { kind: "picture", attachment: frame.attachment }] };
    case "tool":
      return withTool(t, frame.call_id, (tool) => ({
        ...tool,
        name: frame.name || tool.name,
        title: frame.title || tool.title,
        tool_kind: frame.kind ?? tool.tool_kind,
        parent: frame.parent || tool.parent,
      }));
    case "tool_arguments":
      return withTool(t, frame.call_id, (tool) => ({ ...tool, arguments: tool.arguments + frame.text }));
    case "tool_output":
      return withTool(t, frame.call_id, (tool) => ({ ...tool, output: tool.output + frame.text }));
    case "tool_complete":
      return withTool(t, frame.call_id, (tool) => ({
        ...tool,
        output: frame.output || tool.output,
        state: frame.is_error ? "error" : "done",
        duration_ms: frame.duration_ms,
        diff: frame.diff || tool.diff,
        attachments: frame.attachments.length > 0 ? frame.attachments : tool.attachments,
      }));
    case "approval": {
      const { event: _, ...asked } = frame;
      return { ...t, pending_approvals: [...t.pending_approvals, asked] };
    }
    case "approval_resolved":
      return resolve(t, frame.approval_id, frame.choice);
    case "clarify": {
      const { seq, question_id, text, options } = frame;
      return { ...t, question: { seq, question_id, text, options } };
    }
    case "clarify_answered":
      return t.question?.question_id === frame.question_id ? { ...t, question: null } : t;
    case "plan":
      return { ...t, plan: frame.entries };
    case "steer":
      return { ...t, blocks: [...t.blocks, { kind: "said", message_id: frame.message_id, text: frame.text }] };
    case "metering":
      return { ...t, usage: frame.usage, context: frame.context ?? t.context };
    case "title":
      return { ...t, title: frame.title };
    case "warning":
      return { ...t, blocks: [...t.blocks, { kind: "notice", code: frame.code, message: frame.message }] };
    case "stream_end":
    case "cancel":
    case "apperror":
      return end(t, frame);
    default:
      return unreachable(frame);
  }
}

/** A step that begins a second time replaces all that its first attempt showed. */
function beginStep(t: Transcript, step: number): Transcript {
  const again = t.steps[step] ?? t.blocks.length;
  // What a person said stays said, whatever the agent makes of it the second time.
  const blocks = t.blocks.filter((block, at) => at < again || block.kind === "said");
  return { ...t, blocks, steps: { ...t.steps, [step]: blocks.length } };
}

function withText(t: Transcript, text: string): readonly Block[] {
  const last = lastOfStep(t);
  if (last?.kind !== "text") return [...t.blocks, { kind: "text", text }];
  return t.blocks.with(-1, { kind: "text", text: last.text + text });
}

function withThinking(t: Transcript, text: string, at_ms: number): readonly Block[] {
  const last = lastOfStep(t);
  if (last?.kind !== "thinking") return [...t.blocks, { kind: "thinking", text, started_ms: at_ms, ended_ms: at_ms }];
  return t.blocks.with(-1, { ...last, text: last.text + text, ended_ms: at_ms });
}

function lastOfStep(t: Transcript): Block | undefined {
  const stepStart = Math.max(0, ...Object.values(t.steps));
  return t.blocks.length > stepStart ? t.blocks.at(-1) : undefined;
}

function withTool(t: Transcript, callId: string, change: (tool: ToolBlock) => ToolBlock): Transcript {
  const at = t.blocks.findLastIndex((block) => block.kind === "tool" && block.call_id === callId);
  const known = t.blocks[at];
  if (known?.kind === "tool") return { ...t, blocks: t.blocks.with(at, change(known)) };
  return { ...t, blocks: [...t.blocks, change(newTool(callId))] };
}

function newTool(call_id: string): ToolBlock {
  return { kind: "tool", call_id, ...TOOL };
}

function resolve(t: Transcript, approvalId: string, choice: schema.ApprovalResolved["choice"]): Transcript {
  const asked = t.pending_approvals.find((one) => one.approval_id === approvalId);
  if (!asked) return t;
  const told = withTool(t, asked.call_id, (tool) => ({ ...tool, name: tool.name || asked.name, approval: choice }));
  return { ...told, pending_approvals: t.pending_approvals.filter((one) => one !== asked) };
}

function end(t: Transcript, frame: Extract<RunFrame, { outcome: schema.RunEnded["outcome"] }>): Transcript {
  return {
    ...t,
    outcome: frame.outcome,
    failure: frame.event === "apperror" ? failureOf(frame) : null,
    duration_ms: frame.duration_ms,
    pending_approvals: [],
    question: null,
    blocks: t.blocks.map((block) =>
      block.kind === "tool" && block.state === "running" ? { ...block, state: "error" } : block,
    ),
  };
}

function failureOf({ code, message, hint }: Required<schema.Failure>): schema.Failure {
  return hint ? { code, message, hint } : { code, message };
}

function unreachable(frame: never): never {
  throw new TypeError(`An event that nobody folds: ${JSON.stringify(frame)}`);
}
