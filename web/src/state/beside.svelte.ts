/** What goes on beside the open session: questions asked aside, and tasks in the background. */

import { read } from "../run/reading";
import { EMPTY, transcriptFrom, type Transcript } from "../run/transcript";
import { ServerError, sentenceOf, type Client } from "../wire/client";
import type { Frame } from "../wire/sse";
import type { Line, Streams } from "../wire/streams";
import type { AsideAnswer, AsideNote, SessionPage, TaskAnswer, TaskNote } from "../wire/types";

/** A browser has six connections: so many are followed at once here, the others when one of them is over. */
const MOST_LINES = 2;
/** A task that waits begins without anyone being told: it is asked about so often. */
const WAITING_MS = 2_000;

export interface Aside extends Omit<AsideNote, "transcript"> {
  readonly transcript: Transcript;
  readonly isStopping: boolean;
}

export interface Task extends TaskNote {
  readonly transcript: Transcript;
  readonly isCancelling: boolean;
}

export interface BesideNews {
  failed(sentence: string): void;
}

export class Beside {
  asides = $state.raw<readonly Aside[]>([]);
  tasks = $state.raw<readonly Task[]>([]);
  /** Asides that were put aside themselves: a chip brings them back. */
  folded = $state.raw<ReadonlySet<string>>(new Set());
  #sessionId: string | null = null;
  #lines = new Map<string, Line>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #newest = 0;

