/** Following what the server tells: what a tab asks for, and the streams of a tab that holds its own. */

import { RunBundle } from "./bundle";
import type { Client } from "./client";
import { Follower, type Line, type Surroundings, type Watcher } from "./follow";

export type { Line } from "./follow";

export interface Streams {
  /** Follow a run. `after` answers the number of the last event that the watcher has, at each connection anew. */
  run(streamId: string, after: () => number, watcher: Watcher): Line;
  /** Follow what happens in the whole account, after the version that the watcher has. */
  account(after: () => string, watcher: Watcher): Line;
}

/** Two connections: one for the account, one for all runs. */
export class DirectStreams implements Streams {
  readonly #runs: RunBundle;

  constructor(
    private readonly client: Client,
    private readonly world: Surroundings,
  ) {
    this.#runs = new RunBundle((runs, signal) => {
      const list = [...runs].map(([streamId, after]) => `${streamId}:${after}`).join(",");
      return client.open("/api/chat/streams", { runs: list }, signal);
    }, world);
  }

  run(streamId: string, after: () => number, watcher: Watcher): Line {
    return this.#runs.follow(streamId, after, watcher);
  }

  account(after: () => string, watcher: Watcher): Line {
    const open = (signal: AbortSignal): Promise<Response> => this.client.open("/api/events", { after: after() }, signal);
    const follower = new Follower(open, watcher, this.world);
    follower.start();
    return follower;
  }
}
