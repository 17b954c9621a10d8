/** Cutting a stream of bytes into server-sent events. Knows the format only. */

export interface Frame {
  /** The last id the stream named, which stands until it names another. */
  id: string;
  event: string;
  data: string;
}

/** Feed it text as it comes; it hands back the events that are whole. */
export class FrameParser {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  push(text: string): Frame[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const frames: Frame[] = [];
    for (const line of lines) {
      if (line === "") this.#finish(frames);
      else this.#field(line);
    }
    return frames;
  }

  #finish(frames: Frame[]): void {
    if (this.#data.length > 0) {
      frames.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") });
    }
    this.#event = "";
    this.#data = [];
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: the server's sign of life
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }
}
