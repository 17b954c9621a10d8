/** Lengths of time as a person says them. */

import { language } from "../../strings";

/** Milliseconds as "40 ms", "0.4 s", "12 s" or "2 min 5 s". */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (seconds < 10) return `${oneDigit(seconds)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function oneDigit(seconds: number): string {
  return new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(seconds);
}
