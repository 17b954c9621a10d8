/** What is written has files with it; what carries them there is fetched with the first of them. */

import { withMore } from "../strings";
import { ServerError, sentences, type Client } from "../wire/client";
import type { Attaching, Holder } from "./attaching.svelte";

/** Gives what attaches to `holder`, the same one each time. `rested` is told when something was settled. */
export function attacher(client: Client, holder: Holder, rested: () => void = () => {}): () => Promise<Attaching> {
  let coming: Promise<Attaching> | null = null;
  const begin = async (): Promise<Attaching> => {
    try {
      const { Attaching } = await withMore(import("./attaching.svelte"));
      return (holder.attaching = new Attaching(client, holder, rested));
    } catch {
      coming = null; // nobody gave it; the next one asks again
      throw new ServerError(sentences.unreachable, "unreachable", 0);
    }
  };
  return () => (coming ??= begin());
}

/** Is anything attached, or on its way? */
export function hasFiles({ attachments, attaching }: Holder): boolean {
  return attachments.length > 0 || (attaching !== null && attaching.pending.length > 0);
}

/** Wait until nothing is on its way. Answers what is missing then, for the person, or null. */
export function missingOf({ attaching }: Holder): Promise<string | null> {
  return attaching?.missing() ?? Promise.resolve(null);
}
