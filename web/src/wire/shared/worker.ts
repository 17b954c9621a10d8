/** Where the shared worker begins. */

import { Client } from "../client";
import type { Surroundings } from "../follow";
import { DirectStreams } from "../streams";
import { clock } from "../surroundings";
import { Hub, Signs } from "./hub";
import { overMessagePort, type FromTab, type ToTab } from "./messages";

const signs = new Signs();
const world: Surroundings = { ...clock, watch: (call) => signs.watch(call) };
const client = new Client();
const hub = new Hub(new DirectStreams(client, world), world, signs);
client.listen({ refused: (error) => hub.trouble(error) });

self.addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port) hub.welcome(overMessagePort<ToTab, FromTab>(port));
});
