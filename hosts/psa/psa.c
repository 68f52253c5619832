/*
 * The primitives of src/crypto/provider.ts as natives over the PSA Crypto API 1.0. Only what Mbed TLS 2.28, 3
 * and 4 have in common is called.
 *
 * State lies in host chunks. The engine moves chunks and buffers whenever it allocates, so that none of their
 * addresses is kept over an allocation; PSA's operations bear being moved, as they never point into themselves.
 * A destructor gets the chunk of what became garbage before that is given up, or NULL.
 * What comes from JavaScript is checked before PSA sees it, `this` too: the engine compares its destructor
 * with the one of the class.
 */

/*
 * On an ESP32 the Moddable SDK compiles this outside ESP-IDF's build, which defines the following for whatever
 * uses its Mbed TLS 4. Without them the headers would describe a library of other options, whose operations
 * have other sizes than those of the one that is linked.
 */
#if ESP32
	#ifndef MBEDTLS_CONFIG_FILE
		#define MBEDTLS_CONFIG_FILE "mbedtls/esp_config.h"
	#endif
	#ifndef TF_PSA_CRYPTO_USER_CONFIG_FILE
		#define TF_PSA_CRYPTO_USER_CONFIG_FILE "mbedtls/esp_config.h"
	#endif
	#ifndef MBEDTLS_MAJOR_VERSION
		#define MBEDTLS_MAJOR_VERSION 4
	#endif
#endif

#include "psa.h"

#include <psa/crypto.h>
#include <stdint.h>
#include <string.h>

#if ESP32 && !defined(ESP_CONFIG_H)
	#error "psa.c: the headers of Mbed TLS were not configured by ESP-IDF's mbedtls/esp_config.h"
#endif

/* ---- What the library was built to do */

/* Found by its name in provider.ts, or by its number in IANA's registries. */
typedef struct {
	const char* name;
	int id;
	psa_algorithm_t algorithm;
	psa_key_type_t type;
	size_t bits;
} Row;

static const Row gHashes[] = {
#ifdef PSA_WANT_ALG_SHA_1
	{ "sha1", 0, PSA_ALG_SHA_1, 0, 0 },
#endif
#ifdef PSA_WANT_ALG_SHA_256
	{ "sha256", 0, PSA_ALG_SHA_256, 0, 0 },
#endif
#ifdef PSA_WANT_ALG_SHA_384
	{ "sha384", 0, PSA_ALG_SHA_384, 0, 0 },
#endif
#ifdef PSA_WANT_ALG_SHA_512
	{ "sha512", 0, PSA_ALG_SHA_512, 0, 0 },
#endif
	{ NULL, 0, 0, 0, 0 },
};

static const Row gAeads[] = {
#ifdef PSA_WANT_ALG_GCM
	{ "aes-128-gcm", 0, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 128 },
	{ "aes-256-gcm", 0, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256 },
#endif
#ifdef PSA_WANT_ALG_CHACHA20_POLY1305
	{ "chacha20-poly1305", 0, PSA_ALG_CHACHA20_POLY1305, PSA_KEY_TYPE_CHACHA20, 256 },
#endif
	{ NULL, 0, 0, 0, 0 },
};

/* NamedGroup, RFC 8446 4.2.7. */
static const Row gGroups[] = {
#ifdef PSA_WANT_ECC_MONTGOMERY_255
	{ NULL, 0x001d, PSA_ALG_ECDH, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY), 255 },
#endif
#ifdef PSA_WANT_ECC_SECP_R1_256
	{ NULL, 0x0017, PSA_ALG_ECDH, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 256 },
#endif
#ifdef PSA_WANT_ECC_SECP_R1_384
	{ NULL, 0x0018, PSA_ALG_ECDH, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 384 },
#endif
#ifdef PSA_WANT_ECC_SECP_R1_521
	{ NULL, 0x0019, PSA_ALG_ECDH, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 521 },
#endif
#ifdef PSA_WANT_ECC_MONTGOMERY_448
	{ NULL, 0x001e, PSA_ALG_ECDH, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY), 448 },
#endif
	{ NULL, 0, 0, 0, 0 },
};

/* The kinds of keys that sign, with the type of their public half. RSA keys come in many sizes. */
static const Row gKinds[] = {
#ifdef PSA_WANT_ECC_SECP_R1_256
	{ "p256", 0, 0, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), 256 },
#endif
#ifdef PSA_WANT_ECC_SECP_R1_384
	{ "p384", 0, 0, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), 384 },
#endif
#ifdef PSA_WANT_ECC_SECP_R1_521
	{ "p521", 0, 0, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), 521 },
#endif
#ifdef PSA_WANT_KEY_TYPE_RSA_PUBLIC_KEY
	{ "rsa", 0, 0, PSA_KEY_TYPE_RSA_PUBLIC_KEY, 0 },
