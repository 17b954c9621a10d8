/** Reading the frames of a run: values with every field there, whatever the encoder left out. */

import type { Frame } from "../wire/sse";
import type { Message, Outcome, PlanEntry, Row, Usage } from "../wire/types";

/** One numbered event of a run, by its name on the wire. */
export type RunFrame = { readonly seq: number } & (
  | { event: "step"; step: number; attempt: number }
  | { event: "token"; text: string }
  | { event: "reasoning"; text: string; at_ms: number }
  | { event: "tool"; call_id: string; name: string; title: string }
  | { event: "tool_arguments"; call_id: string; text: string }
  | { event: "tool_output"; call_id: string; text: string }
  | { event: "tool_complete"; call_id: string; output: string; is_error: boolean; duration_ms: number }
  | { event: "approval"; approval_id: string; call_id: string; name: string; arguments: string; arguments_sha256: string }
  | { event: "approval_resolved"; approval_id: string; choice: string }
  | { event: "clarify"; question_id: string; text: string; options: string[] }
  | { event: "plan"; entries: PlanEntry[] }
  | { event: "metering"; usage: Usage }
  | { event: "title"; title: string }
  | { event: "warning"; code: string; message: string }
  | { event: "stream_end"; outcome: Outcome; duration_ms: number }
  | { event: "cancel"; outcome: Outcome; duration_ms: number }
  | { event: "apperror"; outcome: Outcome; duration_ms: number; code: string; message: string; hint: string }
);

/** What else may come on a run's stream, without a number. */
export type OtherFrame =
  | { event: "done"; session: Row; messages: Message[]; usage: Usage | null }
  | { event: "resync" };

type Name = RunFrame["event"];

/** The fields that the encoder may leave out because they are at their default. */
const DEFAULTS: { [name in Name]: object } = {
  step: { attempt: 1 },
  token: { text: "" },
  reasoning: { text: "", at_ms: 0 },
  tool: { name: "", title: "" },
  tool_arguments: { text: "" },
  tool_output: { text: "" },
  tool_complete: { output: "", is_error: false, duration_ms: 0 },
  approval: {},
  approval_resolved: {},
  clarify: { options: [] },
  plan: { entries: [] },
  metering: { usage: {} },
  title: {},
  warning: {},
  stream_end: { outcome: "done", duration_ms: 0 },
  cancel: { outcome: "cancelled", duration_ms: 0 },
  apperror: { outcome: "failed", duration_ms: 0, hint: "" },
};

/** The frame as a value, or null for a name that this page does not know. */
export function runFrame(frame: Pick<Frame, "event"> & { data: unknown }): RunFrame | OtherFrame | null {
  const data = (typeof frame.data === "string" ? JSON.parse(frame.data) : frame.data) as object;
  if (frame.event === "done") return { usage: null, ...data, event: "done" } as OtherFrame;
  if (frame.event === "resync") return { event: "resync" };
  if (!(frame.event in DEFAULTS)) return null;
  return { ...DEFAULTS[frame.event as Name], ...data, event: frame.event } as RunFrame;
}

export function isNumbered(frame: RunFrame | OtherFrame): frame is RunFrame {
  return frame.event !== "done" && frame.event !== "resync";
}
