/** The one stream that tells this tab what changed anywhere, and whether the server is there at all. */

import type { LinkState } from "../wire/follow";
import type { Frame } from "../wire/sse";
import type { Line, Streams } from "../wire/streams";
import type { Row, SessionsChanged } from "../wire/types";

export interface AccountNews {
  sessions(changed: Row[], removed: string[]): void;
  models(): void;
  projects(): void;
  /** What agents ask, or what they need not ask any more. */
  approvals(): void;
  /** The messages of a session, changed in its file by another program. */
  messages(sessionId: string): void;
  /** What waits in a session. */
  queue(sessionId: string): void;
  /** The asides or tasks of a session. */
  beside(sessionId: string): void;
  /** The draft of a session, and its number now. */
  draft(sessionId: string, revision: number): void;
  /** Too much happened since: everything shown is to be asked for again. */
  resync(): void;
  /** The stream is open again after it was not. */
  back(): void;
}

export class Account {
  link = $state.raw<LinkState>({ phase: "connecting" });
  #line: Line | null = null;
  #version = "";
  #wasAway = false;

  constructor(
    private readonly streams: Streams,
    private readonly news: AccountNews,
  ) {}

  follow(version: string): void {
    this.#version = version;
    this.#line ??= this.streams.account(() => this.#version, {
      frame: (frame) => this.#take(frame),
      state: (state) => this.#enter(state),
    });
  }

  stop(): void {
    this.#line?.stop();
    this.#line = null;
  }

  retryNow(): void {
    this.#line?.retryNow();
  }

  /** A request found nobody. When the stream believes to be open, have it prove so. */
  doubt(): void {
    if (this.link.phase === "open") this.#line?.retryNow();
  }

  #take(frame: Frame): "go on" {
    if (frame.id) this.#version = frame.id;
    if (frame.event === "sessions_changed") {
      const { rows, removed } = JSON.parse(frame.data) as SessionsChanged;
      this.news.sessions(rows, removed);
    } else if (frame.event === "models_changed") this.news.models();
    else if (frame.event === "projects_changed") this.news.projects();
    else if (frame.event === "approvals_changed") this.news.approvals();
    else if (frame.event === "queue_changed") this.news.queue(sessionIn(frame));
    else if (frame.event === "asides_changed" || frame.event === "tasks_changed") this.news.beside(sessionIn(frame));
    else if (frame.event === "messages_changed") this.news.messages(sessionIn(frame));
    else if (frame.event === "draft_changed") this.#draftChanged(frame);
    else if (frame.event === "resync") this.news.resync();
    return "go on";
  }

  #draftChanged(frame: Frame): void {
    const { session_id, revision } = JSON.parse(frame.data) as { session_id: string; revision: number };
    this.news.draft(session_id, revision);
  }

  #enter(state: LinkState): void {
    this.link = state;
    if (state.phase === "waiting") this.#wasAway = true;
    if (state.phase !== "open" || !this.#wasAway) return;
    this.#wasAway = false;
    this.news.back();
  }
}

function sessionIn(frame: Frame): string {
  return (JSON.parse(frame.data) as { session_id: string }).session_id;
}
