/** The streams of this tab. A worker that holds them for all tabs would be another implementation of `Streams`. */

import type { Client } from "./client";
import { Follower, type Surroundings, type Watcher } from "./follow";

export interface Line {
  stop(): void;
  retryNow(): void;
}

export interface Streams {
  /** Follow a run. `after` answers the number of the last event that the watcher has, at each connection anew. */
  run(streamId: string, after: () => number, watcher: Watcher): Line;
  /** Follow what happens in the whole account, after the version that the watcher has. */
  account(after: () => string, watcher: Watcher): Line;
}

export class DirectStreams implements Streams {
  constructor(
    private readonly client: Client,
    private readonly world: Surroundings,
  ) {}

  run(streamId: string, after: () => number, watcher: Watcher): Line {
    return this.#follow("/api/chat/stream", () => ({ stream_id: streamId, after_seq: after() }), watcher);
  }

  account(after: () => string, watcher: Watcher): Line {
    return this.#follow("/api/events", () => ({ after: after() }), watcher);
  }

  #follow(path: string, query: () => Record<string, string | number>, watcher: Watcher): Line {
    const follower = new Follower((signal) => this.client.open(path, query(), signal), watcher, this.world);
    follower.start();
    return follower;
  }
}
