import type { WithDefaults } from "../defaults.js";

/** What stands in a manifest and is not looked at must not pass for what was heeded. The SDK's own options mean nothing to us. */
export function refusalOf(tls: object | undefined): WithDefaults | undefined {
  for (const name in tls) if (!name.endsWith("DHE_RSA")) return refuse;
  return undefined;
}

function refuse(): never {
  throw new RangeError("config.tls: this was built without defaults in the manifest");
}
