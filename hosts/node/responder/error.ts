/** A responder that cannot be set up, or an index file that cannot be read; the message says why. */
export class ResponderError extends Error {
  override readonly name = "ResponderError";
}

/** Does what may fail through a file's or an option's contents, and says which if it does. */
export function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new ResponderError(`${what}: ${(error as Error).message}`);
  }
}
