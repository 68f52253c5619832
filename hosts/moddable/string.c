/* Strings of bytes as they come. String.fromArrayBuffer refuses what begins or ends within a character. */

#include "xsmc.h"
#include "mc.xs.h"

/* What XS reads past the end when that is within a character: a sequence has six bytes at most. */
#define PADDING 5

void tlstaple_string(xsMachine* the)
{
	uint8_t* bytes;
	xsUnsignedValue length;
	xsIntegerValue start = xsmcToInteger(xsArg(1));
	xsIntegerValue end = xsmcToInteger(xsArg(2));
	xsIntegerValue zeros = 0;
	char* out;
	xsmcGetBufferReadable(xsArg(0), (void**)&bytes, &length);
	if (start < 0 || start > end || (xsUnsignedValue)end > length) xsRangeError("span");
	for (xsIntegerValue i = start; i < end; i++) zeros += bytes[i] == 0;
	xsResult = xsStringBuffer(NULL, end - start + zeros + PADDING);
	out = xsmcToString(xsResult);
	/* To make the string may have moved the bytes */
	xsmcGetBufferReadable(xsArg(0), (void**)&bytes, &length);
	for (; start < end; start++) {
		/* A zero in XS's UTF-8 */
		if (bytes[start] == 0) *out++ = (char)0xC0;
		*out++ = bytes[start] ? (char)bytes[start] : (char)0x80;
	}
	c_memset(out, 0, PADDING);
}
