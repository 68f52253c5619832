/*
 * XS machines as a device has them. The root machine stands for flash: modules are loaded into it, all is
 * frozen, and its pages become read-only. The clone stands for RAM: its stack, slots and chunks share one
 * arena, chunks growing up from its start and slots down from its end, as Moddable's "static" memory does.
 */

#include "xsAll.h"
#include "xsScript.h"

#include <sys/mman.h>

#define HostMachine txMachine
#include "host.h"

/* One span of memory that a machine allocates from, at both ends. */
typedef struct {
	char* start;
	char* low;
	char* high;
	char* end;
} Arena;

static Arena gRoot, gDevice;

#define ROOT_BYTES (96u << 20)

static char* mapPages(size_t bytes)
{
	void* at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED) hostAbort("no memory for the arena", EXIT_OUT_OF_MEMORY);
	return at;
}

static void mapArena(Arena* arena, size_t bytes)
{
	arena->start = arena->low = mapPages(bytes);
	arena->high = arena->end = arena->start + bytes;
}

static Arena* arenaOf(txMachine* the)
{
	return the->sharedMachine ? &gDevice : &gRoot;
}

void* fxAllocateChunks(txMachine* the, txSize size)
{
	Arena* arena = arenaOf(the);
	char* at = arena->low;
	if (size > arena->high - at) return C_NULL;
	arena->low += size;
	return at;
}

void fxFreeChunks(txMachine* the, void* chunks)
{
	(void)the, (void)chunks;
}

txSlot* fxAllocateSlots(txMachine* the, txSize count)
{
	Arena* arena = arenaOf(the);
	if ((size_t)count > (size_t)(arena->high - arena->low) / sizeof(txSlot)) return C_NULL;
	arena->high -= count * sizeof(txSlot);
	return (txSlot*)arena->high;
}

void fxFreeSlots(txMachine* the, void* slots)
{
	(void)the, (void)slots;
}

/* ---- Modules: files, by path relative to the importing file */

txID fxFindModule(txMachine* the, txSlot* realm, txID moduleID, txSlot* slot)
{
	char name[PATH_MAX], path[2 * PATH_MAX], real[PATH_MAX];
	(void)realm;
	fxToStringBuffer(the, slot, name, sizeof(name));
	char* slash = moduleID == XS_NO_ID ? NULL : strrchr(fxGetKeyName(the, moduleID), '/');
	if (name[0] != '.' || !slash) snprintf(path, sizeof(path), "%s", name);
	else {
		char* base = fxGetKeyName(the, moduleID);
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - base), base, name);
	}
	return realpath(path, real) ? fxNewNameC(the, real) : XS_NO_ID;
}

void fxLoadModule(txMachine* the, txSlot* module, txID moduleID)
{
	FILE* file = fopen(fxGetKeyName(the, moduleID), "r");
	if (!file) return;
	txScript* script = fxParseScript(the, file, (txGetter)fgetc, 0);
	fclose(file);
	if (script) fxResolveModule(the, module, moduleID, script, C_NULL, C_NULL);
	else {
		fprintf(stderr, "%s does not parse\n", fxGetKeyName(the, moduleID));
		hostAbort("syntax error", EXIT_UNCAUGHT);
	}
}

static txBoolean gJobs;

void fxQueuePromiseJobs(txMachine* the)
{
	(void)the;
	gJobs = 1;
}

void hostRunJobs(txMachine* the)
{
	while (gJobs) {
		gJobs = 0;
		fxRunPromiseJobs(the);
	}
	fxCheckUnhandledRejections(the, 1);
}

/** Prints what a rejected import was rejected with. */
static void failImport(txMachine* the)
{
	fprintf(stderr, "%s\n", fxToString(the, mxArgv(0)));
	hostAbort("a module failed", EXIT_UNCAUGHT);
}

void hostImport(txMachine* the, const char* path)
{
	fxBeginHost(the);
	mxTry(the) {
		char real[PATH_MAX];
		txSlot* realm = mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm;
		mxPushStringC(realpath(path, real) ? real : (txString)path);
		fxRunImport(the, realm, XS_NO_ID);
		mxDub();
		mxGetID(mxID(_catch));
		mxCall();
		fxNewHostFunction(the, failImport, 1, XS_NO_ID, XS_NO_ID);
		mxRunCount(1);
		mxPop();
	}
	mxCatch(the) {
		fprintf(stderr, "%s: %s\n", path, fxToString(the, &mxException));
		hostAbort("a module failed", EXIT_UNCAUGHT);
	}
	fxEndHost(the);
	hostRunJobs(the);
}

/* ---- Machines */

static txMachine* gShared;

txMachine* hostCreateRoot(void)
{
	txCreation creation = {
		.initialChunkSize = 1 << 20, .incrementalChunkSize = 1 << 20,
		.initialHeapCount = 1 << 15, .incrementalHeapCount = 1 << 15,
		.stackCount = 16384,
		.initialKeyCount = 16384, .incrementalKeyCount = 1024,
		.nameModulo = 1993, .symbolModulo = 127,
		.parserBufferSize = 1 << 16, .parserTableModulo = 1993,
	};
	mapArena(&gRoot, ROOT_BYTES);
	return fxCreateMachine(&creation, "root", NULL, XS_NO_ID);
}

