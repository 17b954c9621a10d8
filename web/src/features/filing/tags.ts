/** Tags as a person writes them: words apart by spaces or commas, with or without their sign. */

export function tagsIn(written: string): string[] {
  const tags = written.split(/[\s,]+/).map((word) => word.replace(/^#+/, ""));
  return [...new Set(tags.filter(Boolean))];
}

export function withTags(known: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...known, ...more])];
}

export function written(tags: readonly string[]): string {
  return tags.map((tag) => `#${tag}`).join(" ");
}
