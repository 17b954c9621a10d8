/** What was found, in the order in which it is shown. */

import { pathOfSession } from "../../state/addresses";
import type { Found, Passage, SnippetPart } from "../../wire/types";

export interface Group {
  readonly sessionId: string;
  readonly title: readonly SnippetPart[];
  readonly path: string;
  readonly passages: readonly { readonly passage: Passage; readonly path: string }[];
  readonly isArchived: boolean;
}

export interface Sections {
  readonly titles: readonly Group[];
  readonly messages: readonly Group[];
}

/** Sessions whose title fits, then those in which a message does. `words` are marked where a result leads. */
export function sectionsOf(found: readonly Found[], words: string): Sections {
  const groups = found.map((one) => groupOf(one, words));
  const isTitle = (_: Group, at: number): boolean => found[at]?.message_id == null;
  return { titles: groups.filter(isTitle), messages: groups.filter((group, at) => !isTitle(group, at)) };
}

function groupOf({ session, message_id, snippet, passages }: Found, words: string): Group {
  const sessionId = session.session_id;
  return {
    sessionId,
    title: message_id === null && snippet.length > 0 ? snippet : [{ text: session.title, mark: false }],
    path: pathOfSession(sessionId),
    passages: passages.map((passage) => ({
      passage,
      path: pathOfSession(sessionId, { messageId: passage.message_id, words }),
    })),
    isArchived: session.archived,
  };
}
