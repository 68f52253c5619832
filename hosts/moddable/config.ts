/**
 * Module `tlstaple/config`: defaults from the application's manifest, its `config.tls`. Where there are none, a device has
 * nothing of it in flash.
 */

import config from "mc/config";
import { defaultsOf } from "./defaults.js";

export const withDefaults = config.tls && defaultsOf(config.tls);
