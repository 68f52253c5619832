/* Unpredictable bytes for the portable provider, where there is no PSA Crypto to give them. */

#if defined(_WIN32)
	#define _CRT_RAND_S
	#include <stdlib.h>
#elif defined(__linux__) || defined(__EMSCRIPTEN__)
	#include <sys/random.h>
#elif defined(__APPLE__)
	#include <stdlib.h>
#elif defined(PICO_BUILD)
	/* Its pico_rand is a generator in software (xoroshiro128**), whose state its output gives away. */
	#error "entropy.c: the Pico SDK's random numbers are not for cryptography, and the RP2040 has no better ones"
#elif !defined(__ets__)
	#error "entropy.c: no source of unpredictable bytes is known for this platform"
#endif

#include "xsmc.h"
#include "mc.xs.h"

/* Up to 4 bytes at once; false when the system has none to give. */
static int draw(uint32_t* word)
{
#if defined(_WIN32)
	unsigned int value;
	if (rand_s(&value)) return 0;
	*word = value;
	return 1;
#elif defined(__linux__) || defined(__EMSCRIPTEN__)
	return getentropy(word, sizeof(*word)) == 0;
#elif defined(__APPLE__)
	arc4random_buf(word, sizeof(*word));
	return 1;
#else
	/* The ESP8266's hardware generator; it is fed by the radio, which is on when there is a network. */
	*word = *(volatile uint32_t*)0x3FF20E44;
	return 1;
#endif
}

void tlstaple_entropy_fill(xsMachine* the)
{
	uint8_t* bytes;
	xsUnsignedValue length;
	xsIntegerValue start = xsmcToInteger(xsArg(1));
	xsIntegerValue end = xsmcToInteger(xsArg(2));
	xsmcGetBufferWritable(xsArg(0), (void**)&bytes, &length);
	if (start < 0 || start > end || (xsUnsignedValue)end > length) xsRangeError("span");
	while (start < end) {
		uint32_t word;
		if (!draw(&word)) xsUnknownError("no entropy");
		for (int i = 0; i < 4 && start < end; i++, word >>= 8) bytes[start++] = (uint8_t)word;
	}
}