#endif
	{ NULL, 0, 0, 0, 0 },
};

/* SignatureScheme, RFC 8446 4.2.3. */
static const Row gSchemes[] = {
#if defined(PSA_WANT_ALG_ECDSA) && defined(PSA_WANT_ALG_SHA_256)
	{ NULL, 0x0403, PSA_ALG_ECDSA(PSA_ALG_SHA_256), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_ECDSA) && defined(PSA_WANT_ALG_SHA_384)
	{ NULL, 0x0503, PSA_ALG_ECDSA(PSA_ALG_SHA_384), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_ECDSA) && defined(PSA_WANT_ALG_SHA_512)
	{ NULL, 0x0603, PSA_ALG_ECDSA(PSA_ALG_SHA_512), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PSS) && defined(PSA_WANT_ALG_SHA_256)
	{ NULL, 0x0804, PSA_ALG_RSA_PSS(PSA_ALG_SHA_256), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PSS) && defined(PSA_WANT_ALG_SHA_384)
	{ NULL, 0x0805, PSA_ALG_RSA_PSS(PSA_ALG_SHA_384), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PSS) && defined(PSA_WANT_ALG_SHA_512)
	{ NULL, 0x0806, PSA_ALG_RSA_PSS(PSA_ALG_SHA_512), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PKCS1V15_SIGN) && defined(PSA_WANT_ALG_SHA_256)
	{ NULL, 0x0401, PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_256), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PKCS1V15_SIGN) && defined(PSA_WANT_ALG_SHA_384)
	{ NULL, 0x0501, PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_384), 0, 0 },
#endif
#if defined(PSA_WANT_ALG_RSA_PKCS1V15_SIGN) && defined(PSA_WANT_ALG_SHA_512)
	{ NULL, 0x0601, PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_512), 0, 0 },
#endif
	{ NULL, 0, 0, 0, 0 },
};

/* ---- Arguments */

static void needArguments(xsMachine* the, int count)
{
	if (xsmcArgc < count) xsTypeError("%d arguments are needed", count);
}

/* A whole number from 0 to 2^31 - 1. Nothing is converted to one, as that can run JavaScript, which allocates. */
static size_t wholeNumber(xsMachine* the, xsSlot* slot)
{
	xsType type = xsmcTypeOf(*slot);
	if (type != xsIntegerType && type != xsNumberType) xsTypeError("not a number");
	xsNumberValue value = xsmcToNumber(*slot);
	if (!(value >= 0 && value <= INT32_MAX) || value != (int32_t)value) xsRangeError("no such offset or number");
	return (size_t)value;
}

/* Bytes of an ArrayBuffer or of a view of one. `bytesOf` tells where they are until the next allocation. */
typedef struct {
	xsSlot* array;
	size_t start;
	size_t size;
} Span;

enum { READ, WRITE };

static Span spanFrom(xsMachine* the, xsSlot* array, size_t start, size_t end, int use)
{
	void* data;
	xsUnsignedValue length;
	if (use == WRITE) xsmcGetBufferWritable(*array, &data, &length);
	else xsmcGetBufferReadable(*array, &data, &length);
	if (start > end || end > (data ? length : 0)) xsRangeError("no such span");
	return (Span){ array, start, end - start };
}

static Span span(xsMachine* the, xsSlot* array, xsSlot* start, xsSlot* end, int use)
{
	size_t from = wholeNumber(the, start);
	return spanFrom(the, array, from, wholeNumber(the, end), use);
}

static Span room(xsMachine* the, xsSlot* array, xsSlot* at, size_t size)
{
	size_t start = wholeNumber(the, at);
	return spanFrom(the, array, start, start + size, WRITE);
}

static uint8_t* bytesOf(xsMachine* the, Span span)
{
	void* data;
	xsUnsignedValue length;
	xsmcGetBufferReadable(*span.array, &data, &length);
	return (uint8_t*)data + span.start;
}

/* The row with this name or number, or NULL. */
static const Row* find(xsMachine* the, const Row* rows, xsSlot* slot)
{
	xsType type = xsmcTypeOf(*slot);
	// A string in flash is of a type of its own
	const char* name = type == xsStringType || type == xsStringXType ? xsmcToString(*slot) : NULL;
	int id = name ? 0 : (int)wholeNumber(the, slot);
	for (; rows->name || rows->id; rows++)
		if (name ? rows->name && !strcmp(rows->name, name) : rows->id && rows->id == id) return rows;
	return NULL;
}

static const Row* mustFind(xsMachine* the, const Row* rows, xsSlot* slot)
{
	const Row* row = find(the, rows, slot);
	if (!row) xsRangeError("no such algorithm, group, scheme or kind of key");
	return row;
}

/* ---- Results */

