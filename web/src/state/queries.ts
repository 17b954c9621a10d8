/** What is typed into a search field: words, and operators that narrow them. */

const TOKEN = /(-?)(?:(session|is|tag|project|model|role|before|after):)?(?:"([^"]*)"|(\S+))/g;

/** The words of a query without its operators and exclusions: what is to be marked where it is found. */
export function wordsOf(query: string): string {
  const words: string[] = [];
  for (const [, minus, field, phrase, word] of query.matchAll(TOKEN)) if (!minus && !field) words.push(phrase ?? word ?? "");
  return words.filter(Boolean).join(" ");
}

/** `name:value`, in quotes where the value needs them. */
export function operator(name: string, value: string): string {
  const plain = value.replaceAll('"', "");
  return /\s/.test(plain) ? `${name}:"${plain}"` : `${name}:${plain}`;
}

export function hasOperator(query: string, wanted: string): boolean {
  return tokensOf(query).includes(wanted);
}

/** The query with the operator, or without it when it had it. Words stand first, and end in a space to type on. */
export function toggled(query: string, wanted: string): string {
  const tokens = tokensOf(query);
  const others = tokens.filter((token) => token !== wanted);
  if (others.length === tokens.length) others.push(wanted);
  return others.length > 0 ? `${others.join(" ")} ` : "";
}

/** The narrowest query for words in one session. */
export function withinSession(sessionId: string, words: string): string {
  return `${operator("session", sessionId)} ${words}`;
}

function tokensOf(query: string): string[] {
  return Array.from(query.matchAll(TOKEN), (match) => match[0]);
}
