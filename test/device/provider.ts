import { psa } from "../../hosts/psa/index.js";
import type { Provider } from "../../src/crypto/provider.js";

const privateKey = new Uint8Array(32).fill(0x42);

/** A provider that draws what the recording's drew; in flash, as firmware's is. */
export const provider: Provider = Object.freeze(
  Object.create(psa(globalThis.psa), {
    aeads: { value: Object.freeze(["aes-128-gcm"]) },
    random: { value: (bytes: Uint8Array, start: number, end: number) => void bytes.fill(0x24, start, end) },
    exchange: { value: (group: number) => new globalThis.psa.Exchange(group, privateKey, 0, 32) },
  }),
);