static void check(xsMachine* the, psa_status_t status)
{
	if (status != PSA_SUCCESS) xsUnknownError("PSA Crypto failed: %d", (int)status);
}

/* Whether what came from the peer is good. When memory ran out, nobody can tell, and that is an error. */
static int accepted(xsMachine* the, psa_status_t status)
{
	if (status == PSA_ERROR_INSUFFICIENT_MEMORY) check(the, status);
	return status == PSA_SUCCESS;
}

/* ---- Instances */

/* Gives a new instance its state, zeros. Its destructor tells whose it is, whatever `new.target` was. */
static void* construct(xsMachine* the, xsDestructor destroy, size_t size)
{
	if (xsGetHostDestructor(xsThis) != destroy) xsTypeError("not an instance of this class");
	check(the, psa_crypto_init());
	return memset(xsmcSetHostChunk(xsThis, NULL, (xsIntegerValue)size), 0, size);
}

static void* stateOf(xsMachine* the, xsSlot* instance, xsDestructor destroy)
{
	return xsmcGetHostChunkValidate(*instance, (void*)destroy);
}

/* ---- Keys */

/* The state of what holds a key; `id` is PSA_KEY_ID_NULL before and after. */
typedef struct {
	const Row* row;
	psa_key_id_t id;
} Key;

static psa_key_attributes_t attributesOf(psa_key_type_t type, size_t bits, psa_key_usage_t usage, psa_algorithm_t algorithm)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_set_key_type(&attributes, type);
	psa_set_key_bits(&attributes, bits);
	psa_set_key_usage_flags(&attributes, usage);
	psa_set_key_algorithm(&attributes, algorithm);
	return attributes;
}

static psa_status_t tryKey(xsMachine* the, const psa_key_attributes_t* attributes, const Span* key, psa_key_id_t* id)
{
	/* HMAC pads its key with zeros (RFC 2104), so that none is the same as one zero, which PSA takes. */
	static const uint8_t zero = 0;
	*id = PSA_KEY_ID_NULL;
	if (!key) return psa_generate_key(attributes, id);
	if (key->size == 0) return psa_import_key(attributes, &zero, 1, id);
	return psa_import_key(attributes, bytesOf(the, *key), key->size, id);
}

/*
 * Imports a key, or generates one when none is given. PSA has few slots for keys, and what is garbage may hold
 * some of them: when none is free, the garbage is collected.
 */
static psa_status_t makeKey(xsMachine* the, const psa_key_attributes_t* attributes, const Span* key, psa_key_id_t* id)
{
	psa_status_t status = tryKey(the, attributes, key, id);
	if (status != PSA_ERROR_INSUFFICIENT_MEMORY) return status;
	xsCollectGarbage();
	return tryKey(the, attributes, key, id);
}

/* Makes a key that lives as long as the instance. */
static void holdKey(xsMachine* the, xsDestructor destroy, const Row* row, const psa_key_attributes_t* attributes, const Span* from)
{
	psa_key_id_t id;
	construct(the, destroy, sizeof(Key));
	psa_status_t status = makeKey(the, attributes, from, &id);
	if (status == PSA_ERROR_INVALID_ARGUMENT) xsTypeError("not a key of this kind");
	check(the, status);
	Key* key = stateOf(the, &xsThis, destroy);
	key->row = row;
	key->id = id;
}

static Key heldKey(xsMachine* the, xsDestructor destroy)
{
	Key* key = stateOf(the, &xsThis, destroy);
	if (key->id == PSA_KEY_ID_NULL) xsTypeError("disposed");
	return *key;
}

static void disposeKey(xsMachine* the, xsDestructor destroy)
{
	Key* key = stateOf(the, &xsThis, destroy);
	psa_key_id_t id = key->id;
	key->id = PSA_KEY_ID_NULL;
	check(the, psa_destroy_key(id));
}

static void destroyKey(Key* key)
{
	if (key) (void)psa_destroy_key(key->id);
}

/* Destroys a key that was made for one use; what went wrong before that counts more. */
static psa_status_t done(psa_key_id_t id, psa_status_t status)
{
	psa_status_t destroyed = psa_destroy_key(id);
	return status == PSA_SUCCESS ? destroyed : status;
}

static size_t coordinateSize(const Row* curve)
{
	return PSA_BITS_TO_BYTES(curve->bits);
}

static int isMontgomery(const Row* curve)
{
	return PSA_KEY_TYPE_ECC_GET_FAMILY(curve->type) == PSA_ECC_FAMILY_MONTGOMERY;
}

/* Bytes of a public key: 32 for X25519, 56 for X448, else an uncompressed point, RFC 8446 4.2.8.2. */
static size_t publicSize(const Row* curve)
{
	return isMontgomery(curve) ? coordinateSize(curve) : 1 + 2 * coordinateSize(curve);
}

