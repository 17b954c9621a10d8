/** What every language has to say. */

import type * as English from "./en";

/** The same keys and the same arguments; the words are another language's own. */
export type Shape<Text> = Text extends string
  ? string
  : Text extends (...given: infer Given) => string
    ? (...given: Given) => string
    : { [Key in keyof Text]: Shape<Text[Key]> };

export type Catalogue = Shape<typeof English>;
