/* Deep sleep, for which the Moddable SDK has no module on `esp32`. A simulator simulates it: the application ends. */

#include "xsmc.h"

#if ESP32
	#include "esp_sleep.h"
	#include "esp_wifi.h"
#elif defined(__ets__)
	#error "sleep.c: deep sleep is not known on this platform"
#endif

void sensor_deepSleep(xsMachine* the)
{
#if ESP32
	xsNumberValue seconds = xsmcToNumber(xsArg(0));
	esp_wifi_stop();
	esp_deep_sleep((uint64_t)(seconds * 1e6));
#else
	fxAbort(the, xsDebuggerExit);
#endif
}