/* Whether this looks like a public key of the curve; that the point is on it is checked by PSA. */
static int isPublicKey(xsMachine* the, const Row* curve, Span key)
{
	return key.size == publicSize(curve) && (isMontgomery(curve) || bytesOf(the, key)[0] == 4);
}

/* ---- Hash */

typedef struct {
	psa_algorithm_t algorithm;
	psa_hash_operation_t operation;
} Hash;

/* Writes the digest so far, of a copy, so that hashing may go on. */
static size_t takeDigest(xsMachine* the, const psa_hash_operation_t* operation, uint8_t* out, size_t size)
{
	size_t length = 0;
	psa_hash_operation_t copy = PSA_HASH_OPERATION_INIT;
	psa_status_t status = psa_hash_clone(operation, &copy);
	if (status == PSA_SUCCESS) status = psa_hash_finish(&copy, out, size, &length);
	if (status != PSA_SUCCESS) (void)psa_hash_abort(&copy);
	check(the, status);
	return length;
}

static void updateHash(xsMachine* the, psa_hash_operation_t* operation, Span span)
{
	check(the, psa_hash_update(operation, bytesOf(the, span), span.size));
}

void tlstaple_psa_Hash(xsMachine* the)
{
	needArguments(the, 1);
	const Row* row = mustFind(the, gHashes, &xsArg(0));
	Hash* self = construct(the, tlstaple_psa_Hash_destroy, sizeof(Hash));
	self->algorithm = row->algorithm;
	check(the, psa_hash_setup(&self->operation, row->algorithm));
}

void tlstaple_psa_Hash_destroy(void* chunk)
{
	Hash* self = chunk;
	if (self) (void)psa_hash_abort(&self->operation);
}

/* update(bytes, start, end) */
void tlstaple_psa_Hash_update(xsMachine* the)
{
	needArguments(the, 3);
	Span data = span(the, &xsArg(0), &xsArg(1), &xsArg(2), READ);
	Hash* self = stateOf(the, &xsThis, tlstaple_psa_Hash_destroy);
	updateHash(the, &self->operation, data);
}

/* digest(out, at) */
void tlstaple_psa_Hash_digest(xsMachine* the)
{
	needArguments(the, 2);
	Hash* self = stateOf(the, &xsThis, tlstaple_psa_Hash_destroy);
	Span out = room(the, &xsArg(0), &xsArg(1), PSA_HASH_LENGTH(self->algorithm));
	self = stateOf(the, &xsThis, tlstaple_psa_Hash_destroy);
	takeDigest(the, &self->operation, bytesOf(the, out), out.size);
}

/* ---- HMAC, randomness, and what there is */

/* hmac(algorithm, keyBytes, keyStart, keyEnd, data, start, end, out, at) */
void tlstaple_psa_hmac(xsMachine* the)
{
	needArguments(the, 9);
	const Row* row = mustFind(the, gHashes, &xsArg(0));
	Span key = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	Span data = span(the, &xsArg(4), &xsArg(5), &xsArg(6), READ);
	Span out = room(the, &xsArg(7), &xsArg(8), PSA_HASH_LENGTH(row->algorithm));
	psa_algorithm_t algorithm = PSA_ALG_HMAC(row->algorithm);
	psa_key_attributes_t attributes = attributesOf(PSA_KEY_TYPE_HMAC, 0, PSA_KEY_USAGE_SIGN_MESSAGE, algorithm);
	size_t length;
	psa_key_id_t id;
	check(the, psa_crypto_init());
	check(the, makeKey(the, &attributes, &key, &id));
	psa_status_t status = psa_mac_compute(id, algorithm, bytesOf(the, data), data.size, bytesOf(the, out), out.size, &length);
	check(the, done(id, status));
}

/* random(bytes, start, end) */
void tlstaple_psa_random(xsMachine* the)
{
	needArguments(the, 3);
	Span out = span(the, &xsArg(0), &xsArg(1), &xsArg(2), WRITE);
	check(the, psa_crypto_init());
	check(the, psa_generate_random(bytesOf(the, out), out.size));
}

/* supports(an AEAD's name, a NamedGroup or a SignatureScheme) */
void tlstaple_psa_supports(xsMachine* the)
{
	needArguments(the, 1);
	xsSlot* what = &xsArg(0);
	int found = find(the, gAeads, what) || find(the, gGroups, what) || find(the, gSchemes, what);
	xsmcSetBoolean(xsResult, found);
}

/* ---- Aead */

enum { NONCE_SIZE = 12, TAG_SIZE = 16 };

