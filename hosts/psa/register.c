/*
 * Hands psa.c's natives to a machine as properties of one global, `psa`: for our XS host, which has no compiler
 * for bindings.mjs. Types: native.ts.
 */

#include "psa.h"

typedef struct {
	const char* name;
	xsCallback call;
	xsIntegerValue length;
} Function;

typedef struct {
	const char* name;
	xsCallback construct;
	xsIntegerValue length;
	xsDestructor destroy;
	Function methods[5];
} Class;

/* Makes the instance; a class of bindings.mjs has the engine do that. */
static void instantiate(xsMachine* the)
{
	if (xsmcTypeOf(xsTarget) != xsReferenceType) xsTypeError("class constructor without new");
	xsmcGet(xsResult, xsTarget, xsID("prototype"));
	xsmcSetNewHostInstance(xsThis, xsResult);
	xsResult = xsThis;
}

#define CONSTRUCTOR(CLASS) \
	static void new##CLASS(xsMachine* the) \
	{ \
		instantiate(the); \
		tlstaple_psa_##CLASS(the); \
	}

CONSTRUCTOR(Hash)
CONSTRUCTOR(Aead)
CONSTRUCTOR(Exchange)
CONSTRUCTOR(Verification)
CONSTRUCTOR(PrivateKey)

static const Class gClasses[] = {
	{ "Hash", newHash, 1, tlstaple_psa_Hash_destroy,
		{ { "update", tlstaple_psa_Hash_update, 3 }, { "digest", tlstaple_psa_Hash_digest, 2 } } },
	{ "Aead", newAead, 4, tlstaple_psa_Aead_destroy,
		{ { "seal", tlstaple_psa_Aead_seal, 7 }, { "open", tlstaple_psa_Aead_open, 7 },
			{ "dispose", tlstaple_psa_Aead_dispose, 0 } } },
	{ "Exchange", newExchange, 1, tlstaple_psa_Exchange_destroy,
		{ { "publicKey", tlstaple_psa_Exchange_publicKey, 2 }, { "agree", tlstaple_psa_Exchange_agree, 5 },
			{ "dispose", tlstaple_psa_Exchange_dispose, 0 } } },
	{ "Verification", newVerification, 1, tlstaple_psa_Verification_destroy,
		{ { "update", tlstaple_psa_Verification_update, 3 }, { "end", tlstaple_psa_Verification_end, 0 },
			{ "digest", tlstaple_psa_Verification_digest, 2 }, { "settle", tlstaple_psa_Verification_settle, 4 } } },
	{ "PrivateKey", newPrivateKey, 4, tlstaple_psa_PrivateKey_destroy,
		{ { "sign", tlstaple_psa_PrivateKey_sign, 4 }, { "dispose", tlstaple_psa_PrivateKey_dispose, 0 } } },
};

static const Function gFunctions[] = {
	{ "random", tlstaple_psa_random, 3 },
	{ "hmac", tlstaple_psa_hmac, 9 },
	{ "supports", tlstaple_psa_supports, 1 },
};

#define COUNT(TABLE) (sizeof(TABLE) / sizeof((TABLE)[0]))

/* Variables: the object `psa`, a prototype or class, a function. */

static void setFunction(xsMachine* the, int object, const Function* function)
{
	xsVar(2) = xsNewHostFunction(function->call, function->length);
	xsmcSet(xsVar(object), xsID(function->name), xsVar(2));
}

static void setClass(xsMachine* the, const Class* class)
{
	xsVar(1) = xsNewHostObject(class->destroy);
	for (const Function* method = class->methods; method->name; method++) setFunction(the, 1, method);
	xsVar(1) = xsNewHostConstructor(class->construct, class->length, xsVar(1));
	xsmcSet(xsVar(0), xsID(class->name), xsVar(1));
}

void tlstaple_psa_register(xsMachine* machine)
{
	xsBeginHost(machine);
	xsmcVars(3);
	xsmcSetNewObject(xsVar(0));
	for (size_t i = 0; i < COUNT(gFunctions); i++) setFunction(the, 0, &gFunctions[i]);
	for (size_t i = 0; i < COUNT(gClasses); i++) setClass(the, &gClasses[i]);
	xsmcSet(xsGlobal, xsID("psa"), xsVar(0));
	xsEndHost(machine);
}
