/** Everything the page is made of, made once and joined together. */

import { Conversation } from "../features/chat/conversation.svelte";
import { Filing } from "../features/filing/filing.svelte";
import { Account } from "../state/account.svelte";
import { Asking, type Asked } from "../state/asking.svelte";
import { Attention } from "../state/attention.svelte";
import { Beside } from "../state/beside.svelte";
import { Commands } from "../state/commands.svelte";
import { Drafts } from "../state/drafts";
import { Finding } from "../state/finding.svelte";
import { Folders } from "../state/folders.svelte";
import { Keeping } from "../state/keeping.svelte";
import { Memory } from "../state/memory.svelte";
import { Models } from "../state/models.svelte";
import { Programs } from "../state/programs.svelte";
import { Projects } from "../state/projects.svelte";
import { Sessions } from "../state/sessions.svelte";
import { Spending } from "../state/spending.svelte";
import { asking as askingWords, beside as besideWords, signin } from "../strings";
import { drawing } from "../ui/markdown/loading";
import { fetchMissing } from "../ui/lazy.svelte";
import { Toasts } from "../ui/toasts.svelte";
import { Client, ServerError, sentenceOf } from "../wire/client";
import { connect, tabSigns } from "../wire/shared/browser";
import { SharedStreams } from "../wire/shared/tab";
import { DirectStreams } from "../wire/streams";
import { browser } from "../wire/surroundings";
import type { Row } from "../wire/types";
import { Router, type Place } from "./router.svelte";

export class Home {
  readonly client = new Client();
  readonly toasts = new Toasts();
  readonly router = new Router();
  readonly models = new Models(this.client);
  readonly programs = new Programs(this.client);
  readonly sessions = new Sessions(this.client, "sessions");
  readonly archive = new Sessions(this.client, "archive");
  readonly projects = new Projects(this.client);
  readonly filing = new Filing(this.client, this.toasts, this.projects, [this.sessions, this.archive], (sessionId) =>
    this.router.go(sessionId ? `/s/${sessionId}` : "/"),
  );
  readonly folders = new Folders(this.client);
  readonly keeping = new Keeping(this.client);
  readonly memory = new Memory(this.client);
  readonly spending = new Spending(this.client);
  readonly commands = new Commands(this.client);
  readonly drafts = new Drafts(this.client, browser.after);
  readonly finding = new Finding(this.client);
  readonly asking = new Asking(this.client, (asked) => this.#isAsked(asked));
  readonly account: Account;
  readonly attention = new Attention((sessionId) => this.router.go(`/s/${sessionId}`));
  readonly #streams = new SharedStreams(
    connect,
    new DirectStreams(this.client, browser),
    browser,
    (error) => this.#refused(error),
    tabSigns,
  );
  readonly beside = new Beside(this.client, this.#streams, { failed: (sentence) => this.toasts.say(sentence) });

  /** "entering" until it is known whether this browser may come in. */
  door = $state<"entering" | "open" | "closed">("entering");
  refusal = $state("");
  conversation = $state.raw<Conversation | null>(null);

  constructor() {
    this.account = new Account(this.#streams, {
      sessions: (changed, removed) => this.#sessionsChanged(changed, removed),
      models: () => void this.models.load(),
      projects: () => void this.projects.load(),
      approvals: () => void this.asking.load(),
      messages: (sessionId) => void (sessionId === this.conversation?.sessionId && this.conversation.lookAgain()),
      beside: (sessionId) => void this.beside.refresh(sessionId),
      queue: (sessionId) => this.#queueChanged(sessionId),
      draft: (sessionId, revision) => this.drafts.noticed(sessionId, revision),
      resync: () => void this.#lookAgain(),
      back: () => void this.#lookAgain(),
    });
    this.drafts.start();
    this.client.listen({ refused: (error) => this.#refused(error) });
    window.addEventListener("hashchange", () => void this.#useLink());
  }

  /** Where the open conversation is, or a new one. */
  get pathOfOpen(): string {
    const open = this.conversation;
    return open?.sessionId && open.status.phase !== "blank" ? `/s/${open.sessionId}` : "/";
  }

  async start(): Promise<void> {
    await this.#useLink();
    if (this.door === "entering") await this.#enter();
  }

  /** Sign in with what was pasted, a link or the token. Answers why not, or null. */
  async signIn(pasted: string): Promise<string | null> {
    const code = /#code=([^\s&]+)/.exec(pasted)?.[1];
    try {
      if (code) await this.client.post("/api/auth/exchange", { code });
      else await this.client.post("/api/auth/login", { token: pasted });
    } catch (error) {
      return sentenceOf(error);
    }
    await this.#enter();
    return null;
  }

  async signOut(): Promise<void> {
    try {
      await this.client.post("/api/auth/logout");
    } catch (error) {
      this.toasts.say(sentenceOf(error));
      return;
    }
    this.refusal = "";
    this.#signedOut();
  }

  /** Show the conversation of a place; the one that is open stays, when it is meant. */
  show(place: Place): void {
    if (place.page === "settings" || place.page === "trash") return;
    const wanted = place.page === "session" ? place.sessionId : null;
    if (wanted) drawing.fetch().catch(() => null); // while its messages are on their way
    const open = this.conversation;
    const sought = place.page === "session" ? place.sought : null;
    if (open && (wanted ? open.sessionId === wanted : open.isEmpty)) {
      if (sought) open.sought = sought;
      return;
    }
    open?.close();
    const surprises = {
      named: (sessionId: string) => this.#named(conversation, sessionId),
      failed: (sentence: string) => this.toasts.say(sentence),
    };
    const conversation = new Conversation(this.client, this.#streams, surprises, wanted, sought);
    const row = wanted ? (this.sessions.find(wanted) ?? this.archive.find(wanted)) : undefined;
    if (row) conversation.row = row;
    this.conversation = conversation;
    this.beside.show(wanted);
  }

  /** Someone looks at what arrived in the open conversation. */
  async see(): Promise<void> {
    const open = this.conversation;
    const row = open?.row;
    if (!open || !row?.unread) return;
    open.notice({ ...row, unread: false });
    try {
      await this.client.post("/api/session/read", { session_id: row.session_id });
    } catch (error) {
      sentenceOf(error); // it is only still marked
    }
  }

  async #enter(): Promise<void> {
    this.show(this.router.place);
    void this.models.load(); // asks every provider, and the slowest of them must not keep the page waiting
    void this.projects.load();
    void this.folders.load();
    const version = await this.sessions.load();
    if (this.door === "closed" && version === null) return;
    this.refusal = "";
    this.door = "open";
    this.account.follow(version ?? "");
    void this.asking.load(); // after the number to follow from: what is asked in between is told twice rather than never
    this.drafts.lookAgain();
  }

  /** A printed link carries its one-time code behind the #, where no server or log sees it. */
  async #useLink(): Promise<void> {
    const code = /^#code=(.+)$/.exec(location.hash)?.[1];
    if (!code) return;
    this.router.rename(location.pathname);
    try {
      await this.client.post("/api/auth/exchange", { code });
      if (this.door !== "open") await this.#enter();
    } catch (error) {
      this.refusal = error instanceof ServerError && error.status < 500 && error.status > 0 ? signin.linkUsed : sentenceOf(error);
    }
  }

  /** A new conversation has its address now, which becomes the page's if nobody went elsewhere. */
  #named(conversation: Conversation, sessionId: string): void {
    if (this.conversation === conversation) this.beside.show(sessionId);
    if (this.conversation === conversation && this.router.place.page === "new") this.router.rename(`/s/${sessionId}`);
  }

  #refused(error: ServerError): void {
    if (error.isSignedOut) this.#signedOut();
    else this.account.doubt();
  }