/* Aead(algorithm, keyBytes, start, end) */
void tlstaple_psa_Aead(xsMachine* the)
{
	needArguments(the, 4);
	const Row* row = mustFind(the, gAeads, &xsArg(0));
	Span key = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	if (key.size != PSA_BITS_TO_BYTES(row->bits)) xsRangeError("a key of another length");
	psa_key_usage_t usage = PSA_KEY_USAGE_ENCRYPT | PSA_KEY_USAGE_DECRYPT;
	psa_key_attributes_t attributes = attributesOf(row->type, row->bits, usage, row->algorithm);
	holdKey(the, tlstaple_psa_Aead_destroy, row, &attributes, &key);
}

void tlstaple_psa_Aead_destroy(void* chunk)
{
	destroyKey(chunk);
}

void tlstaple_psa_Aead_dispose(xsMachine* the)
{
	disposeKey(the, tlstaple_psa_Aead_destroy);
}

/* The nonce is a whole array. */
static Span nonceOf(xsMachine* the, xsSlot* array)
{
	void* data;
	xsUnsignedValue length;
	xsmcGetBufferReadable(*array, &data, &length);
	if (length != NONCE_SIZE) xsRangeError("a nonce of another length");
	return spanFrom(the, array, 0, NONCE_SIZE, READ);
}

/*
 * Records are sealed and opened where they lie. A library built with MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS, as
 * ESP-IDF's is, copies nothing that overlaps and promises nothing about it. Its GCM and ChaCha20-Poly1305 read each
 * block before they write it, which is safe as long as the output does not begin behind the input: here both begin
 * at the same byte. The host for RV32 is tested with a library that is built so.
 */

/* seal(nonce, aad, aadStart, aadEnd, bytes, start, end) */
void tlstaple_psa_Aead_seal(xsMachine* the)
{
	needArguments(the, 7);
	Span nonce = nonceOf(the, &xsArg(0));
	Span aad = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	Span text = span(the, &xsArg(4), &xsArg(5), &xsArg(6), WRITE);
	Span out = spanFrom(the, text.array, text.start, text.start + text.size + TAG_SIZE, WRITE);
	Key key = heldKey(the, tlstaple_psa_Aead_destroy);
	size_t length;
	check(the, psa_aead_encrypt(key.id, key.row->algorithm, bytesOf(the, nonce), nonce.size, bytesOf(the, aad),
		aad.size, bytesOf(the, text), text.size, bytesOf(the, out), out.size, &length));
}

static psa_status_t openAead(xsMachine* the, Key key, Span nonce, Span aad, Span text)
{
	size_t length;
	if (text.size < TAG_SIZE) return PSA_ERROR_INVALID_SIGNATURE;
	return psa_aead_decrypt(key.id, key.row->algorithm, bytesOf(the, nonce), nonce.size, bytesOf(the, aad),
		aad.size, bytesOf(the, text), text.size, bytesOf(the, text), text.size - TAG_SIZE, &length);
}

/* open(nonce, aad, aadStart, aadEnd, bytes, start, end): whether the tag is right */
void tlstaple_psa_Aead_open(xsMachine* the)
{
	needArguments(the, 7);
	Span nonce = nonceOf(the, &xsArg(0));
	Span aad = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	Span text = span(the, &xsArg(4), &xsArg(5), &xsArg(6), WRITE);
	Key key = heldKey(the, tlstaple_psa_Aead_destroy);
	psa_status_t status = openAead(the, key, nonce, aad, text);
	if (status != PSA_SUCCESS) memset(bytesOf(the, text), 0, text.size);
	xsmcSetBoolean(xsResult, accepted(the, status));
}

/* ---- Exchange */

/* Exchange(group), with a fresh key; in tests Exchange(group, privateKey, start, end) */
void tlstaple_psa_Exchange(xsMachine* the)
{
	needArguments(the, 1);
	Span given;
	int generate = xsmcArgc == 1;
	const Row* row = mustFind(the, gGroups, &xsArg(0));
	psa_key_attributes_t attributes = attributesOf(row->type, row->bits, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH);
	if (!generate) {
		needArguments(the, 4);
		given = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	}
	holdKey(the, tlstaple_psa_Exchange_destroy, row, &attributes, generate ? NULL : &given);
}

void tlstaple_psa_Exchange_destroy(void* chunk)
{
	destroyKey(chunk);
}

void tlstaple_psa_Exchange_dispose(xsMachine* the)
{
	disposeKey(the, tlstaple_psa_Exchange_destroy);
}

/* publicKey(out, at): its length */
void tlstaple_psa_Exchange_publicKey(xsMachine* the)
{
	needArguments(the, 2);
	Key key = heldKey(the, tlstaple_psa_Exchange_destroy);
	Span out = room(the, &xsArg(0), &xsArg(1), publicSize(key.row));
	size_t length = 0;
	check(the, psa_export_public_key(key.id, bytesOf(the, out), out.size, &length));
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}

