/*
 * psa.c's natives for the Moddable SDK, in its syntax: `@` names the C function. The type is PsaNative, in
 * native.ts.
 */

class Hash @ "tlstaple_psa_Hash_destroy" {
  constructor(algorithm) @ "tlstaple_psa_Hash";
  update(bytes, start, end) @ "tlstaple_psa_Hash_update";
  digest(out, at) @ "tlstaple_psa_Hash_digest";
}

class Aead @ "tlstaple_psa_Aead_destroy" {
  constructor(algorithm, key, start, end) @ "tlstaple_psa_Aead";
  seal(nonce, aad, aadStart, aadEnd, bytes, start, end) @ "tlstaple_psa_Aead_seal";
  open(nonce, aad, aadStart, aadEnd, bytes, start, end) @ "tlstaple_psa_Aead_open";
  dispose() @ "tlstaple_psa_Aead_dispose";
}

class Exchange @ "tlstaple_psa_Exchange_destroy" {
  constructor(group) @ "tlstaple_psa_Exchange";
  publicKey(out, at) @ "tlstaple_psa_Exchange_publicKey";
  agree(peer, start, end, out, at) @ "tlstaple_psa_Exchange_agree";
  dispose() @ "tlstaple_psa_Exchange_dispose";
}

class Verification @ "tlstaple_psa_Verification_destroy" {
  constructor(scheme) @ "tlstaple_psa_Verification";
  update(bytes, start, end) @ "tlstaple_psa_Verification_update";
  end() @ "tlstaple_psa_Verification_end";
  digest(out, at) @ "tlstaple_psa_Verification_digest";
  settle(key, signature, start, end) @ "tlstaple_psa_Verification_settle";
}

class PrivateKey @ "tlstaple_psa_PrivateKey_destroy" {
  constructor(kind, bytes, start, end) @ "tlstaple_psa_PrivateKey";
  sign(scheme, hash, out, at) @ "tlstaple_psa_PrivateKey_sign";
  dispose() @ "tlstaple_psa_PrivateKey_dispose";
}

function random(bytes, start, end) @ "tlstaple_psa_random";
function hmac(algorithm, key, keyStart, keyEnd, data, start, end, out, at) @ "tlstaple_psa_hmac";
function supports(what) @ "tlstaple_psa_supports";

export default Object.freeze({ Hash, Aead, Exchange, Verification, PrivateKey, random, hmac, supports });
