/*
 * The natives of psa.c, which bindings.mjs names for the Moddable SDK and register.c hands to our XS host.
 * A class is its constructor, its destructor, which the engine calls for what became garbage, and methods.
 */

#ifndef TLSTAPLE_PSA_NATIVES
#define TLSTAPLE_PSA_NATIVES

#include <stddef.h>

#include "xsmc.h"

void tlstaple_psa_Hash(xsMachine* the);
void tlstaple_psa_Hash_destroy(void* chunk);
void tlstaple_psa_Hash_update(xsMachine* the);
void tlstaple_psa_Hash_digest(xsMachine* the);

void tlstaple_psa_Aead(xsMachine* the);
void tlstaple_psa_Aead_destroy(void* chunk);
void tlstaple_psa_Aead_seal(xsMachine* the);
void tlstaple_psa_Aead_open(xsMachine* the);
void tlstaple_psa_Aead_dispose(xsMachine* the);

void tlstaple_psa_Exchange(xsMachine* the);
void tlstaple_psa_Exchange_destroy(void* chunk);
void tlstaple_psa_Exchange_publicKey(xsMachine* the);
void tlstaple_psa_Exchange_agree(xsMachine* the);
void tlstaple_psa_Exchange_dispose(xsMachine* the);

void tlstaple_psa_Verification(xsMachine* the);
void tlstaple_psa_Verification_destroy(void* chunk);
void tlstaple_psa_Verification_update(xsMachine* the);
void tlstaple_psa_Verification_end(xsMachine* the);
void tlstaple_psa_Verification_digest(xsMachine* the);
void tlstaple_psa_Verification_settle(xsMachine* the);

void tlstaple_psa_PrivateKey(xsMachine* the);
void tlstaple_psa_PrivateKey_destroy(void* chunk);
void tlstaple_psa_PrivateKey_sign(xsMachine* the);
void tlstaple_psa_PrivateKey_dispose(xsMachine* the);

void tlstaple_psa_random(xsMachine* the);
void tlstaple_psa_hmac(xsMachine* the);
void tlstaple_psa_supports(xsMachine* the);

#endif
