/*
 * The platform of our XS host, in the shape that XS's sources ask for (XSPLATFORM): which C library, which of
 * XS's defaults, and what a machine holds for us.
 */

#ifndef TLSTAPLE_XS_PLATFORM
#define TLSTAPLE_XS_PLATFORM

#define mxLittleEndian 1
#undef mxLinux
#define mxLinux 1
#define mxExport extern
#define mxImport extern
#define XS_FUNCTION_NORETURN __attribute__((noreturn))

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if __riscv
	/* As Moddable's esp platform is: no atomics, and no access to what is not aligned. */
	#define mxUnalignedAccess 0
	#define mxMisalignedSettersCrash 1
	/* musl's never returns in the emulator, where it looks for the stack's end; XS goes without. */
	#define pthread_getattr_np(thread, attributes) ENOSYS
#else
	#define mxUseGCCAtomics 1
#endif
#define mxUsePOSIXThreads 1
#define mxUseDefaultMachinePlatform 1
#define mxUseDefaultBuildKeys 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

#define mxMachinePlatform \
	void* waiterCondition; \
	void* waiterData; \
	void* waiterLink;

#endif
