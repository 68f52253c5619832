/*
 * malloc and its kin, in place of the C library's, which they call: so that also a shared library's
 * allocations are counted.
 */

#include <malloc.h>
#include <stddef.h>

#include "heap.h"

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* at, size_t bytes);
void __libc_free(void* at);

static ptrdiff_t gBytes, gPeak;

static void* count(void* at)
{
	gBytes += at ? malloc_usable_size(at) : 0;
	if (gBytes > gPeak) gPeak = gBytes;
	return at;
}

static void discount(void* at)
{
	gBytes -= at ? malloc_usable_size(at) : 0;
}

void* malloc(size_t bytes)
{
	return count(__libc_malloc(bytes));
}

void* calloc(size_t items, size_t bytes)
{
	return count(__libc_calloc(items, bytes));
}

void* realloc(void* at, size_t bytes)
{
	discount(at);
	return count(__libc_realloc(at, bytes));
}

void free(void* at)
{
	discount(at);
	__libc_free(at);
}

void* heapOwn(size_t bytes)
{
	return __libc_calloc(1, bytes);
}

void heapDisown(void* at)
{
	__libc_free(at);
}

size_t heapBytes(void)
{
	return gBytes > 0 ? gBytes : 0;
}

size_t heapPeak(void)
{
	return gPeak > 0 ? gPeak : 0;
}

void heapReset(void)
{
	gBytes = gPeak = 0;
}
