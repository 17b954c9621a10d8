/** One conversation: its messages, the run it is in, and what a person can do about them. */

import type { Sought } from "../../state/addresses";
import { isNumbered, runFrame, type OtherFrame } from "../../run/frames";
import { entriesOf, isSaid, liveAnswer, type Answer, type Entry } from "../../run/answers";
import { withNewest } from "../../run/alternatives";
import { EMPTY, isGap, reduce, transcriptFrom, type Transcript } from "../../run/transcript";
import { carrying, chat } from "../../strings";
import { ServerError, sentenceOf, type Client } from "../../wire/client";
import type { Frame } from "../../wire/sse";
import type { Line, Streams } from "../../wire/streams";
import type { ActiveRun, ApprovalMode, Attachment, DraftNote, Message, Outcome, Removed, Row, RowAnswer, RunStarted, Session, SessionPage } from "../../wire/types";
import { MessagePages, PAGE, type PageQuery } from "./messagePages.svelte";
import { Queue, type Queued } from "./queue.svelte";

export type ChatSettings = Readonly<Pick<Session, "system_prompt" | "parameters">>;

const NOTHING_SET: ChatSettings = { system_prompt: "", parameters: {} };

type Status = { phase: "blank" | "loading" | "ready" | "gone" } | { phase: "failed"; failure: string };

/** The run that is going on. `model` is what it was started with; `isStopping` once Stop was pressed. */
interface Live {
  readonly streamId: string;
  readonly transcript: Transcript;
  readonly model: string | null;
}

export interface Surprises {
  /** A new conversation has its address now. */
  named(sessionId: string): void;
  /** Something failed that has no place of its own on the screen. */
  failed(sentence: string): void;
}

/** What became of a message: accepted, or not, and then why. */
export type Sent = { accepted: true } | { accepted: false; failure: string; code?: string };

export class Conversation {
  sessionId = $state<string | null>(null);
  row = $state.raw<Row | null>(null);
  status = $state.raw<Status>({ phase: "blank" });
  /** The message that was gone to, and the words marked around it. A new object each time. */
  target = $state.raw<Sought | null>(null);
  /** What someone came here to see, until they see it. */
  sought = $state.raw<Sought | null>(null);
  /** What a command puts where one writes, until it stands there. */
  composed = $state<string | null>(null);
  chosenModel = $state<string | null>(null);
  /** What is set for the model of this conversation. */
  settings = $state.raw<ChatSettings>(NOTHING_SET);
  /** What was chosen for a conversation that has not begun. A folder is null for none. */
  #wishes = $state.raw<{ mode?: ApprovalMode; folder?: string | null }>({});
  isStopping = $state(false);
  /** How the run that was watched here ended, for those who listen rather than look. */
  ending = $state<Outcome | null>(null);

