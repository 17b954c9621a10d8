/** What a frame of a run's stream means for a transcript that is followed. */

import type { Frame } from "../wire/sse";
import { isNumbered, runFrame } from "./frames";
import { isGap, reduce, type Transcript } from "./transcript";

/** The transcript with the frame in it; "lost" when only a fresh look at the server helps. */
export function read(transcript: Transcript, frame: Frame): Transcript | "lost" {
  const news = runFrame(frame);
  if (!news) return transcript;
  if (!isNumbered(news)) return news.event === "resync" ? "lost" : transcript;
  return isGap(transcript, news) ? "lost" : reduce(transcript, news);
}

/** The last words that a run has said, on one line; nothing when it has not spoken. */
export function lastWords(transcript: Transcript, longest = 120): string {
  const text = transcript.blocks.findLast((block) => block.kind === "text")?.text ?? "";
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > longest ? `… ${line.slice(-longest).replace(/^\S*\s/, "")}` : line;
}
