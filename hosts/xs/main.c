/*
 * A command-line host for the XS engine, for tests and measurements of what runs on a device.
 *
 *   tlstaple-xs --about
 *     prints as JSON what it is built as
 *   tlstaple-xs [options] MODULE [argument ...]
 *     --preload        MODULE goes into a frozen, write-protected machine that stands for flash; a clone of it
 *                      calls the function `main` that MODULE left on globalThis. Without it MODULE just runs.
 *     --arena BYTES    RAM of the clone: its stack, slots and chunks (1 MiB)
 *     --stack SLOTS    its stack (1024)
 *     --sdk-steps      RAM grows in the steps of the Moddable SDK, rather than in the smallest
 *     --stats FILE     write memory use and computrons as JSON when the process ends, however it ends
 *
 * Programs find one global, `host`: see host.d.ts. The process ends when no socket and no timer is left; with
 * the program's own exit code, or one of `EXIT_…` in host.h.
 */

#include "xs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "heap.h"
#define HostMachine xsMachine
#include "host.h"

/* Of xsmc.h, whose other half contradicts xs.h. */
extern xsIntegerValue _xsmcGetBuffer(xsMachine* the, xsSlot* slot, void** data, xsUnsignedValue* count, xsBooleanValue writable);

#ifdef TLSTAPLE_PSA
	void tlstaple_psa_register(xsMachine* the);
#endif

/* ---- How the process ends */

typedef struct {
	char label[32];
	HostUse use;
	size_t nativeBytes;
} Mark;

#define MARKS 4096

static xsMachine* gMachine;
static const char* gStats;
static HostUse gBaseline;
static Mark gMarks[MARKS];
static int gMarkCount;

static void writeUse(FILE* out, const HostUse* use)
{
	fprintf(out, "\"slotBytes\":%zu,\"slotPeak\":%zu,\"chunkBytes\":%zu,\"chunkPeak\":%zu,"
		"\"stackPeakSlots\":%zu,\"computrons\":%u,\"collections\":%u", use->slotBytes, use->slotPeak,
		use->chunkBytes, use->chunkPeak, use->stackPeakSlots, use->computrons, use->collections);
}

static void writeStats(int code)
{
	HostUse use;
	FILE* out = gStats ? fopen(gStats, "w") : NULL;
	if (!out || !gMachine) return;
	hostUse(gMachine, &use);
	fprintf(out, "{\"exit\":%d,\"sharedBytes\":%zu,\"nativePeak\":%zu,", code, hostSharedBytes(), heapPeak());
	writeUse(out, &use);
	fprintf(out, ",\"baseline\":{");
	writeUse(out, &gBaseline);
	fprintf(out, "},\"marks\":[");
	for (int i = 0; i < gMarkCount; i++) {
		fprintf(out, "%s{\"label\":\"%s\",\"nativeBytes\":%zu,", i ? "," : "", gMarks[i].label, gMarks[i].nativeBytes);
		writeUse(out, &gMarks[i].use);
		fprintf(out, "}");
	}
	fprintf(out, "]}\n");
	fclose(out);
}

static void finish(int code) __attribute__((noreturn));

static void finish(int code)
{
	fflush(stdout);
	writeStats(code);
	_exit(code);
}

void hostAbort(const char* reason, int code)
{
	fprintf(stderr, "tlstaple-xs: %s\n", reason);
	finish(code);
}

/* Where a program writes to memory that stands for flash. */
static void onSegmentationFault(int number)
{
	static const char text[] = "tlstaple-xs: memory fault, perhaps a write to what is preloaded\n";
	(void)number;
	if (write(2, text, sizeof(text) - 1) < 0) _exit(EXIT_FATAL);
	_exit(EXIT_FATAL);
}

/* ---- Arguments of natives: wrong ones throw, so that C never sees them */

static int integerArg(xsMachine* the, int index, int min, int max)
{
	if (index >= xsToInteger(xsArgc)) xsTypeError("argument %d is missing", index);
	double value = xsToNumber(xsArg(index));
	if (!(value >= min && value <= max) || value != (int)value) xsRangeError("argument %d is out of range", index);
	return (int)value;
}