static int isZero(const uint8_t* bytes, size_t size)
{
	uint8_t any = 0;
	for (size_t i = 0; i < size; i++) any |= bytes[i];
	return any == 0;
}

static size_t agreeOn(xsMachine* the, Key key, Span peer, Span out)
{
	size_t length = 0;
	if (!isPublicKey(the, key.row, peer)) return 0;
	psa_status_t status = psa_raw_key_agreement(PSA_ALG_ECDH, key.id, bytesOf(the, peer), peer.size,
		bytesOf(the, out), out.size, &length);
	if (status != PSA_SUCCESS) memset(bytesOf(the, out), 0, out.size);
	if (!accepted(the, status)) return 0;
	/* The zero secret of X25519 and X448, RFC 7748 section 6, RFC 8446 7.4.2; on the other curves zero is a number like others. */
	return isMontgomery(key.row) && isZero(bytesOf(the, out), length) ? 0 : length;
}

/* agree(peer, start, end, out, at): the secret's length, or 0 */
void tlstaple_psa_Exchange_agree(xsMachine* the)
{
	needArguments(the, 5);
	Key key = heldKey(the, tlstaple_psa_Exchange_destroy);
	Span peer = span(the, &xsArg(0), &xsArg(1), &xsArg(2), READ);
	Span out = room(the, &xsArg(3), &xsArg(4), coordinateSize(key.row));
	xsmcSetInteger(xsResult, (xsIntegerValue)agreeOn(the, key, peer, out));
}

/* ---- ECDSA signatures: in TLS a SEQUENCE of two INTEGERs (RFC 8446 4.2.3), in PSA r and s side by side */

enum { MAX_COORDINATE = 66, MAX_RAW = 2 * MAX_COORDINATE, MAX_SIGNATURE = 512 };

/* A positive INTEGER in the fewest octets, X.690 8.3.2, padded to `size` octets. Returns where it ends, or NULL. */
static const uint8_t* readInteger(const uint8_t* at, const uint8_t* end, uint8_t* out, size_t size)
{
	if (end - at < 3 || at[0] != 0x02 || at[1] == 0 || at[1] > end - at - 2) return NULL;
	size_t length = at[1];
	at += 2;
	if (at[0] >= 0x80) return NULL;
	if (at[0] == 0) {
		if (length == 1 || at[1] < 0x80) return NULL;
		at++, length--;
	}
	if (length > size) return NULL;
	memset(out, 0, size - length);
	memcpy(out + size - length, at, length);
	return at + length;
}

/* Where the contents of a SEQUENCE of so many octets begin, X.690 10.1: its length takes two from 128 on, as with P-521. */
static const uint8_t* readHeader(const uint8_t* at, size_t length)
{
	if (length < 2 || at[0] != 0x30) return NULL;
	if (length < 130) return at[1] == length - 2 ? at + 2 : NULL;
	return at[1] == 0x81 && at[2] >= 0x80 && at[2] == length - 3 ? at + 3 : NULL;
}

/* Whether this is DER of two positive numbers of at most `size` octets. Their lengths fit in one octet. */
static int readSignature(const uint8_t* at, size_t length, uint8_t* raw, size_t size)
{
	const uint8_t* end = at + length;
	at = readHeader(at, length);
	if (at) at = readInteger(at, end, raw, size);
	if (at) at = readInteger(at, end, raw + size, size);
	return at == end;
}

static uint8_t* writeInteger(uint8_t* at, const uint8_t* number, size_t size)
{
	while (size > 1 && *number == 0) number++, size--;
	size_t sign = *number >> 7;
	*at++ = 0x02;
	*at++ = (uint8_t)(sign + size);
	if (sign) *at++ = 0;
	memcpy(at, number, size);
	return at + size;
}

static size_t writeSignature(uint8_t* out, const uint8_t* raw, size_t size)
{
	uint8_t numbers[2 * (2 + 1 + MAX_COORDINATE)];
	uint8_t* end = writeInteger(numbers, raw, size);
	size_t length = (size_t)(writeInteger(end, raw + size, size) - numbers);
	*out++ = 0x30;
	if (length >= 0x80) *out++ = 0x81;
	*out++ = (uint8_t)length;
	memcpy(out, numbers, length);
	return length + (length < 0x80 ? 2 : 3);
}

/* ---- Verification */

/* Hashes the message; once `size` is not 0, the digest has taken the operation's place. */
typedef struct {
	const Row* scheme;
	size_t size;
	union {
		psa_hash_operation_t operation;
		uint8_t digest[PSA_HASH_MAX_SIZE];
	} hash;
} Verification;

static Verification* verificationOf(xsMachine* the)
{
	return stateOf(the, &xsThis, tlstaple_psa_Verification_destroy);
}