/* What lies in flash is not the collector's: it has kinds of its own, under which it is neither marked nor moved. */
static void makeConstant(txMachine* the, txSlot* slot);

static void makeItemsConstant(txMachine* the, txSlot* array)
{
	txIndex length = fxGetIndexSize(the, array);
	for (txIndex i = 0; i < length; i++) makeConstant(the, array->value.array.address + i);
}

static void makeConstant(txMachine* the, txSlot* slot)
{
	switch (slot->kind) {
	case XS_ARRAY_KIND: makeItemsConstant(the, slot); break;
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	default: break;
	}
}

static void freezeItems(txMachine* the, txSlot* array)
{
	txIndex length = fxGetIndexSize(the, array);
	txSlot* item = array->value.array.address;
	for (; length > 0; length--, item++) item->flag |= XS_DONT_DELETE_FLAG | XS_DONT_SET_FLAG;
}

static void freezeInstance(txMachine* the, txSlot* instance)
{
	instance->flag |= XS_DONT_PATCH_FLAG;
	for (txSlot* property = instance->next; property; property = property->next) {
		property->flag |= XS_DONT_DELETE_FLAG;
		if (property->kind != XS_ACCESSOR_KIND) property->flag |= XS_DONT_SET_FLAG;
		if (property->kind == XS_ARRAY_KIND) freezeItems(the, property);
	}
}

/* What `preload` and the linker's freezing of built-ins do for firmware: no alias is ever made in RAM. */
static void freezeAll(txMachine* the)
{
	for (txSlot* heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++)
			if (slot->kind == XS_INSTANCE_KIND) freezeInstance(the, slot);
}

static void makeAllConstant(txMachine* the)
{
	for (txSlot* heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) makeConstant(the, slot);
	for (txSlot* slot = the->stack; slot < the->stackTop; slot++) makeConstant(the, slot);
}

/* The global object keeps a table of what was looked up, which a write-protected one can't: the linker's is plain. */
static void makeGlobalPlain(txMachine* the)
{
	txSlot* global = mxGlobal.value.reference;
	global->flag &= ~XS_EXOTIC_FLAG;
	global->next = global->next->next;
}

void hostShare(txMachine* root)
{
	makeGlobalPlain(root);
	fxCollectGarbage(root);
	freezeAll(root);
	fxShareMachine(root);
	// Only now, as its last collection would have taken the chunks of constants for garbage
	makeAllConstant(root);
	gShared = root;
	if (mprotect(gRoot.start, gRoot.end - gRoot.start, PROT_READ)) hostAbort("mprotect", EXIT_FATAL);
}

txMachine* hostClone(txMachine* root, size_t arenaBytes, size_t stackSlots, int sdkSteps)
{
	txCreation creation = {
		.initialChunkSize = sdkSteps ? 1536 : 512, .incrementalChunkSize = sdkSteps ? 1024 : 64,
		.initialHeapCount = sdkSteps ? 512 : 64, .incrementalHeapCount = sdkSteps ? 64 : 4,
		.stackCount = (txSize)stackSlots,
		.initialKeyCount = 32, .incrementalKeyCount = 32,
		.nameModulo = root->nameModulo, .symbolModulo = root->symbolModulo,
		.parserBufferSize = 1 << 14, .parserTableModulo = 1993,
	};
	mapArena(&gDevice, (arenaBytes + 15) & ~(size_t)15);
	return fxCloneMachine(&creation, root, "device", NULL);
}

/* ---- Measuring */

void hostCollect(txMachine* the)
{
	fxCollectGarbage(the);
}

void hostUse(txMachine* the, HostUse* use)
{
	use->slotBytes = the->currentHeapCount * sizeof(txSlot);
	use->slotPeak = the->peakHeapCount * sizeof(txSlot);
	use->chunkBytes = the->currentChunksSize;
	use->chunkPeak = the->peakChunksSize;
	use->stackPeakSlots = the->stackTop - the->stackPeak;
	use->computrons = the->meterIndex;
	use->collections = the->garbageCollectionCount;
}

void hostResetPeaks(txMachine* the)
{
	the->peakHeapCount = the->currentHeapCount;
	the->peakChunksSize = the->currentChunksSize;
	the->stackPeak = the->stack;
}

size_t hostSharedBytes(void)
{
	return gShared ? gShared->currentHeapCount * sizeof(txSlot) + gShared->currentChunksSize : 0;
}

/* XS calls it when it can't go on. */
void fxAbort(txMachine* the, int status)
{
	switch (status) {
	case XS_NOT_ENOUGH_MEMORY_EXIT:
	case XS_NO_MORE_KEYS_EXIT:
		hostAbort("out of memory", EXIT_OUT_OF_MEMORY);
	case XS_STACK_OVERFLOW_EXIT:
		hostAbort("stack overflow", EXIT_STACK_OVERFLOW);
	case XS_UNHANDLED_EXCEPTION_EXIT:
	case XS_UNHANDLED_REJECTION_EXIT:
		fprintf(stderr, "%s\n", fxToString(the, &mxException));
		hostAbort("uncaught exception", EXIT_UNCAUGHT);
	default:
		hostAbort("fatal error of the engine", EXIT_FATAL);
	}
}
