/** Module `tlstaple/config` of an application that does without: what its manifest has in `config.tls` is refused. */

import config from "mc/config";
import { refusalOf } from "./defaults.js";

export const withDefaults = refusalOf(config.tls);
