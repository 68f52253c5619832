/* The C heap, counted: what the crypto library allocates by itself. The host's own records are not in it. */

#ifndef TLSTAPLE_XS_HEAP
#define TLSTAPLE_XS_HEAP

#include <stddef.h>

/* Zeroed memory for the host itself, not counted. */
void* heapOwn(size_t bytes);
void heapDisown(void* at);
/* Bytes allocated since `heapReset`, and the most there were at once. */
size_t heapBytes(void);
size_t heapPeak(void);
void heapReset(void);

#endif