/* The bytes [start, end) of a buffer or typed array: arguments index to index + 2. */
static char* spanArg(xsMachine* the, int index, int writable, int* length)
{
	void* bytes;
	xsUnsignedValue size;
	if (index + 2 >= xsToInteger(xsArgc)) xsTypeError("bytes, start and end are missing");
	int start = integerArg(the, index + 1, 0, 0x7fffffff);
	int end = integerArg(the, index + 2, 0, 0x7fffffff);
	_xsmcGetBuffer(the, &xsArg(index), &bytes, &size, writable);
	if (start > end || (xsUnsignedValue)end > size) xsRangeError("no such span");
	*length = end - start;
	return (char*)bytes + start;
}

/* ---- Output, clock, randomness, files */

static void native_print(xsMachine* the)
{
	fputs(xsToString(xsArg(0)), stdout);
	fputc('\n', stdout);
}

static void native_printError(xsMachine* the)
{
	fputs(xsToString(xsArg(0)), stderr);
	fputc('\n', stderr);
}

static void native_write(xsMachine* the)
{
	int length;
	char* bytes = spanArg(the, 0, 0, &length);
	fwrite(bytes, 1, length, stdout);
}

/* Milliseconds of a clock that only goes forward. */
static void native_ticks(xsMachine* the)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	xsResult = xsNumber(now.tv_sec * 1e3 + now.tv_nsec / 1000000);
}

/* Seconds since 1970. */
static void native_clock(xsMachine* the)
{
	xsResult = xsNumber(time(NULL));
}

static void native_random(xsMachine* the)
{
	int length;
	char* bytes = spanArg(the, 0, 1, &length);
	for (int done = 0; done < length;) {
		ssize_t n = getrandom(bytes + done, length - done, 0);
		if (n < 0) xsUnknownError("no randomness");
		done += n;
	}
}

static void native_readFile(xsMachine* the)
{
	FILE* file = fopen(xsToString(xsArg(0)), "rb");
	if (!file) xsUnknownError("%s: %s", xsToString(xsArg(0)), strerror(errno));
	fseek(file, 0, SEEK_END);
	long size = ftell(file);
	rewind(file);
	xsResult = xsArrayBuffer(NULL, size);
	if (fread(xsToArrayBuffer(xsResult), 1, size, file) != (size_t)size) size = -1;
	fclose(file);
	if (size < 0) xsUnknownError("%s: cannot be read", xsToString(xsArg(0)));
}

static void native_exit(xsMachine* the)
{
	finish(integerArg(the, 0, 0, 255));
}

/* ---- Measuring */

static void native_collect(xsMachine* the)
{
	hostCollect(the);
}

/* Notes the machine's use under a label; nothing of it is in the machine's memory. */
static void native_mark(xsMachine* the)
{
	if (gMarkCount == MARKS) return;
	Mark* mark = &gMarks[gMarkCount++];
	snprintf(mark->label, sizeof(mark->label), "%s", xsToString(xsArg(0)));
	hostUse(the, &mark->use);
	mark->nativeBytes = heapBytes();
}

static void native_resetPeaks(xsMachine* the)
{
	hostResetPeaks(the);
}

static void native_computrons(xsMachine* the)
{
	HostUse use;
	hostUse(the, &use);
	xsResult = xsNumber(use.computrons);
}

/* ---- Sockets and timers */

typedef struct Watch {
	struct Watch* next;
	xsSlot object;
	int socket;
	short events;
	/* Milliseconds until which a timer waits, its interval or -1, and its number; 0 for a socket. */
	double due;
	double interval;
	int timer;
	int dead;
} Watch;

static Watch* gWatches;
static int gTimers;

static double milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static Watch* addWatch(xsMachine* the, xsSlot* object)
{
	Watch* watch = heapOwn(sizeof(Watch));
	Watch** last = &gWatches;
	while (*last) last = &(*last)->next;
	*last = watch;
	watch->socket = -1;
	watch->object = *object;
	xsRemember(watch->object);
	return watch;
}

