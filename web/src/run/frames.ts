/** Reading the frames of a run: values with every field there, whatever the encoder left out. */

import type * as schema from "../wire/schema";
import type { Frame } from "../wire/sse";
import type { RunDone } from "../wire/types";

/** Which event of the domain each name on the wire stands for. */
interface Events {
  step: schema.StepStarted;
  token: schema.TextDelta;
  reasoning: schema.ThinkingDelta;
  picture: schema.PictureShown;
  tool: schema.ToolStarted;
  tool_arguments: schema.ToolArguments;
  tool_output: schema.ToolOutput;
  tool_complete: schema.ToolEnded;
  approval: schema.ApprovalRequested;
  approval_resolved: schema.ApprovalResolved;
  clarify: schema.QuestionAsked;
  clarify_answered: schema.QuestionAnswered;
  plan: schema.PlanUpdated;
  steer: schema.Steered;
  metering: schema.UsageUpdated;
  title: schema.TitleChanged;
  warning: schema.Notice;
  stream_end: Omit<schema.RunEnded, "failure">;
  cancel: Omit<schema.RunEnded, "failure">;
  apperror: Omit<schema.RunEnded, "failure"> & schema.Failure;
}

/** One numbered event of a run, by its name on the wire. */
export type RunFrame = {
  [Name in keyof Events]: { readonly event: Name } & Readonly<Required<Omit<Events[Name], "type">>>;
}[keyof Events];

/** What else may come on a run's stream, without a number. */
export type OtherFrame = ({ event: "done" } & RunDone) | { event: "resync" };

/** The fields that the encoder may leave out because they are at their default. */
const DEFAULTS: { [name in keyof Events]: object } = {
  step: { attempt: 1 },
  token: { text: "" },
  reasoning: { text: "", at_ms: 0 },
  picture: {},
  tool: { name: "", title: "", kind: null, parent: "" },
  tool_arguments: { text: "" },
  tool_output: { text: "" },
  tool_complete: { output: "", is_error: false, duration_ms: 0, diff: "", attachments: [] },
  approval: { kind: "other", title: "", folder: "", diff: "", grounds: {}, changed: [] },
  approval_resolved: { note: "" },
  clarify: { options: [] },
  clarify_answered: {},
  plan: { entries: [] },
  steer: {},
  metering: { usage: {}, context: null },
  title: {},
  warning: {},
  stream_end: { outcome: "done", duration_ms: 0 },
  cancel: { outcome: "cancelled", duration_ms: 0 },
  apperror: { outcome: "failed", duration_ms: 0, hint: "" },
};

/** The frame as a value, or null for a name that this page does not know. */
export function runFrame(frame: Pick<Frame, "event"> & { data: unknown }): RunFrame | OtherFrame | null {
  const data = (typeof frame.data === "string" ? JSON.parse(frame.data) : frame.data) as object;
  if (frame.event === "done") return { ...data, event: "done" } as OtherFrame;
  if (frame.event === "resync") return { event: "resync" };
  if (!(frame.event in DEFAULTS)) return null;
  return { ...DEFAULTS[frame.event as keyof Events], ...data, event: frame.event } as RunFrame;
}

export function isNumbered(frame: RunFrame | OtherFrame): frame is RunFrame {
  return frame.event !== "done" && frame.event !== "resync";
}
