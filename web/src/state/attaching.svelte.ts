/** Files on their way to be attached: one after the other, each to be given up, or tried again where it failed. */

import { carrying as words } from "../strings";
import { sentenceOf, ServerError, type Client } from "../wire/client";
import type { Attachment, AttachmentAnswer } from "../wire/types";

/** What the server takes: so large a file, and so many with a message. */
const MAX_BYTES = 50 * 1024 * 1024;
const MAX_FILES = 20;
/** What a browser can show of a file before the server has looked at it. */
const SHOWABLE = /^image\/(png|jpeg|gif|webp)$/;

export interface Pending {
  readonly key: string;
  readonly name: string;
  /** Null for a copy of a file of the folder. */
  readonly size: number | null;
  /** The part that is there, or why it will not be. */
  readonly state: { readonly phase: "waiting" | "going"; readonly part: number } | { readonly phase: "failed"; readonly failure: string; readonly canRetry: boolean };
}

/** Something that files are attached to. */
export interface Holder {
  readonly attachments: readonly Attachment[];
  /** What is on its way; null as long as nothing ever was. */
  attaching: Attaching | null;
  /** The session that holds the files, which may have to begin first. */
  session(): Promise<string>;
  attach(attachment: Attachment): void;
  detach(id: string): void;
}

type Source = { readonly file: File } | { readonly path: string };

export class Attaching {
  pending = $state.raw<readonly Pending[]>([]);
  /** What is to be said of what was just given, though none of it is here. */
  remark = $state("");
  #sources = new Map<string, Source>();
  #leaving: { readonly key: string; readonly end: AbortController } | null = null;
  /** Pictures as this tab has them, by their key here and then by their id: shown without asking the server. */
  #previews = new Map<string, string>();
  #arrived = new Map<string, File>();
  #keys = new Map<string, string>();
  #count = 0;
  #waiters: (() => void)[] = [];

  constructor(
    private readonly client: Client,
    private readonly holder: Holder,
    private readonly rested: () => void,
  ) {}

  get isGoing(): boolean {
    return this.pending.some((one) => one.state.phase !== "failed");
  }

  get failed(): readonly Pending[] {
    return this.pending.filter((one) => one.state.phase === "failed");
  }

  /** Wait until nothing is on its way. Answers what is missing then, for the person, or null. */
  async missing(): Promise<string | null> {
    if (this.isGoing) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    const names = this.failed.map((one) => one.name);
    return names.length === 0 ? null : words.notSent(names.join(", "), names.length, this.failed.some(({ state }) => state.phase === "failed" && state.canRetry));
  }

  /** The address of a picture that this tab has itself. */
  previewOf(keyOrId: string): string | undefined {
    return this.#previews.get(keyOrId);
  }

  /** The key under which an attachment was on its way here, else its id: so it keeps its place on the screen. */
  keyOf(id: string): string {
    return this.#keys.get(id) ?? id;
  }

  give(files: readonly File[]): void {
    const left = Math.max(0, MAX_FILES - this.holder.attachments.length - this.pending.length);
    this.remark = files.length > left ? words.tooMany(MAX_FILES, files.length - left) : "";
    for (const file of files.slice(0, left)) {
      const key = this.#add(file.name, file.size, { file });
      if (SHOWABLE.test(file.type)) this.#previews.set(key, URL.createObjectURL(file));
      if (file.size > MAX_BYTES) this.#fail(key, words.tooLarge, false);
      else if (file.size === 0) this.#fail(key, words.isEmpty, false);
    }
    this.#next();
  }

  /** Attach a copy of a file of the session's folder. */
  copy(path: string): void {
    if (this.holder.attachments.length + this.pending.length >= MAX_FILES) this.remark = words.tooMany(MAX_FILES, 1);
    else this.#add(path.slice(path.lastIndexOf("/") + 1), null, { path });
    this.#next();
  }

  retry(key: string): void {
    this.#put(key, { phase: "waiting", part: 0 });
    this.#next();
  }