static size_t digestOf(xsMachine* the, const Verification* self, uint8_t* out)
{
	if (self->size == 0) return takeDigest(the, &self->hash.operation, out, PSA_HASH_MAX_SIZE);
	memcpy(out, self->hash.digest, self->size);
	return self->size;
}

/* Verification(scheme) */
void tlstaple_psa_Verification(xsMachine* the)
{
	needArguments(the, 1);
	const Row* scheme = mustFind(the, gSchemes, &xsArg(0));
	Verification* self = construct(the, tlstaple_psa_Verification_destroy, sizeof(Verification));
	self->scheme = scheme;
	check(the, psa_hash_setup(&self->hash.operation, PSA_ALG_SIGN_GET_HASH(scheme->algorithm)));
}

void tlstaple_psa_Verification_destroy(void* chunk)
{
	Verification* self = chunk;
	if (self && self->size == 0) (void)psa_hash_abort(&self->hash.operation);
}

/* update(bytes, start, end) */
void tlstaple_psa_Verification_update(xsMachine* the)
{
	needArguments(the, 3);
	Span data = span(the, &xsArg(0), &xsArg(1), &xsArg(2), READ);
	Verification* self = verificationOf(the);
	if (self->size) xsTypeError("ended");
	updateHash(the, &self->hash.operation, data);
}

void tlstaple_psa_Verification_end(xsMachine* the)
{
	uint8_t digest[PSA_HASH_MAX_SIZE];
	Verification* self = verificationOf(the);
	if (self->size) return;
	const Row* scheme = self->scheme;
	size_t size = digestOf(the, self, digest);
	check(the, psa_hash_abort(&self->hash.operation));
	self = xsmcSetHostChunk(xsThis, NULL, (xsIntegerValue)(offsetof(Verification, hash) + size));
	self->scheme = scheme;
	self->size = size;
	memcpy(self->hash.digest, digest, size);
}

/* digest(out, at): its length */
void tlstaple_psa_Verification_digest(xsMachine* the)
{
	uint8_t digest[PSA_HASH_MAX_SIZE];
	needArguments(the, 2);
	size_t size = digestOf(the, verificationOf(the), digest);
	Span out = room(the, &xsArg(0), &xsArg(1), size);
	memcpy(bytesOf(the, out), digest, size);
	xsmcSetInteger(xsResult, (xsIntegerValue)size);
}

/* No RSAPublicKey of 8192 bits is longer, and nobody shall make us parse one that is. */
enum { MAX_RSA_KEY = 1100 };

/*
 * Whether a signature may be verified so: an ECDSA scheme goes with every curve. PSA would take a shorter salt
 * from an RSA key that has no room for one as long as the digest; RFC 8446 4.2.3 does not.
 */
static int fits(xsMachine* the, const Row* scheme, const Row* kind, Span key, Span signature)
{
	psa_algorithm_t algorithm = scheme->algorithm;
	if (PSA_ALG_IS_ECDSA(algorithm)) return PSA_KEY_TYPE_IS_ECC(kind->type) && isPublicKey(the, kind, key);
	size_t least = PSA_ALG_IS_RSA_PSS(algorithm) ? 2 * PSA_HASH_LENGTH(PSA_ALG_SIGN_GET_HASH(algorithm)) + 2 : 0;
	return PSA_KEY_TYPE_IS_RSA(kind->type) && key.size <= MAX_RSA_KEY && signature.size >= least;
}

static psa_status_t verifyDigest(xsMachine* the, psa_key_id_t id, const Row* scheme, const Row* kind, Span signature)
{
	uint8_t digest[PSA_HASH_MAX_SIZE], raw[MAX_RAW];
	size_t size = digestOf(the, verificationOf(the), digest);
	const uint8_t* bytes = bytesOf(the, signature);
	if (!PSA_ALG_IS_ECDSA(scheme->algorithm))
		return psa_verify_hash(id, scheme->algorithm, digest, size, bytes, signature.size);
	size_t half = coordinateSize(kind);
	if (!readSignature(bytes, signature.size, raw, half)) return PSA_ERROR_INVALID_SIGNATURE;
	return psa_verify_hash(id, scheme->algorithm, digest, size, raw, 2 * half);
}

static int verify(xsMachine* the, const Row* kind, Span key, Span signature)
{
	psa_key_id_t id;
	const Row* scheme = verificationOf(the)->scheme;
	if (!fits(the, scheme, kind, key, signature)) return 0;
	psa_key_attributes_t attributes = attributesOf(kind->type, kind->bits, PSA_KEY_USAGE_VERIFY_HASH, scheme->algorithm);
	psa_status_t status = makeKey(the, &attributes, &key, &id);
	if (status == PSA_SUCCESS) status = done(id, verifyDigest(the, id, scheme, kind, signature));
	return accepted(the, status);
}

