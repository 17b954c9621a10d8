/** Asking the server for something, and the one shape in which it refuses. */

import { newId } from "./ids";

/** A refusal, or silence, with a sentence for the person. `code` is `unreachable` when nothing answered. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "ServerError";
  }

  get isUnreachable(): boolean {
    return this.code === "unreachable";
  }

  get isSignedOut(): boolean {
    return this.status === 401 && this.code === "not_signed_in";
  }
}

export interface ClientEvents {
  /** The server no longer knows who asks (`not_signed_in`), or a request found nobody (`unreachable`). */
  refused(error: ServerError): void;
}

/** What carries a request to the server, as `fetch` does. */
export type Carrier = (address: string, init: RequestInit) => Promise<Response>;

export type Query = Record<string, string | number | boolean | null | undefined>;

/** What is said where no server says it, or another language than the server's is spoken. */
export const sentences = {
  /** The sentence for a refusal, or null where the server's own will do. */
  refusal: (_code: string, _facts: ServerError["fields"]): string | null => null,
  unreachable: "Fireside does not answer. What you wrote is kept; try again in a moment.",
  unreadable: "The server's answer could not be read. Try again.",
  broken: "Something in this page went wrong. Reload it; what was said is kept on the server.",
};

export class Client {
  #events: ClientEvents = { refused: () => {} };

  listen(events: ClientEvents): void {
    this.#events = events;
  }

  get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#ask<Answer>(address(path, query), { signal: signal ?? null });
  }

  /** Ask for a change. Where the answer got lost it is asked for once more, by an id that keeps it from being done twice. */
  async post<Answer>(path: string, body: object = {}): Promise<Answer> {
    const init = posted({ request_id: newId(), ...body });
    try {
      return await this.#ask<Answer>(path, init, { quietly: true });
    } catch (error) {
      if (!(error instanceof ServerError) || !error.isUnreachable) throw error;
      return this.#ask<Answer>(path, init);
    }
  }

  /**
   * Ask for a change that the caller repeats by itself until it is made.
   * `outlives`: the browser delivers it also when the page goes meanwhile; such a body is to be short of 64 kB.
   */
  postOnce<Answer>(path: string, body: object, { outlives = false } = {}): Promise<Answer> {
    return this.#ask<Answer>(path, { ...posted(body), keepalive: outlives });
  }

  /** Send a file as it is. */
  upload<Answer>(path: string, file: Blob): Promise<Answer> {
    return this.#ask<Answer>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: file });
  }

  /** Send the bytes of a file, whatever it is. */
  give<Answer>(path: string, query: Query, file: Blob, carry: Carrier, signal: AbortSignal): Promise<Answer> {
    const headers = { "Content-Type": "application/octet-stream" };
    return this.#ask<Answer>(address(path, query), { method: "POST", headers, body: file, signal }, { carry });
  }

  /** Open an event stream; the answer's body is the caller's to read and to close. */
  async open(path: string, query: Query, signal: AbortSignal): Promise<Response> {
    const answer = await this.#fetch(address(path, query), { signal, headers: { Accept: "text/event-stream" } });
    if (!answer.ok) throw await this.#refusal(answer);
    return answer;
  }

  async #ask<Answer>(path: string, init: RequestInit, { quietly = false, carry = fetching } = {}): Promise<Answer> {
    const answer = await this.#fetch(path, init, quietly, carry);
    if (!answer.ok) throw await this.#refusal(answer);
    try {
      return (await answer.json()) as Answer;
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
      throw new ServerError(sentences.unreadable, "unreadable", answer.status);
    }
  }

  async #fetch(path: string, init: RequestInit, quietly = false, carry = fetching): Promise<Response> {
    try {
      return await carry(path, { credentials: "same-origin", cache: "no-store", ...init });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      const error = new ServerError(sentences.unreachable, "unreachable", 0);
      if (!quietly) this.#events.refused(error);
      throw error;
    }
  }

  async #refusal(answer: Response): Promise<ServerError> {
    const fields = await answer.json().then(asRecord, () => ({}) as Record<string, unknown>);
    const said = typeof fields["error"] === "string" ? fields["error"] : `The server answered ${answer.status}.`;
    const code = typeof fields["code"] === "string" ? fields["code"] : "unknown";
    const error = new ServerError(said, code, answer.status, fields);
    if (error.isSignedOut) this.#events.refused(error);
    return error;
  }
}

/** The sentence to show for whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ServerError) return sentences.refusal(error.code, error.fields) ?? error.message;
  console.error(error);
  return sentences.broken;
}

const fetching: Carrier = (address, init) => fetch(address, init);

function posted(body: object): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export function address(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value != null) parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
