/** The shape of the words that are fetched later. */

import type { Shape } from "../catalogue";
import type * as English from "./later-en";

export type LaterWords = Shape<typeof English>;