static Watch* findSocket(int socket)
{
	for (Watch* watch = gWatches; watch; watch = watch->next)
		if (!watch->dead && watch->timer == 0 && watch->socket == socket) return watch;
	return NULL;
}

static int openSocket(xsMachine* the, const char* host, int port)
{
	char service[8];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(host, service, &hints, &list)) xsUnknownError("%s: no such host", host);
	int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int failed = fd < 0 || (connect(fd, list->ai_addr, list->ai_addrlen) && errno != EINPROGRESS);
	freeaddrinfo(list);
	if (failed) {
		if (fd >= 0) close(fd);
		xsUnknownError("connect: %s", strerror(errno));
	}
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* connect(object, host, port): a socket, whose `ready(readable, writable)` is called on `object`. */
static void native_connect(xsMachine* the)
{
	int port = integerArg(the, 2, 1, 65535);
	int fd = openSocket(the, xsToString(xsArg(1)), port);
	Watch* watch = addWatch(the, &xsArg(0));
	watch->socket = fd;
	watch->events = POLLIN | POLLOUT;
	xsResult = xsInteger(fd);
}

/* watch(socket, readable, writable): which of the two are of interest. */
static void native_watch(xsMachine* the)
{
	Watch* watch = findSocket(integerArg(the, 0, 0, 1 << 20));
	if (watch) watch->events = (xsTest(xsArg(1)) ? POLLIN : 0) | (xsTest(xsArg(2)) ? POLLOUT : 0);
}

/* read(socket, bytes, start, end): how many came; 0 at the end of the stream, -1 when it would block. */
static void native_read(xsMachine* the)
{
	int length, fd = integerArg(the, 0, 0, 1 << 20);
	char* bytes = spanArg(the, 1, 1, &length);
	ssize_t n = recv(fd, bytes, length, 0);
	if (n < 0 && errno != EAGAIN) xsUnknownError("read: %s", strerror(errno));
	xsResult = xsInteger(n);
}

/* send(socket, bytes, start, end): how many went; 0 when it would block. */
static void native_send(xsMachine* the)
{
	int length, fd = integerArg(the, 0, 0, 1 << 20);
	char* bytes = spanArg(the, 1, 0, &length);
	ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) xsUnknownError("write: %s", strerror(errno));
	xsResult = xsInteger(n < 0 ? 0 : n);
}

/* available(socket): bytes to read; -1 at the end of the stream. Where there are none, a read tells them apart. */
static void native_available(xsMachine* the)
{
	char byte;
	int count = 0, fd = integerArg(the, 0, 0, 1 << 20);
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK);
	if (n < 0 && errno != EAGAIN && errno != ENOTCONN) xsUnknownError("%s", strerror(errno));
	if (n > 0) ioctl(fd, FIONREAD, &count);
	xsResult = xsInteger(n == 0 ? -1 : count);
}

/* wait(socket): blocks until there is something to read. */
static void native_wait(xsMachine* the)
{
	struct pollfd one = { .fd = integerArg(the, 0, 0, 1 << 20), .events = POLLIN };
	fflush(stdout);
	while (poll(&one, 1, -1) < 0 && errno == EINTR) {}
}

static void native_close(xsMachine* the)
{
	Watch* watch = findSocket(integerArg(the, 0, 0, 1 << 20));
	if (!watch) return;
	close(watch->socket);
	watch->dead = 1;
}

/* setTimer(callback, milliseconds, interval or -1): its number. */
static void native_setTimer(xsMachine* the)
{
	double delay = xsToNumber(xsArg(1));
	double interval = xsToNumber(xsArg(2));
	Watch* watch = addWatch(the, &xsArg(0));
	watch->timer = ++gTimers;
	watch->due = milliseconds() + delay;
	watch->interval = interval;
	xsResult = xsInteger(watch->timer);
}

static void native_clearTimer(xsMachine* the)
{
	int timer = integerArg(the, 0, 0, 0x7fffffff);
	for (Watch* watch = gWatches; watch; watch = watch->next)
		if (timer > 0 && watch->timer == timer) watch->dead = 1;
}