  readonly pages = new MessagePages((query) => this.#page(query));
  /** What waits for the answer that is being written. */
  readonly queue: Queue;

  #draft: DraftNote | null = null;
  #pending = $state.raw<Message | null>(null);
  #isStarting = $state(false);
  #beginning: Promise<string> | null = null;
  /** What becomes of the message that is being sent. One that is to wait for its answer comes after it, or not at all. */
  #sending: Promise<Sent> | null = null;
  #live = $state.raw<Live | null>(null);
  #shown = new Map<string, Transcript>();
  #line: Line | null = null;
  /** What the run left in the document: told just before its last event. */
  #finished: { streamId: string; messages: Message[]; row: Row | null } | null = null;
  #isRefreshing = false;
  #refreshNext: { evenIfLive: boolean } | null = null;
  #isClosed = false;

  // Not the run itself, which is another with every word: all that was said before it stays what it is.
  readonly #liveId = $derived(this.#live?.streamId);
  readonly entries: readonly Entry[] = $derived.by(() => {
    const all = this.#pending && !this.pages.hasNewer ? [...this.pages.messages, this.#pending] : this.pages.messages;
    return entriesOf(all, this.#shown).filter((entry) => entry.key !== this.#liveId);
  });
  /** The answer being written; between the message and its first word, an answer without blocks. */
  readonly live: Answer | null = $derived.by(() => {
    if (this.#live) return liveAnswer(this.#live.streamId, this.#live.transcript, this.#live.model);
    return this.#isStarting ? liveAnswer("starting", EMPTY, this.model) : null;
  });
  /** What filled the model's window with the last request. */
  readonly context = $derived(this.live?.context ?? this.entries.findLast((entry): entry is Answer => entry.kind === "answer" && entry.context !== null)?.context ?? null);
  readonly title = $derived(this.#live?.transcript.title ?? this.row?.title ?? "");

  constructor(
    private readonly client: Client,
    private readonly streams: Streams,
    private readonly surprises: Surprises,
    sessionId: string | null,
    sought: Sought | null = null,
  ) {
    this.sessionId = sessionId;
    this.sought = sought;
    this.queue = new Queue(client, () => this.sessionId, (sentence) => surprises.failed(sentence));
    if (sessionId) void this.load();
  }

  /** The model that the next message goes to, or null for the server's choice. */
  get model(): string | null {
    return this.chosenModel ?? this.row?.model ?? null;
  }

  /** What the agent may do unasked. */
  get mode(): ApprovalMode {
    return this.#wishes.mode ?? this.row?.approval_mode ?? "ask";
  }

  /** The folder that the agent works in, null for none; undefined where nobody has said yet. */
  get folder(): string | null | undefined {
    return this.#wishes.folder === undefined ? this.row?.workspace : this.#wishes.folder;
  }

  get isBusy(): boolean {
    return this.#isStarting || this.#live !== null;
  }

  /** Is a message that is sent now to wait for another one? */
  get mustWait(): boolean {
    return this.isBusy || this.queue.isFlowing;
  }

  get isEmpty(): boolean {
    return this.status.phase === "blank" && this.entries.length === 0 && !this.isBusy;
  }

  close(): void {
    this.#isClosed = true;
    this.#line?.stop();
  }

  /** The draft that came with the conversation when it was opened. Only the first who asks gets it: it grows old. */
  takeDraft(): DraftNote | null {
    const draft = this.#draft;
    this.#draft = null;
    return draft;
  }

  async load(): Promise<void> {
    this.status = { phase: "loading" };
    await this.#refresh();
  }

  /** What the list says of this session: another tab may have changed it. */
  notice(row: Row): void {
    if (this.status.phase === "blank" && !this.#isStarting && row.message_count > 0) {
      this.sessionId = null; // begun in two tabs, and sent from the other: here another one begins
      return;
    }
    const known = this.row;
    this.row = row;
    if (!known || this.#isStarting) return;
    const isElsewhere = row.active_stream_id !== null && row.active_stream_id !== this.#live?.streamId;
    const isOther = row.message_count !== known.message_count || row.last_message_at !== known.last_message_at;
    if (isElsewhere || (isOther && !this.#live && !row.is_streaming)) void this.#refresh();
  }

  /** The server was away, or too much happened: look afresh. */
  async lookAgain(): Promise<void> {
    if (this.sessionId && this.status.phase !== "blank") await this.#refresh();
  }

  /** Show a message, wherever it is in the conversation, and the messages around it. */
  async goTo(target: Sought): Promise<void> {
    try {
      await this.pages.loadAround(target.messageId);
      this.target = target;
      if (!this.pages.has(target.messageId)) this.surprises.failed(chat.messageGone);
    } catch (error) {
      this.surprises.failed(sentenceOf(error));
    }
  }

  /** Back from an old message to where the conversation goes on. Answers whether that is here now. */
  async toLatest(): Promise<boolean> {
    try {
      await this.pages.loadLatest();
      return true;
    } catch (error) {
      this.surprises.failed(sentenceOf(error));
      return false;
    }
  }

  /** The key of the entry that a message is shown in. */
  entryKeyOf(messageId: string): string | null {
    const at = this.pages.messages.findIndex((message) => message.id === messageId);
    const message = this.pages.messages[at];
    if (!message || isSaid(message)) return message?.id ?? null;
    if (message.run_id) return message.run_id;
    const next = this.pages.messages.findIndex((one, place) => place > at && (isSaid(one) || one.run_id));
    const group = this.pages.messages.slice(at, next < 0 ? undefined : next);
    return group.findLast((one) => one.role === "assistant")?.id ?? message.id;
  }

  /** Let go of messages far above; only for when nobody can see them go. */
  trim(): void {
    if (!this.pages.trim()) return;
    const runs = new Set(this.pages.messages.map((message) => message.run_id));
    for (const run of this.#shown.keys()) if (!runs.has(run)) this.#shown.delete(run);
  }

  /** Have a version of a turn, counted from 1, stand in the conversation, with all that followed it. */
  async choose(messageId: string, version: number): Promise<void> {
    const place = this.pages.messages.findIndex((message) => message.id === messageId);
    if (this.isBusy || !this.sessionId || place < 0) return;
    const fields = { session_id: this.sessionId, message_id: messageId, version };
    try {
      const { session } = await this.#asSeen((revision) => this.client.post<RowAnswer>("/api/session/version", { ...fields, revision }));
      this.row = session;
      await this.pages.loadFrom(place);
    } catch (error) {
      this.surprises.failed(sentenceOf(error));
      void this.#refresh();
    }
  }

  /** Let the agent do so much unasked, from its next turn on. */
  async allow(mode: ApprovalMode): Promise<void> {
    const why = await this.#want({ mode }, "/api/approval/mode", { mode });
    if (why !== null) this.surprises.failed(why);
  }

  /** Have the agent work in a folder, or with null in none. Answers why not, or null. */
  workIn(folder: string | null): Promise<string | null> {
    return this.#want({ folder }, "/api/session/workspace", { path: folder });
  }

  /** Show a wish at once; it stays one until the conversation begins. Answers why not, or null. */
  async #want(wish: { mode?: ApprovalMode; folder?: string | null }, path: string, fields: object): Promise<string | null> {
    const before = this.#wishes;
    this.#wishes = { ...before, ...wish };
    if (this.sessionId === null) return null;
    try {
      const { session } = await this.client.post<RowAnswer>(path, { session_id: this.sessionId, ...fields });
      this.row = session;
      if (this.status.phase !== "blank") this.#wishes = {};
      return null;
    } catch (error) {
      this.#wishes = before;
      return sentenceOf(error);
    }
  }

  /** Send a message, or have it wait where an answer is being written after all. */
  async send(text: string, messageId: string, attachments: readonly Attachment[] = []): Promise<Sent> {
    if (this.isBusy) return { accepted: false, failure: "" };
    this.#isStarting = true;
    this.ending = null;
    this.#pending = saidNow(messageId, text, attachments);
    this.#sending = this.#deliver(text, this.#pending, attachments);
    try {
      return await this.#sending;
    } finally {
      this.#isStarting = false;
      this.#sending = null;
    }
  }

  async #deliver(text: string, said: Message, attachments: readonly Attachment[]): Promise<Sent> {
    try {
      await this.pages.loadLatest();
      const started = await this.#start(text, said.id, attachments);
      this.#accept(started, { ...said, id: started.message_id });
      return { accepted: true };
    } catch (error) {
      this.#pending = null;
      this.isStopping = false;
      if (!(error instanceof ServerError && error.code === "run_active")) return refused(error);
      void this.#refresh();
      const queued = await this.queue.add(text, said.id, attachments, this.chosenModel ?? undefined);
      return queued.became === null ? { accepted: false, failure: queued.failure } : { accepted: true };
    }
  }

  /** Have a message wait for the answer that is being written, or with `steer` tell it to the agent at work. */
  async wait(text: string, messageId: string, attachments: readonly Attachment[], steer: boolean): Promise<Queued> {
    const before = await this.#sending;
    if (before?.accepted === false) return { became: null, failure: before.failure };
    const queued = steer ? await this.queue.steer(text, messageId) : await this.queue.add(text, messageId, attachments, this.chosenModel ?? undefined);
    if (queued.became === "sent") await this.#refresh();
    return queued;
  }

  /** Send what waits. */
  async resume(): Promise<void> {
    if (await this.queue.resume()) await this.#refresh();
  }

  async stop(): Promise<void> {
    const live = this.#live;
    if (!this.isBusy || this.isStopping) return;
    this.isStopping = true;
    if (!live) return; // told to the run as soon as it has a name
    try {
      await this.client.post("/api/chat/cancel", { stream_id: live.streamId });
    } catch (error) {
      this.isStopping = false;
      this.surprises.failed(sentenceOf(error));
    }
  }

  /** Answer the last message anew. */
  async retry(): Promise<void> {
    const lastSaid = this.pages.messages.findLastIndex(isSaid);
    const kept = this.pages.messages.slice(0, lastSaid + 1);
    const said = kept.at(-1);
    const wasAnswered = kept.length < this.pages.messages.length;
    const again = said && wasAnswered ? { ...said, ...withNewest(said, said.id) } : said;
    await this.#again("/api/chat/retry", again ? [...kept.slice(0, -1), again] : kept, said?.id);
  }

  /** Go on with an answer that was cut off, keeping it. */
  async goOn(): Promise<void> {
    await this.#again("/api/chat/continue", this.pages.messages, this.pages.messages.findLast(isSaid)?.id);
  }

  /** Put another text in the place of a message, and answer that. `revision` is what the person saw. */
  async edit(messageId: string, text: string, attachments: readonly Attachment[], newId: string, revision: number | undefined): Promise<Sent> {
    const place = this.pages.messages.findIndex((message) => message.id === messageId);
    const old = this.pages.messages[place];
    if (this.isBusy || !old || !this.sessionId) return { accepted: false, failure: this.isBusy ? chat.waitToEdit : "" };
    this.#isStarting = true;
    this.ending = null;
    const before = this.pages.messages;
    const said: Message = { ...saidNow(newId, text, attachments), ...withNewest(old, newId) };
    this.pages.messages = [...before.slice(0, place), said];
    try {
      const fields = { message_id: messageId, message: text, new_message_id: newId, model: this.chosenModel ?? undefined, attachments: idsOf(attachments) };
      const started = await this.client.post<RunStarted>("/api/chat/edit", { session_id: this.sessionId, ...fields, revision });
      if (this.row) this.row = { ...this.row, title: started.title, revision: started.revision };
      this.#follow(started.stream_id, EMPTY);
      return { accepted: true };
    } catch (error) {
      this.pages.messages = before;
      this.isStopping = false;
      if (error instanceof ServerError && error.status < 500 && error.status > 0) {
        this.#isStarting = false;
        await this.#refresh();
      }
      return refused(error);
    } finally {
      this.#isStarting = false;
    }
  }

  /** Have the model answer as `settings` say, from the next turn on. Raises what the server says against it. */
  async set(settings: ChatSettings): Promise<void> {
    // A conversation without its first message has no place for them yet: they go with that.
    if (this.sessionId) {
      const body = { session_id: this.sessionId, ...settings };
      this.row = (await this.client.post<RowAnswer>("/api/session/parameters", body)).session;
    }
    this.settings = settings;
  }

  /** Take back the last message of the person, with its answer. Answers whether it was. */
  async undo(): Promise<boolean> {
    return this.#rewrite("/api/session/undo", { message_id: this.pages.messages.findLast(isSaid)?.id });
  }

  /** Put back what was last taken away. */
  async putBack(): Promise<boolean> {
    return this.#rewrite("/api/session/put_back", {});
  }

  async #rewrite(path: string, fields: object): Promise<boolean> {
    if (this.isBusy || !this.sessionId) return false;
    const body = { session_id: this.sessionId, ...fields };
    try {
      const { session } = await this.#asSeen((revision) => this.client.post<Pick<Removed, "session">>(path, { ...body, revision }));
      this.row = session;
      return true;
    } catch (error) {
      this.surprises.failed(sentenceOf(error));
      return false;
    } finally {
      await this.#refresh();
    }
  }

  /** A new session that begins like this one, up to a message. Answers its id, or null when it could not be made. */
  async branch(messageId: string): Promise<string | null> {
    try {
      const body = { session_id: this.sessionId, message_id: messageId };
      return (await this.client.post<RowAnswer>("/api/session/branch", body)).session.session_id;
    } catch (error) {
      this.surprises.failed(sentenceOf(error));
      return null;
    }
  }

  async #again(path: string, kept: readonly Message[], messageId: string | undefined): Promise<void> {
    if (this.isBusy || !this.sessionId) return;
    const before = this.pages.messages;
    this.#isStarting = true;
    this.ending = null;
    this.pages.messages = kept;
    try {
      const body = { session_id: this.sessionId, message_id: messageId, model: this.chosenModel ?? undefined };
      const started = await this.#asSeen((revision) => this.client.post<RunStarted>(path, { ...body, revision }));
      if (this.row) this.row = { ...this.row, revision: started.revision };
      this.#follow(started.stream_id, EMPTY);
    } catch (error) {
      this.pages.messages = before;
      this.isStopping = false;
      this.surprises.failed(sentenceOf(error));
      if (error instanceof ServerError && error.status === 409) void this.#refresh();
    } finally {
      this.#isStarting = false;
    }
  }

  /** Ask for a change of what is seen here. That a title or a pin changed meanwhile is no reason to refuse it. */
  async #asSeen<Answer>(ask: (revision: number | undefined) => Promise<Answer>): Promise<Answer> {
    const seen = this.row;
    try {
      return await ask(seen?.revision);
    } catch (error) {
      const now = error instanceof ServerError && error.code === "stale_revision" ? (error.fields["session"] as Row | undefined) : undefined;
      const isSame = now?.message_count === seen?.message_count && now?.last_message_at === seen?.last_message_at;
      if (!now || !isSame || now.active_stream_id !== null) throw error;
      return ask(now.revision);
    }
  }

  /** The session that this is, or will be with its first message: what is attached needs one before that. */
  begin(): Promise<string> {
    if (this.sessionId !== null) return Promise.resolve(this.sessionId);
    this.#beginning ??= this.#newSession().finally(() => (this.#beginning = null));
    return this.#beginning;
  }

  /** Go on with a session that was begun here before and has no message yet. Answers whether it is still there, and so. */
  async resumeBlank(sessionId: string): Promise<boolean> {
    this.sessionId = sessionId;
    try {
      const { session } = await this.#page({ msg_limit: 1 });
      if (session.message_count === 0 && this.status.phase === "blank") this.row = { ...session };
      if (session.message_count === 0 || this.status.phase !== "blank") return true;
    } catch (error) {
      sentenceOf(error);
      if (!(error instanceof ServerError) || error.status !== 404) return true; // nobody knows; sending it will tell
    }
    if (this.status.phase === "blank") this.sessionId = null;
    return false;
  }

  async #start(text: string, messageId: string, attachments: readonly Attachment[]): Promise<RunStarted> {
    const model = this.chosenModel ?? undefined;
    const body = { message: text, message_id: messageId, model, attachments: idsOf(attachments) };
    const isUnwritten = this.status.phase === "blank";
    const sessionId = await this.begin();
    try {
      return await this.client.post<RunStarted>("/api/chat/start", { ...body, session_id: sessionId });
    } catch (error) {
      // A session without a message lives in the server's memory only: a restart takes it away, and nothing but its files with it.
      if (!isUnwritten || !(error instanceof ServerError) || error.status !== 404 || error.code === "attachment_not_found") throw error;
      this.sessionId = null;
      if (attachments.length > 0) throw new ServerError(carrying.gone, "attachment_not_found", 404);
      return this.client.post<RunStarted>("/api/chat/start", { ...body, session_id: await this.begin() });
    }
  }

  async #newSession(): Promise<string> {
    const model = this.chosenModel ?? undefined;
    const { mode, folder } = this.#wishes;
    const fields = { model, approval_mode: mode, workspace: folder ?? undefined, ...this.settings };
    const { session } = await this.client.post<RowAnswer>("/api/session/new", fields);
    const { session_id } = session;
    // Begun without saying anything it has the server's folder.
    if (folder === null) await this.client.post("/api/session/workspace", { session_id, path: null });
    this.sessionId = session_id;
    this.row = { ...session, workspace: folder === null ? null : session.workspace };
    return session_id;
  }

  #accept(started: RunStarted, said: Message): void {
    if (!this.pages.has(said.id)) this.pages.messages = [...this.pages.messages, said];
    this.#pending = null;
    const wasBlank = this.status.phase === "blank";
    this.status = { phase: "ready" };
    this.#wishes = {};
    if (this.row) this.row = { ...this.row, title: started.title, revision: started.revision };
    this.#follow(started.stream_id, EMPTY);
    if (wasBlank) this.surprises.named(started.session_id);
  }

