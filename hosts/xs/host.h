/*
 * What machine.c (over XS's internals, xsAll.h) gives to main.c (over its public interface, xs.h); the two
 * headers cannot be in one file. `HostMachine` is what either of them calls a machine: define it first.
 */

#ifndef TLSTAPLE_XS_HOST
#define TLSTAPLE_XS_HOST

#include <stddef.h>
#include <stdint.h>

/* Exit codes of the host's own; a program's own codes are below them. */
enum {
	EXIT_OUT_OF_MEMORY = 70,
	EXIT_STACK_OVERFLOW = 71,
	EXIT_UNCAUGHT = 72,
	EXIT_FATAL = 73,
	EXIT_USAGE = 64,
};

/* A machine's memory use so far: bytes, counts, and computrons (bytecodes and calls, the same for each run). */
typedef struct {
	size_t slotBytes, slotPeak;
	size_t chunkBytes, chunkPeak;
	size_t stackPeakSlots;
	uint32_t computrons;
	uint32_t collections;
} HostUse;


/* A machine whose memory is mapped apart, so that `hostShare` can protect it. */
HostMachine* hostCreateRoot(void);
/* Freezes all that the machine holds, shares it, and makes its memory read-only, as flash is. */
void hostShare(HostMachine* root);
/*
 * A machine over a shared one: stack (in slots), slots and chunks in one arena of so many bytes, never more. It grows
 * in small steps, so that peaks are what is needed, or as the Moddable SDK's manifest has it, so that garbage is
 * collected as seldom as there.
 */
HostMachine* hostClone(HostMachine* root, size_t arenaBytes, size_t stackSlots, int sdkSteps);
/* Imports the module of a file and runs promise jobs until there are none; errors end the process. */
void hostImport(HostMachine* the, const char* path);
void hostRunJobs(HostMachine* the);
void hostCollect(HostMachine* the);
void hostUse(HostMachine* the, HostUse* use);
/* Takes the present use as the peak. */
void hostResetPeaks(HostMachine* the);
/* Bytes of the shared part. */
size_t hostSharedBytes(void);

/* Called before the process ends for a reason of the engine's. */
void hostAbort(const char* reason, int code) __attribute__((noreturn));

#endif