static void buryWatches(xsMachine* the)
{
	for (Watch** at = &gWatches; *at;) {
		Watch* watch = *at;
		if (!watch->dead) at = &watch->next;
		else {
			*at = watch->next;
			xsForget(watch->object);
			heapDisown(watch);
		}
	}
}

/* Prints what was thrown, and where, if it is an error. */
static void failUncaught(xsMachine* the)
{
	if (xsTypeOf(xsException) == xsReferenceType && xsHas(xsException, xsID("stack")))
		xsResult = xsGet(xsException, xsID("stack"));
	else xsResult = xsException;
	fprintf(stderr, "%s\n", xsToString(xsResult));
	hostAbort("uncaught exception", EXIT_UNCAUGHT);
}

static void callWatch(xsMachine* the, Watch* watch, short ready)
{
	int readable = ready & (POLLIN | POLLHUP | POLLERR), writable = ready & (POLLOUT | POLLERR);
	if (watch->timer) xsCallFunction0(xsAccess(watch->object), xsUndefined);
	else xsCall2(xsAccess(watch->object), xsID("ready"), xsBoolean(readable), xsBoolean(writable));
}

static void callProgram(xsMachine* machine, Watch* watch, short ready)
{
	xsBeginHost(machine);
	xsTry {
		callWatch(the, watch, ready);
	}
	xsCatch {
		failUncaught(the);
	}
	xsEndHost(machine);
	hostRunJobs(machine);
}

/* The timer that is due first, by `limit` at the latest. */
static Watch* firstTimer(double limit)
{
	Watch* first = NULL;
	for (Watch* watch = gWatches; watch; watch = watch->next) {
		if (watch->timer == 0 || watch->dead) continue;
		if (first ? watch->due < first->due : watch->due <= limit) first = watch;
	}
	return first;
}

/* Milliseconds that `poll` may wait for a socket. */
static int patience(void)
{
	Watch* first = firstTimer(HUGE_VAL);
	double wait = first ? first->due - milliseconds() : -1;
	return !first ? -1 : wait <= 0 ? 0 : (int)wait + 1;
}

static void serveSockets(xsMachine* machine)
{
	enum { SOCKETS = 64 };
	struct pollfd polls[SOCKETS];
	Watch* watches[SOCKETS];
	int count = 0;
	for (Watch* watch = gWatches; watch && count < SOCKETS; watch = watch->next) {
		if (watch->timer) continue;
		// poll would tell of errors even to who wants to know nothing
		polls[count] = (struct pollfd){ .fd = watch->events ? watch->socket : -1, .events = watch->events };
		watches[count++] = watch;
	}
	poll(polls, count, patience());
	for (int i = 0; i < count; i++)
		if (polls[i].revents && !watches[i]->dead) callProgram(machine, watches[i], polls[i].revents);
}

/* Those that are due now, the earliest first; what they set is for the next turn. */
static void serveTimers(xsMachine* machine)
{
	double now = milliseconds();
	for (Watch* timer; (timer = firstTimer(now));) {
		if (timer->interval < 0) timer->dead = 1;
		else timer->due = milliseconds() + timer->interval;
		callProgram(machine, timer, 0);
	}
}

/* Waits for the first socket or timer, and calls all that are ready. */
static void turn(xsMachine* machine)
{
	fflush(stdout);
	serveSockets(machine);
	// Before timers, so that they find nothing alive that is over
	buryWatches(machine);
	serveTimers(machine);
	buryWatches(machine);
}

/* ---- The global `host` */

typedef struct {
	const char* name;
	xsCallback call;
	int length;
} Native;

