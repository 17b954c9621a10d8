/** What was sent from a draft and is not known to have arrived: on its way, or back where one writes. */

import type { Attachment } from "../wire/types";
import { areSame, without } from "./agreeing";
import type { SentHere } from "./draftsHere";

type Files = readonly Attachment[];

/** The first sent stands first. What came back is how the text begins, until the person changes that. */
export class Unconfirmed {
  #all: readonly SentHere[];
  readonly #away = new Set<SentHere>();

  constructor(back: readonly SentHere[] = []) {
    this.#all = back;
  }

  get all(): readonly SentHere[] {
    return this.#all;
  }

  /** Is something on its way? */
  get isAway(): boolean {
    return this.#away.size > 0;
  }

  get files(): Files {
    return this.#all.flatMap((one) => one.attachments ?? []);
  }

  /** The id under which the same came back. What is still on its way is another message, also where it says the same. */
  idOf(text: string, files: Files): string {
    return this.#back.find((one) => one.text === text && areSame(one.attachments ?? [], files))?.messageId ?? "";
  }

  /** What came back leaves with the text that it stands in. */
  leave(sent: SentHere): void {
    this.#all = [...this.#all.filter((one) => this.#away.has(one)), sent];
    this.#away.add(sent);
  }

  arrive(sent: SentHere): void {
    this.#away.delete(sent);
    this.#all = this.#all.filter((one) => one !== sent);
  }

  /** The text with what comes back in it. */
  comeBack(sent: SentHere, text: string): string {
    const rest = this.#rest(text);
    this.#away.delete(sent);
    return lines([this.#front, rest]);
  }

  /** What came back and is among the messages after all need not be sent again: the text and the files without it. */
  heed(has: (messageId: string) => boolean, text: string, files: Files): { text: string; files: Files } | null {
    const arrived = this.#back.filter((one) => has(one.messageId));
    if (arrived.length === 0) return null;
    const rest = this.#rest(text);
    this.#all = this.#all.filter((one) => !arrived.includes(one));
    return { text: lines([this.#front, rest.trimStart()]), files: without(files, arrived.flatMap((one) => one.attachments ?? [])) };
  }

  /** Forget what came back where the person made something else of it. */
  check(text: string, files: Files): void {
    const back = this.#back;
    const isAllThere = text.startsWith(this.#front) && back.every((one) => without(one.attachments ?? [], files).length === 0);
    if (!isAllThere) this.#all = this.#all.filter((one) => this.#away.has(one));
  }

  /** What stands in the text after all that came back, or would if everything did. */
  after(text: string): string {
    const rest = text.slice(this.#front.length);
    if (!this.isAway || rest.startsWith("\n")) return rest;
    return rest.trim() === "" ? "" : `\n${rest}`;
  }

  get #back(): readonly SentHere[] {
    return this.#all.filter((one) => !this.#away.has(one));
  }

  get #front(): string {
    return textOf(this.#back);
  }

  #rest(text: string): string {
    const front = this.#front;
    return front === "" ? text : text.slice(front.length).replace(/^\n/, "");
  }
}

/** How a text begins in which all that was sent stands again. */
export function textOf(sent: readonly SentHere[]): string {
  return lines(sent.map((one) => one.text));
}

function lines(texts: readonly string[]): string {
  return texts.filter((text) => text.trim() !== "").join("\n");
}
