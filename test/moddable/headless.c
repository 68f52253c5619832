/*
 * The Moddable SDK's simulator without a window: runs the library that `mcconfig -p lin` builds of an
 * application on a main loop of GLib, in the place of mcsim.
 *
 *   headless mc.so SECONDS [CLOCK]
 *
 * It ends with 0 when the application ends itself, with 3 after SECONDS, or with 100 and the engine's reason when that
 * gives up. CLOCK is what the application's clock begins with, in seconds since 1970: 0 is a device's that was never set.
 */

#define mxLinux 1

#include <dlfcn.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "screen.h"

enum { SIDE = 16 };

/* Seconds between the application's clock and the system's. */
static time_t gDifference = 0;

/* In the place of the C library's, for the application's library too: what Date asks. */
int gettimeofday(struct timeval* now, void* zone)
{
	struct timespec system;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &system);
	now->tv_sec = system.tv_sec + gDifference;
	now->tv_usec = system.tv_nsec / 1000;
	return 0;
}

static void onAbort(txScreen* screen, int status)
{
	(void)screen;
	if (status == 0) exit(0);
	fprintf(stderr, "headless: the engine gives up: %d\n", status);
	exit(100 + status);
}

static void onChanged(txScreen* screen)
{
	(void)screen;
}

static void onPost(txScreen* screen, char* message, int size)
{
	(void)screen;
	(void)message;
	(void)size;
}

static void onStart(txScreen* screen, double interval)
{
	(void)screen;
	(void)interval;
}

static gboolean onTimeUp(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

/* A display that nobody sees. */
static txScreen* makeScreen(void)
{
	txScreen* screen = calloc(1, sizeof(txScreen) + SIDE * SIDE * screenBytesPerPixel);
	if (!screen) exit(1);
	screen->abort = onAbort;
	screen->bufferChanged = onChanged;
	screen->formatChanged = onChanged;
	screen->post = onPost;
	screen->start = onStart;
	screen->stop = onChanged;
	screen->width = SIDE;
	screen->height = SIDE;
	mxCreateMutex(&screen->workersMutex);
	return screen;
}

static txScreenLaunchProc load(const char* file)
{
	void* library = dlopen(file, RTLD_NOW);
	void* launch = library ? dlsym(library, "fxScreenLaunch") : NULL;
	if (!launch) {
		fprintf(stderr, "headless: %s\n", dlerror());
		exit(1);
	}
	return (txScreenLaunchProc)launch;
}

int main(int count, char** arguments)
{
	if (count < 3) {
		fprintf(stderr, "usage: headless mc.so SECONDS [CLOCK]\n");
		return 2;
	}
	if (count > 3) gDifference = (time_t)atoll(arguments[3]) - time(NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	GMainLoop* loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add_seconds((guint)atoi(arguments[2]), onTimeUp, loop);
	load(arguments[1])(makeScreen());
	g_main_loop_run(loop);
	return 3;
}