  #signedOut(): void {
    this.account.stop();
    this.conversation?.close();
    this.conversation = null;
    this.beside.show(null);
    this.finding.clear();
    this.door = "closed";
  }

  #queueChanged(sessionId: string): void {
    const open = this.conversation;
    if (open?.sessionId === sessionId) void open.queue.look();
  }

  #sessionsChanged(changed: Row[], removed: string[]): void {
    for (const row of changed) this.#announce(row);
    this.sessions.apply(changed, removed);
    this.archive.apply(changed, removed);
    if (this.router.place.page === "trash") void this.keeping.loadTrash();
    this.attention.notice(changed);
    const open = this.conversation;
    const row = changed.find((one) => one.session_id === open?.sessionId);
    if (open && row) open.notice(row);
    if (open && row && this.beside.tasks.length > 0) void this.beside.refresh(row.session_id);
    if (open?.sessionId && removed.includes(open.sessionId)) void this.beside.refresh(open.sessionId);
  }

  /** Something arrived in a conversation that nobody looks at. */
  #announce(row: Row): void {
    const known = this.sessions.find(row.session_id) ?? this.archive.find(row.session_id);
    if (!row.unread || known?.unread !== false || row.session_id === this.conversation?.sessionId) return;
    const show = (): void => this.router.go(`/s/${row.session_id}`);
    this.toasts.say(besideWords.arrived(row.title), { label: besideWords.show, run: show });
  }

  /** An agent waits for a word: where nobody looks at it, it is said. */
  #isAsked({ sessionId, title }: Asked): void {
    this.attention.asked(sessionId, title);
    if (sessionId === this.conversation?.sessionId && this.router.place.page === "session") return;
    this.toasts.say(askingWords.elsewhere(title), { label: askingWords.show, run: () => this.router.go(`/s/${sessionId}`) });
  }

  async #lookBeside(): Promise<void> {
    if (this.beside.sessionId) await this.beside.refresh(this.beside.sessionId);
  }

  async #lookAgain(): Promise<void> {
    this.drafts.lookAgain();
    fetchMissing();
    await Promise.all([this.sessions.load(), this.conversation?.lookAgain(), this.#lookBeside(), this.projects.load(), this.asking.load()]);
    if (this.models.status === "failed") await this.models.load();
  }
}
