import type { Engine } from "./engine.js";
import { Sealer, TAG } from "./protection.js";

// Where a provider makes its output apart from the buffer that it works in, a host may hand that on and spare a copy
// and the memory for it.

/** A record that waits in `cipherOut`, alone, in its parts. */
export interface ApartRecord {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
}

/**
 * The application data that waits in `plainOut`, if it is a record's as it was opened and the provider still has it. Not if
 * most of the record is padding, which would be kept with it.
 */
export function openedApart({ inbox, opened, inbound }: Engine): Uint8Array | undefined {
  const n = opened.end - opened.start;
  if (opened.start !== inbox.plainAt || opened.end !== inbox.plainEnd) return undefined;
  const made = inbound instanceof Sealer ? inbound.aead.apart?.() : undefined;
  return made && 2 * n >= made.length ? made.subarray(0, n) : undefined;
}

/** The record that waits in `cipherOut`, if it is one, the last, and the provider still has it. */
export function sealedApart({ outbox }: Engine): ApartRecord | undefined {
  const { at, bytes, end, protection } = outbox;
  const body = protection instanceof Sealer ? protection.aead.apart?.() : undefined;
  if (body === undefined || end - at !== protection.prefix + body.length + TAG) return undefined;
  return { header: bytes.slice(at, at + protection.prefix), body, tag: bytes.slice(end - TAG, end) };
}
