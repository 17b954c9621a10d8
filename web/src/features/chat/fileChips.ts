/** What shows the files that go with a message, fetched with the first of them. */

import { withMore } from "../../strings";
import { Lazy } from "../../ui/lazy.svelte";

export const fileChips = new Lazy(() => withMore(import("./FileChips.svelte")));
