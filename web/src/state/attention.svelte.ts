/** Telling someone who looks elsewhere that an answer is done or waits for them: a dot in the title, and a notice if they want one. */

import { app, asking as askingWords } from "../strings";
import type { Row } from "../wire/types";

const KEY = "fireside.notify";
const DOT = "● ";

export class Attention {
  wantsNotices = $state(wished());
  isRefused = $state(false);
  #hasNews = $state(false);
  #streaming = new Set<string>();

  constructor(private readonly open: (sessionId: string) => void) {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#hasNews = false;
    });
  }

  /** The title of the page, with a dot while there is something new. */
  titled(title: string): string {
    return this.#hasNews ? DOT + title : title;
  }

  /** Permission is asked for here only, where someone just wished for notices. */
  async want(isWanted: boolean): Promise<void> {
    const isAllowed = isWanted && "Notification" in globalThis && (await Notification.requestPermission()) === "granted";
    this.isRefused = isWanted && !isAllowed;
    this.wantsNotices = isAllowed;
    try {
      if (isAllowed) localStorage.setItem(KEY, "yes");
      else localStorage.removeItem(KEY);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }

  /** Look through what changed for runs that are over. */
  notice(rows: readonly Row[]): void {
    for (const row of rows) {
      if (row.is_streaming) this.#streaming.add(row.session_id);
      else if (this.#streaming.delete(row.session_id) && document.hidden) this.#tell(row.session_id, app.finished(row.title));
    }
  }

  /** A session waits for the person's word. */
  asked(sessionId: string, title: string): void {
    if (document.hidden) this.#tell(sessionId, askingWords.elsewhere(title));
  }

  #tell(sessionId: string, sentence: string): void {
    this.#hasNews = true;
    if (!this.wantsNotices) return;
    // By one tag a session, so that several tabs say it once.
    const notice = new Notification(sentence, { tag: sessionId, icon: "/icons/icon-192.png" });
    notice.onclick = () => {
      window.focus();
      this.open(sessionId);
      notice.close();
    };
  }
}

function wished(): boolean {
  try {
    return localStorage.getItem(KEY) === "yes" && globalThis.Notification?.permission === "granted";
  } catch {
    return false;
  }
}
