/** Ids that are made here. */

/** 24 hexadecimal digits that nobody else comes upon; unlike `randomUUID`, also where the page has no TLS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
