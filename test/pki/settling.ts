import type { Provider } from "../../src/crypto/provider.js";

/** The provider, that calls `settled` for each signature it is asked to verify. */
export function settling(provider: Provider, settled: () => void): Provider {
  return Object.freeze<Provider>({
    ...provider,
    verification: (scheme) => {
      const inner = provider.verification(scheme);
      return {
        update: (bytes, start, end) => inner.update(bytes, start, end),
        end: () => inner.end(),
        digest: (out, at) => inner.digest(out, at),
        settle(...what) {
          settled();
          return inner.settle(...what);
        },
      };
    },
  });
}
