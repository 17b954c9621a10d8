/** The page's parts say what they say in English while they are tested. */

import { speak, speakMore } from "../src/strings";

await speak("en");
await speakMore();
