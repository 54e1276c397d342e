/** The page that stands at every address at which there is none. */

import { startFrame } from "../shared/frame.js";

await startFrame(null);