  constructor(
    private readonly client: Client,
    private readonly streams: Streams,
    private readonly news: BesideNews,
  ) {}

  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** Look at another session, or at none. */
  show(sessionId: string | null): void {
    if (sessionId === this.#sessionId) return;
    this.#leave();
    this.#sessionId = sessionId;
    if (sessionId) void this.refresh(sessionId);
  }

  /** Ask the server what there is. News of a session that is not open changes nothing. */
  async refresh(sessionId: string): Promise<void> {
    if (sessionId !== this.#sessionId) return;
    const asked = ++this.#newest;
    try {
      const page = await this.client.get<SessionPage>("/api/session", { session_id: sessionId, messages: 0 });
      if (asked === this.#newest && sessionId === this.#sessionId) this.#take(page.asides, page.tasks);
    } catch (error) {
      if (error instanceof ServerError && error.status === 404 && sessionId === this.#sessionId) this.#take([], []);
    }
  }

  /** Ask something aside. Answers why not, or null. */
  async ask(sessionId: string, question: string, model: string | null): Promise<string | null> {
    try {
      const body = { session_id: sessionId, question, model: model ?? undefined };
      const { aside } = await this.client.post<AsideAnswer>("/api/btw", body);
      if (sessionId === this.#sessionId && !this.#has(aside.stream_id)) this.asides = [...this.asides, asideFrom(aside)];
      this.#followSome();
      return null;
    } catch (error) {
      return sentenceOf(error);
    }
  }

  /** Have something worked on. Answers why not, or null. */
  async begin(sessionId: string, prompt: string, model: string | null): Promise<string | null> {
    try {
      const body = { session_id: sessionId, prompt, model: model ?? undefined };
      await this.client.post<TaskAnswer>("/api/background", body);
      await this.refresh(sessionId);
      return null;
    } catch (error) {
      return sentenceOf(error);
    }
  }

  fold(streamId: string, isFolded: boolean): void {
    const folded = new Set(this.folded);
    if (isFolded) folded.add(streamId);
    else folded.delete(streamId);
    this.folded = folded;
  }

  async stop(aside: Aside): Promise<void> {
    this.#change(aside.stream_id, { isStopping: true });
    const isDone = await this.#attempt("/api/chat/cancel", { stream_id: aside.stream_id });
    if (!isDone) this.#change(aside.stream_id, { isStopping: false });
  }

  async keep(aside: Aside): Promise<void> {
    if (await this.#attempt("/api/btw/keep", { stream_id: aside.stream_id })) this.#remove(aside.stream_id);
  }

  async drop(aside: Aside): Promise<void> {
    if (await this.#attempt("/api/btw/drop", { stream_id: aside.stream_id })) this.#remove(aside.stream_id);
  }

  async cancel(task: Task): Promise<void> {
    this.tasks = this.tasks.map((one) => (one.task_id === task.task_id ? { ...one, isCancelling: true } : one));
    await this.#attempt("/api/background/cancel", { task_id: task.task_id });
    if (this.#sessionId) await this.refresh(this.#sessionId);
  }

  /** What is already gone is as good as done: another tab decided. */
  async #attempt(path: string, body: object): Promise<boolean> {
    try {
      await this.client.post(path, body);
      return true;
    } catch (error) {
      if (error instanceof ServerError && error.status === 404) {
        if (this.#sessionId) await this.refresh(this.#sessionId);
        return true;
      }
      this.news.failed(sentenceOf(error));
      return false;
    }
  }

  #leave(): void {
    this.#newest += 1;
    clearTimeout(this.#timer);
    for (const line of this.#lines.values()) line.stop();
    this.#lines.clear();
    this.asides = [];
    this.tasks = [];
    this.#sessionId = null;
  }

  #take(asides: readonly AsideNote[], tasks: readonly TaskNote[]): void {
    const known = new Map([...this.asides, ...this.tasks].map((one) => [one.stream_id, one]));
    this.asides = asides.map((note) => {
      const fresh = asideFrom(note);
      const old = known.get(note.stream_id);
      const isAhead = old && note.is_active && old.transcript.seq > fresh.transcript.seq;
      return isAhead ? { ...fresh, transcript: old.transcript } : fresh;
    });
    this.tasks = tasks.map((note) => {
      const old = known.get(note.stream_id) as Task | undefined;
      return { ...note, transcript: old?.transcript ?? EMPTY, isCancelling: old?.isCancelling ?? false };
    });
    const going = new Set(this.#going());
    for (const streamId of this.#lines.keys()) if (!going.has(streamId)) this.#letGo(streamId);
    this.#followSome();
    this.#askLater();
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    const sessionId = this.#sessionId;
    const isWaiting = this.tasks.some((task) => task.state !== "running");
    if (sessionId && isWaiting) this.#timer = setTimeout(() => void this.refresh(sessionId), WAITING_MS);
  }

  /** The streams that may still say something, those being looked at first. */
  #going(): string[] {
    const asides = this.asides.filter((one) => one.is_active && one.transcript.outcome === null);
    const open = asides.toSorted((a, b) => Number(this.folded.has(a.stream_id)) - Number(this.folded.has(b.stream_id)));
    const tasks = this.tasks.filter((one) => one.state === "running" && one.transcript.outcome === null);
    return [...open, ...tasks].map((one) => one.stream_id);
  }

  #followSome(): void {
    for (const streamId of this.#going()) {
      if (this.#lines.size >= MOST_LINES) return;
      if (!this.#lines.has(streamId)) this.#follow(streamId);
    }
  }

  #follow(streamId: string): void {
    const line = this.streams.run(streamId, () => this.#transcript(streamId)?.seq ?? 0, {
      frame: (frame) => this.#heard(streamId, frame),
      refused: () => this.#lost(streamId),
    });
    this.#lines.set(streamId, line);
  }

  #heard(streamId: string, frame: Frame): "go on" | "stop" {
    const known = this.#transcript(streamId);
    if (!known) return "stop";
    const transcript = read(known, frame);
    if (transcript === "lost") return this.#lost(streamId);
    this.#change(streamId, { transcript });
    if (transcript.outcome === null) return "go on";
    this.#change(streamId, { is_active: false, isStopping: false });
    return this.#lost(streamId);
  }

  /** This stream has nothing more to say: give its connection to the next one, and look afresh. */
  #lost(streamId: string): "stop" {
    this.#letGo(streamId);
    if (this.#sessionId) void this.refresh(this.#sessionId);
    return "stop";
  }

  #letGo(streamId: string): void {
    this.#lines.get(streamId)?.stop();
    this.#lines.delete(streamId);
  }

  #transcript(streamId: string): Transcript | undefined {
    return [...this.asides, ...this.tasks].find((one) => one.stream_id === streamId)?.transcript;
  }

  #change(streamId: string, news: Partial<Aside>): void {
    this.asides = this.asides.map((one) => (one.stream_id === streamId ? { ...one, ...news } : one));
    const { transcript } = news;
    if (transcript) this.tasks = this.tasks.map((one) => (one.stream_id === streamId ? { ...one, transcript } : one));
  }

  #remove(streamId: string): void {
    this.#letGo(streamId);
    this.asides = this.asides.filter((one) => one.stream_id !== streamId);
    this.fold(streamId, false);
    this.#followSome();
  }

  #has(streamId: string): boolean {
    return this.asides.some((one) => one.stream_id === streamId);
  }
}

function asideFrom(note: AsideNote): Aside {
  return { ...note, transcript: { ...transcriptFrom(note.transcript), seq: note.seq }, isStopping: false };
}