static const Native gNatives[] = {
	{ "print", native_print, 1 }, { "printError", native_printError, 1 }, { "write", native_write, 3 },
	{ "ticks", native_ticks, 0 }, { "clock", native_clock, 0 }, { "random", native_random, 3 },
	{ "readFile", native_readFile, 1 }, { "exit", native_exit, 1 },
	{ "collect", native_collect, 0 }, { "mark", native_mark, 1 }, { "resetPeaks", native_resetPeaks, 0 },
	{ "computrons", native_computrons, 0 },
	{ "connect", native_connect, 3 }, { "watch", native_watch, 3 }, { "read", native_read, 4 },
	{ "send", native_send, 4 }, { "available", native_available, 1 }, { "wait", native_wait, 1 },
	{ "close", native_close, 1 },
	{ "setTimer", native_setTimer, 3 }, { "clearTimer", native_clearTimer, 1 },
	{ NULL, NULL, 0 },
};

static void defineHost(xsMachine* machine)
{
	xsBeginHost(machine);
	xsVars(2);
	xsVar(0) = xsNewObject();
	for (const Native* native = gNatives; native->name; native++) {
		xsVar(1) = xsNewHostFunction(native->call, native->length);
		xsSet(xsVar(0), xsID(native->name), xsVar(1));
	}
	xsSet(xsGlobal, xsID("host"), xsVar(0));
#ifdef TLSTAPLE_PSA
	tlstaple_psa_register(the);
#endif
	xsEndHost(machine);
}

static void defineArguments(xsMachine* machine, int argc, char** argv)
{
	xsBeginHost(machine);
	xsVars(2);
	xsVar(0) = xsNewArray(0);
	for (int i = 0; i < argc; i++) {
		xsVar(1) = xsString(argv[i]);
		xsCall1(xsVar(0), xsID("push"), xsVar(1));
	}
	xsSet(xsGlobal, xsID("programArguments"), xsVar(0));
	xsEndHost(machine);
}

static void callMain(xsMachine* machine)
{
	xsBeginHost(machine);
	xsTry {
		xsCall0(xsGlobal, xsID("main"));
	}
	xsCatch {
		failUncaught(machine);
	}
	xsEndHost(machine);
	hostRunJobs(machine);
}

/* ---- The command line */

typedef struct {
	int preload;
	int sdkSteps;
	size_t arena;
	size_t stack;
} Options;

static size_t numberOption(const char* text)
{
	char* end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;
	if (value == 0 || *end) hostAbort("an option wants a number", EXIT_USAGE);
	return value;
}

static int readOptions(int argc, char** argv, Options* options)
{
	int i = 1;
	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--preload")) options->preload = 1;
		else if (!strcmp(argv[i], "--sdk-steps")) options->sdkSteps = 1;
		else if (!strcmp(argv[i], "--arena")) options->arena = numberOption(argv[++i]);
		else if (!strcmp(argv[i], "--stack")) options->stack = numberOption(argv[++i]);
		else if (!strcmp(argv[i], "--stats")) gStats = argv[++i];
		else hostAbort("unknown option", EXIT_USAGE);
	}
	if (i >= argc) hostAbort("usage: tlstaple-xs [--preload] [--arena BYTES] [--stack SLOTS] [--sdk-steps] [--stats FILE] MODULE", EXIT_USAGE);
	return i;
}

static void printAbout(void)
{
#ifdef TLSTAPLE_PSA
	const char* psa = "true";
#else
	const char* psa = "false";
#endif
	printf("{\"bits\":%zu,\"psa\":%s}\n", 8 * sizeof(void*), psa);
}

int main(int argc, char** argv)
{
	static char output[4096];
	if (argc == 2 && !strcmp(argv[1], "--about")) {
		printAbout();
		return 0;
	}
	Options options = { .arena = 1 << 20, .stack = 1024 };
	int at = readOptions(argc, argv, &options);
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	signal(SIGSEGV, onSegmentationFault);
	signal(SIGBUS, onSegmentationFault);
	xsMachine* root = hostCreateRoot();
	gMachine = root;
	defineHost(root);
	defineArguments(root, argc - at - 1, argv + at + 1);
	hostImport(root, argv[at]);
	if (options.preload) {
		hostShare(root);
		gMachine = hostClone(root, options.arena, options.stack, options.sdkSteps);
		hostUse(gMachine, &gBaseline);
		heapReset();
		callMain(gMachine);
	}
	while (gWatches) turn(gMachine);
	finish(0);
}
