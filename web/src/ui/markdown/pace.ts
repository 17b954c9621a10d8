/** How often what grows is drawn: often enough to look alive, and never so often that the page has no time for anything else. */

/** Text that flows is as smooth at thirty frames a second; the others stay free for scrolling and typing. */
const SHORTEST_MS = 32;
/** A draw, with the layout and the painting that it brings, is followed by so many times as much rest. */
const REST = 8;
const LONGEST_MS = 400;

/** Less than this before its time, the next frame is as good. */
const NEAR_MS = 8;

export class Pace {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #notBefore = 0;

  /** `draw` is called in a frame. */
  constructor(private readonly draw: () => void) {}

  /** Draw when it is time. `hurried`: in the next frame. */
  want(hurried = false): void {
    if (hurried) this.#notBefore = 0;
    if (this.#frame) return;
    clearTimeout(this.#timer);
    const wait = this.#notBefore - performance.now();
    if (wait > NEAR_MS) this.#timer = setTimeout(() => this.#nextFrame(), wait - NEAR_MS);
    else this.#nextFrame();
  }

  stop(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #nextFrame(): void {
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const started = performance.now();
      this.#notBefore = started + SHORTEST_MS;
      this.draw();
      afterFrame(() => {
        const cost = performance.now() - started;
        this.#notBefore = Math.max(this.#notBefore, started + Math.min(cost * (1 + REST), LONGEST_MS));
      });
    });
  }
}

let channel: MessageChannel | null = null;
const calls: (() => void)[] = [];

/** Called in a frame: call back once it is painted. */
function afterFrame(call: () => void): void {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      for (const one of calls.splice(0)) one();
    };
  }
  calls.push(call);
  channel.port2.postMessage(null);
}
