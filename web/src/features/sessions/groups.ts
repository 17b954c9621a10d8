/** Under which heading of time a session stands. */

export type Group = { kind: "pinned" | "today" | "yesterday" | "lastWeek" } | { kind: "month"; label: string };

const DAY_MS = 86_400_000;

/** The group of something that happened at `at`, seen at `now` (both in milliseconds), by the calendar of this place. */
export function groupOf(at: number, now: number, locale?: string): Group {
  const days = daysBetween(at, now);
  if (days <= 0) return { kind: "today" };
  if (days === 1) return { kind: "yesterday" };
  if (days <= 7) return { kind: "lastWeek" };
  const then = new Date(at);
  const isThisYear = then.getFullYear() === new Date(now).getFullYear();
  return { kind: "month", label: monthLabel(then, isThisYear, locale) };
}

/** Labels of months by what they are made of: a formatter is dear, and a list of thousands has few months. */
const monthLabels = new Map<string, string>();

function monthLabel(then: Date, isThisYear: boolean, locale?: string): string {
  const key = `${then.getFullYear()} ${then.getMonth()} ${isThisYear} ${locale}`;
  let label = monthLabels.get(key);
  if (label === undefined) {
    const format = new Intl.DateTimeFormat(locale, isThisYear ? { month: "long" } : { month: "long", year: "numeric" });
    label = format.format(then);
    monthLabels.set(key, label);
  }
  return label;
}

/** Milliseconds until the groups of today are those of yesterday. */
export function untilTomorrow(now: number): number {
  const midnight = new Date(now);
  midnight.setHours(24, 0, 0, 0);
  return midnight.getTime() - now;
}

function daysBetween(at: number, now: number): number {
  // Rounded, because a day on which the clocks change has 23 or 25 hours.
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}
