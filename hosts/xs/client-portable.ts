import { readPrivateKey } from "../moddable/privatekey.js";
import { portable } from "../portable/provider.js";
import { signerOf } from "../portable/signer.js";
import { Client } from "./client.js";

// Not for `--preload`, in which BigInts don't equal those of flash: over noble.

const provider = portable({ random: host.random, lean: true });

new Client(provider, (der) => signerOf(readPrivateKey(der)));
