import type { Parts, SecureOptions, SocketOptions } from "./options.js";
import type { Platform } from "./platform.js";

/** Makes what a socket consists of, from its options with the application's defaults beneath them. */
export type WithDefaults = (platform: Platform, given: SocketOptions) => Parts;

type Named = Readonly<Record<string, unknown>>;

/** What is a function, and so can't be in a manifest. */
const callbacks = Object.freeze(["clock", "onSecure", "onError"]);

/**
 * Defaults of `secure` for every socket, as a manifest has them in `config.tls`. What is given to a socket wins; `ocsp`
 * and `buffers` are merged member by member. Where something is thrown because of a default alone, the error names it so.
 */
export function defaultsOf(tls: SecureOptions): WithDefaults {
  return (platform, given) => {
    refuseCallbacks(tls);
    try {
      return platform.assemble(platform, withSecure(given, over(tls, given.secure ?? {})));
    } catch (error) {
      blame(error as Error, () => platform.assemble(platform, withSecure(given, tls)));
      throw error;
    }
  };
}

function refuseCallbacks(tls: object): void {
  for (let i = 0; i < callbacks.length; i++)
    if (callbacks[i] in tls)
      throw new TypeError(`config.tls.${callbacks[i]}: a function, which no manifest has`);
}

function withSecure(options: SocketOptions, secure: SecureOptions): SocketOptions {
  return Object.create(options, { secure: { value: secure } });
}

function over(tls: SecureOptions, given: SecureOptions): SecureOptions {
  const groups = { ocsp: merge(tls.ocsp, given.ocsp), buffers: merge(tls.buffers, given.buffers) };
  return Object.assign(merge(tls, given) as object, groups);
}

/** As with the core's options, what is undefined undoes no default. */
function merge(defaults: object | undefined, given: object | undefined): object | undefined {
  if (!defaults) return given;
  const merged = Object.assign({}, defaults) as Record<string, unknown>;
  for (const name in given) {
    const value = (given as Named)[name];
    if (value !== undefined || !(name in merged)) merged[name] = value;
  }
  return merged;
}

/** The default is to blame where it is refused by itself, with the same words. */
function blame(error: Error, make: () => unknown): void {
  try {
    make();
  } catch (alone) {
    if ((alone as Error).message === error.message)
      error.message = error.message.replace("secure.", "config.tls.");
  }
}