  #follow(streamId: string, transcript: Transcript): void {
    this.#line?.stop();
    this.#live = { streamId, transcript, model: this.model };
    if (this.isStopping) {
      this.isStopping = false;
      void this.stop();
    }
    if (this.#isClosed) return;
    this.#line = this.streams.run(streamId, () => this.#live?.transcript.seq ?? 0, {
      frame: (frame) => this.#heard(streamId, frame),
      // Its journal is gone, or it never was: the document knows what became of it.
      refused: () => void this.#refresh({ evenIfLive: true }),
    });
  }

  #heard(streamId: string, frame: Frame): "go on" | "stop" {
    const live = this.#live;
    if (live?.streamId !== streamId) return "stop";
    const news = runFrame(frame);
    if (!news) return "go on";
    if (!isNumbered(news)) return this.#heardUnnumbered(live, news);
    if (isGap(live.transcript, news)) return this.#lost();
    const transcript = reduce(live.transcript, news);
    this.#live = { ...live, transcript };
    if (transcript.outcome === null) return "go on";
    this.#settle(this.#live, transcript.outcome);
    return "stop";
  }

  #heardUnnumbered(live: Live, news: OtherFrame): "go on" | "stop" {
    if (news.event === "resync") return this.#lost();
    this.#shown.set(live.streamId, live.transcript);
    this.#finished = { streamId: live.streamId, messages: news.messages, row: news.session };
    return "go on";
  }

  /** The run is over: its messages take the place of what was live, without a trace on the screen. */
  #settle(live: Live, outcome: Outcome): void {
    const finished = this.#finished;
    this.#finished = null;
    this.#shown.set(live.streamId, live.transcript);
    this.isStopping = false;
    this.ending = outcome;
    if (finished?.streamId !== live.streamId) return void this.#refresh({ evenIfLive: true });
    // The question carries the run's id too, and is not among what the run left.
    const others = this.pages.messages.filter((message) => isSaid(message) || message.run_id !== live.streamId);
    if (!this.pages.hasNewer) this.pages.messages = [...others, ...finished.messages];
    const isAhead = this.row !== null && finished.row !== null && this.row.revision > finished.row.revision;
    if (finished.row && !isAhead) this.row = finished.row;
    this.#live = null;
    // What arrived the moment it was over, from the background, may have been told before its ending was; and what
    // waited for this answer is being answered.
    if (this.row?.active_stream_id || (!this.pages.hasNewer && (this.row?.message_count ?? 0) > this.pages.end)) void this.#refresh();
  }

  #lost(): "stop" {
    void this.#refresh({ evenIfLive: true });
    return "stop";
  }

  /** Show what the server has now. The same run, if it is followed already, goes on undisturbed. */
  async #refresh({ evenIfLive = false } = {}): Promise<void> {
    if (!this.sessionId) return;
    if (this.#isRefreshing) {
      // What is on its way may be older than what made someone ask again.
      this.#refreshNext = { evenIfLive: evenIfLive || (this.#refreshNext?.evenIfLive ?? false) };
      return;
    }
    this.#isRefreshing = true;
    try {
      const around = this.status.phase === "loading" ? this.sought?.messageId : undefined;
      const asked = this.queue.ask();
      const page = await this.#page(around ? { msg_around: around } : {});
      if (this.#isClosed) return;
      this.queue.take(page.queue, asked);
      this.row = { ...page.session };
      this.settings = { system_prompt: page.session.system_prompt, parameters: page.session.parameters };
      if (this.status.phase === "loading") this.#draft = page.draft;
      if (around) this.pages.takeAround(page);
      else this.pages.takeLatest(page);
      this.#adopt(page.active_run, evenIfLive);
      this.status = { phase: "ready" };
    } catch (error) {
      this.#refreshFailed(error);
    } finally {
      this.#isRefreshing = false;
      const next = this.#refreshNext;
      this.#refreshNext = null;
      if (next && !this.#isClosed) void this.#refresh(next);
    }
  }

  #adopt(run: ActiveRun | null, evenIfLive: boolean): void {
    if (this.#isStarting) return;
    if (!run) {
      this.#line?.stop();
      this.#live = null;
      this.isStopping = false;
    } else if (evenIfLive || run.stream_id !== this.#live?.streamId) {
      this.#follow(run.stream_id, { ...transcriptFrom(run.transcript), seq: run.seq });
    }
  }

  #refreshFailed(error: unknown): void {
    const failure = sentenceOf(error);
    if (error instanceof ServerError && error.status === 404) this.status = { phase: "gone" };
    else if (this.status.phase === "loading") this.status = { phase: "failed", failure };
  }

  #page(query: PageQuery): Promise<SessionPage> {
    return this.client.get<SessionPage>("/api/session", { session_id: this.sessionId, msg_limit: PAGE, ...query });
  }
}

function saidNow(id: string, content: string, attachments: readonly Attachment[]): Message {
  return { id, role: "user", content, timestamp: Date.now() / 1000, attachments: [...attachments] };
}

function idsOf(attachments: readonly Attachment[]): string[] {
  return attachments.map((one) => one.id);
}

function refused(error: unknown): Sent {
  return { accepted: false, failure: sentenceOf(error), ...(error instanceof ServerError && { code: error.code }) };
}
