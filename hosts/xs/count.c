/*
 * A plugin of qemu-riscv32 that counts instructions by the place of their code. Its argument `map` names a file of
 * lines "GROUP START END" in hexadecimal, sorted by START, in which group 0 has the functions at whose call counting begins anew,
 * group 1 those at whose call it ends; `out` names the file that gets one number for each of the other groups.
 * QEMU's header is in no package; these are the few declarations of its interface that have stayed the same.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
typedef void (*Translated)(uint64_t id, struct qemu_plugin_tb* block);
typedef void (*Executed)(unsigned int cpu, void* data);
typedef void (*Ended)(uint64_t id, void* data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, Translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block, Executed callback, int flags, void* data);
void qemu_plugin_register_atexit_cb(uint64_t id, Ended callback, void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb* block);

int qemu_plugin_version = VERSION;

typedef struct {
	unsigned group, start, end;
} Range;

/* A block of code without jumps into or out of its middle. */
typedef struct {
	unsigned group, length;
} Block;

enum { BEGIN, END, GROUPS = 8, RANGES = 16384 };

static Range gRanges[RANGES];
static unsigned gRangeCount, gGroupCount;
static uint64_t gCounts[GROUPS];
static int gEnded;
static char* gOut;

static void execute(unsigned int cpu, void* data)
{
	const Block* block = data;
	(void)cpu;
	if (block->group == BEGIN) {
		memset(gCounts, 0, sizeof(gCounts));
		gEnded = 0;
	}
	if (block->group == END) gEnded = 1;
	if (!gEnded) gCounts[block->group] += block->length;
}

static unsigned groupOf(uint64_t address)
{
	unsigned low = 0, high = gRangeCount;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (gRanges[middle].end <= address) low = middle + 1;
		else high = middle;
	}
	return low < gRangeCount && gRanges[low].start <= address ? gRanges[low].group : GROUPS - 1;
}

static void translate(uint64_t id, struct qemu_plugin_tb* code)
{
	Block* block = malloc(sizeof(Block));
	(void)id;
	block->group = groupOf(qemu_plugin_tb_vaddr(code));
	block->length = qemu_plugin_tb_n_insns(code);
	qemu_plugin_register_vcpu_tb_exec_cb(code, execute, 0, block);
}

static void writeCounts(uint64_t id, void* data)
{
	FILE* file = gOut ? fopen(gOut, "w") : NULL;
	(void)id, (void)data;
	if (!file) return;
	for (unsigned i = END + 1; i < gGroupCount; i++) fprintf(file, "%llu\n", (unsigned long long)gCounts[i]);
	fclose(file);
}

static void readMap(const char* name)
{
	FILE* file = fopen(name, "r");
	if (!file) return;
	while (gRangeCount < RANGES) {
		Range* range = &gRanges[gRangeCount];
		if (fscanf(file, "%x %x %x", &range->group, &range->start, &range->end) != 3) break;
		if (range->group >= GROUPS - 1) break;
		if (range->group >= gGroupCount) gGroupCount = range->group + 1;
		gRangeCount++;
	}
	fclose(file);
}

int qemu_plugin_install(uint64_t id, const void* info, int argc, char** argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "map=", 4)) readMap(argv[i] + 4);
		if (!strncmp(argv[i], "out=", 4)) gOut = strdup(argv[i] + 4);
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, writeCounts, NULL);
	return 0;
}