/* settle({ kind, bytes, start, end }, signature, start, end): whether the signature is the key's */
void tlstaple_psa_Verification_settle(xsMachine* the)
{
	needArguments(the, 4);
	xsmcVars(4);
	xsmcGet(xsVar(0), xsArg(0), xsID("kind"));
	xsmcGet(xsVar(1), xsArg(0), xsID("bytes"));
	xsmcGet(xsVar(2), xsArg(0), xsID("start"));
	xsmcGet(xsVar(3), xsArg(0), xsID("end"));
	const Row* kind = find(the, gKinds, &xsVar(0));
	Span key = span(the, &xsVar(1), &xsVar(2), &xsVar(3), READ);
	Span signature = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	xsmcSetBoolean(xsResult, kind && verify(the, kind, key, signature));
}

/* ---- PrivateKey */

/* RFC 6979 where it is there: no random number, which could be a bad one, goes into the signature. */
#ifdef PSA_WANT_ALG_DETERMINISTIC_ECDSA
	#define SIGN_ECDSA PSA_ALG_DETERMINISTIC_ECDSA
#else
	#define SIGN_ECDSA PSA_ALG_ECDSA
#endif

static psa_key_attributes_t signingAttributes(const Row* kind)
{
	psa_key_type_t type = PSA_KEY_TYPE_KEY_PAIR_OF_PUBLIC_KEY(kind->type);
	int ecc = PSA_KEY_TYPE_IS_ECC(type);
	psa_algorithm_t algorithm = ecc ? SIGN_ECDSA(PSA_ALG_ANY_HASH) : PSA_ALG_RSA_PSS(PSA_ALG_ANY_HASH);
	psa_key_attributes_t attributes = attributesOf(type, kind->bits, PSA_KEY_USAGE_SIGN_HASH, algorithm);
	/* One RSA key signs in both ways: TLS 1.3 has PSS only, and a server of TLS 1.2 may know PKCS #1 only. */
	if (!ecc) psa_set_key_enrollment_algorithm(&attributes, PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_ANY_HASH));
	return attributes;
}

/* PrivateKey(kind, bytes, start, end): the scalar, or RSAPrivateKey */
void tlstaple_psa_PrivateKey(xsMachine* the)
{
	needArguments(the, 4);
	const Row* kind = mustFind(the, gKinds, &xsArg(0));
	Span key = span(the, &xsArg(1), &xsArg(2), &xsArg(3), READ);
	psa_key_attributes_t attributes = signingAttributes(kind);
	holdKey(the, tlstaple_psa_PrivateKey_destroy, kind, &attributes, &key);
}

void tlstaple_psa_PrivateKey_destroy(void* chunk)
{
	destroyKey(chunk);
}

void tlstaple_psa_PrivateKey_dispose(xsMachine* the)
{
	disposeKey(the, tlstaple_psa_PrivateKey_destroy);
}

/* The digest of the `Hash` that is argument `index`, which must be one with the scheme's algorithm. */
static size_t digestArgument(xsMachine* the, int index, psa_algorithm_t algorithm, uint8_t* out)
{
	Hash* hash = stateOf(the, &xsArg(index), tlstaple_psa_Hash_destroy);
	if (hash->algorithm != algorithm) xsTypeError("another hash than the scheme's");
	return takeDigest(the, &hash->operation, out, PSA_HASH_MAX_SIZE);
}

static size_t signDigest(xsMachine* the, Key key, psa_algorithm_t algorithm, const uint8_t* digest, size_t size, uint8_t* out)
{
	uint8_t raw[MAX_RAW];
	size_t length = 0;
	if (!PSA_ALG_IS_ECDSA(algorithm)) {
		check(the, psa_sign_hash(key.id, algorithm, digest, size, out, MAX_SIGNATURE, &length));
		return length;
	}
	algorithm = SIGN_ECDSA(PSA_ALG_SIGN_GET_HASH(algorithm));
	check(the, psa_sign_hash(key.id, algorithm, digest, size, raw, sizeof(raw), &length));
	return writeSignature(out, raw, length / 2);
}

/* sign(scheme, hash, out, at): the signature's length */
void tlstaple_psa_PrivateKey_sign(xsMachine* the)
{
	needArguments(the, 4);
	uint8_t digest[PSA_HASH_MAX_SIZE], signature[MAX_SIGNATURE];
	psa_algorithm_t algorithm = mustFind(the, gSchemes, &xsArg(0))->algorithm;
	size_t size = digestArgument(the, 1, PSA_ALG_SIGN_GET_HASH(algorithm), digest);
	Key key = heldKey(the, tlstaple_psa_PrivateKey_destroy);
	size_t length = signDigest(the, key, algorithm, digest, size, signature);
	Span out = room(the, &xsArg(2), &xsArg(3), length);
	memcpy(bytesOf(the, out), signature, length);
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}