  /** Give up what is on its way, or what failed. */
  cancel(key: string): void {
    if (this.#leaving?.key === key) this.#leaving.end.abort();
    this.#release(key);
    this.#forget(key);
  }

  /** Take out what is attached. */
  remove(id: string): void {
    this.holder.detach(id);
    this.#release(id);
    this.#arrived.delete(id);
    this.#dropThere(id);
  }

  /** The server does not have them any more: give them anew, as far as this tab still can. */
  lost(ids: readonly string[]): void {
    for (const one of this.holder.attachments.filter(({ id }) => ids.includes(id))) {
      const file = this.#arrived.get(one.id);
      this.holder.detach(one.id);
      this.#release(one.id);
      const key = this.#add(one.name, one.size, file ? { file } : { path: "" });
      if (file && SHOWABLE.test(file.type)) this.#previews.set(key, URL.createObjectURL(file));
      this.#fail(key, words.gone, file !== undefined);
    }
  }

  /** Give up all that is on its way, and let go of what is there. */
  stop(): void {
    for (const { key } of this.pending) this.cancel(key);
    this.letGo();
  }

  /** Nobody looks any more: let go of what this tab holds of files that are there. */
  letGo(): void {
    for (const id of [...this.#previews.keys()]) if (!this.#sources.has(id)) this.#release(id);
    this.#arrived.clear();
  }

  #add(name: string, size: number | null, source: Source): string {
    const key = `file-${++this.#count}`;
    this.#sources.set(key, source);
    this.pending = [...this.pending, { key, name, size, state: { phase: "waiting", part: 0 } }];
    return key;
  }

  #next(): void {
    const next = this.#leaving ? undefined : this.pending.find((one) => one.state.phase === "waiting");
    const source = next && this.#sources.get(next.key);
    if (source) void this.#send(next.key, source);
  }

  async #send(key: string, source: Source): Promise<void> {
    const end = new AbortController();
    this.#leaving = { key, end };
    this.#put(key, { phase: "going", part: 0 });
    try {
      const attachment = await this.#carry(key, source, end.signal);
      if (end.signal.aborted) return this.#dropThere(attachment.id);
      this.#keepSeen(key, attachment.id, source);
      this.holder.attach(attachment);
      this.#forget(key);
    } catch (error) {
      if (!end.signal.aborted) this.#fail(key, sentenceOf(error), mayPass(error));
    } finally {
      this.#leaving = null;
      this.#next();
      this.#tell();
    }
  }

  async #carry(key: string, source: Source, signal: AbortSignal): Promise<Attachment> {
    const session_id = await this.holder.session();
    signal.throwIfAborted();
    if ("path" in source) {
      const body = { session_id, path: source.path };
      return (await this.client.post<AttachmentAnswer>("/api/attachment/from_workspace", body)).attachment;
    }
    const { carrying } = await import("../wire/carrying");
    const carry = carrying((part) => !signal.aborted && this.#put(key, { phase: "going", part }));
    const query = { session_id, name: source.file.name };
    return (await this.client.give<AttachmentAnswer>("/api/attachment/upload", query, source.file, carry, signal)).attachment;
  }

  /** What arrived is the same file, under the name that the server gave it. */
  #keepSeen(key: string, id: string, source: Source): void {
    const preview = this.#previews.get(key);
    if (preview) this.#previews.set(id, preview);
    this.#previews.delete(key);
    this.#keys.set(id, key);
    if ("file" in source) this.#arrived.set(id, source.file);
  }

  /** Failing leaves the server with a file that nothing names. */
  #dropThere(id: string): void {
    const dropping = this.holder.session().then((session_id) => this.client.post("/api/attachment/remove", { session_id, id }));
    dropping.catch(sentenceOf);
  }

  #put(key: string, state: Pending["state"]): void {
    this.pending = this.pending.map((one) => (one.key === key ? { ...one, state } : one));
  }

  #fail(key: string, failure: string, canRetry: boolean): void {
    this.#put(key, { phase: "failed", failure, canRetry });
  }

  #forget(key: string): void {
    this.pending = this.pending.filter((one) => one.key !== key);
    this.#sources.delete(key);
    this.#tell();
  }

  #release(key: string): void {
    const preview = this.#previews.get(key);
    if (preview) URL.revokeObjectURL(preview);
    this.#previews.delete(key);
  }

  #tell(): void {
    if (!this.isGoing) for (const resolve of this.#waiters.splice(0)) resolve();
    this.rested();
  }
}

/** May it arrive another time? Not what is refused for what it is; where there is no room, other files may be taken out. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof ServerError) || error.code === "attachments_full") return true;
  return ![400, 413, 415].includes(error.status);
}
