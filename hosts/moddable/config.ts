/** Module `tlstaple/config`: defaults from the application's manifest, its `config.tls`. An application may do without. */

import config from "mc/config";
import { defaultsOf } from "./defaults.js";

export const withDefaults = config.tls && defaultsOf(config.tls);
