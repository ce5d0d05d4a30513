/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/doctor_report.h"
#include "supervisor/datapath/error.h"

#define CAP_NET_ADMIN_BIT 12
#define CAP_PERFMON_BIT 38
#define CAP_BPF_BIT 39

void report_add(struct report *r, enum finding_level level, const char *what,
		const char *fmt, ...)
{
	struct finding *f;
	va_list args;

	if (r->count == r->cap)
		return;
	f = &r->items[r->count++];
	f->level = level;
	snprintf(f->what, sizeof(f->what), "%s", what);
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

/* A small number from /proc, or -1. */
static int read_proc(const char *path)
{
	char buf[16] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atoi(buf) : -1;
}

static void check_capabilities(struct report *r)
{
	static const struct {
		const char *name;
		int bit;
	} wanted[] = {
		{ "CAP_BPF", CAP_BPF_BIT },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN_BIT },
		{ "CAP_PERFMON", CAP_PERFMON_BIT },
	};
	unsigned long long effective = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	size_t i;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (f)
		fclose(f);
	for (i = 0; i < ARRAY_LEN(wanted); i++)
		if (!(effective >> wanted[i].bit & 1))
			report_add(
				r, FINDING_WARN, "capabilities",
				"%s is missing here; the daemon needs it to route",
				wanted[i].name);
}

static void check_kernel(struct report *r)
{
	int jit = read_proc("/proc/sys/net/core/bpf_jit_enable");

	if (jit == 0)
		report_add(r, FINDING_WARN, "jit",
			   "the BPF JIT is off: every packet "
			   "costs many times more (net.core.bpf_jit_enable=1)");
	else if (jit > 0)
		report_add(r, FINDING_OK, "jit", "the BPF JIT is on");
	if (attach_has_tcx())
		report_add(r, FINDING_OK, "tcx",
			   "the kernel has tcx: programs are "
			   "swapped by one atomic update");
	else
		report_add(r, FINDING_WARN, "tcx",
			   "no tcx (Linux 6.6 has it, or BPF "
			   "is not permitted here): clsact filters are used");
}

static void check_bpffs(struct report *r, const char *pin_dir)
{
	char parent[256];
	struct statfs fs;
	char *slash;

	if (!pin_dir)
		return;
	snprintf(parent, sizeof(parent), "%s", pin_dir);
	if (statfs(parent, &fs) < 0) {
		slash = strrchr(parent, '/');
		if (slash && slash != parent)
			*slash = '\0';
		if (statfs(parent, &fs) < 0) {
			report_add(r, FINDING_FAIL, "bpffs", "%.100s: %s",
				   parent, strerror(errno));
			return;
		}
	}
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		report_add(r, FINDING_FAIL, "bpffs",
			   "%.100s is not on a BPF file "
			   "system: mount -t bpf bpf /sys/fs/bpf",
			   parent);
	else
		report_add(r, FINDING_OK, "bpffs", "%.100s", parent);
}

static void check_forwarding(struct report *r)
{
	static const struct {
		const char *path, *name;
	} switches[] = {
		{ "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding",
		  "net.ipv6.conf.all.forwarding" },
	};
	size_t i;
	int v;

	for (i = 0; i < ARRAY_LEN(switches); i++) {
		v = read_proc(switches[i].path);
		if (v == 0)
			report_add(r, FINDING_WARN, "forwarding",
				   "%s is 0: this "
				   "machine is no router yet",
				   switches[i].name);
	}
	if (read_proc("/proc/sys/net/ipv4/ip_early_demux") == 0)
		report_add(r, FINDING_WARN, "early_demux",
			   "net.ipv4.ip_early_demux is 0: packets of proxied "
			   "connections take the slower way to their socket");
}

size_t datapath_doctor(const char *pin_dir, struct finding *ret, size_t cap)
{
	struct report r = { .items = ret, .cap = cap };

	error_capture_libbpf();
	check_capabilities(&r);
	check_kernel(&r);
	check_bpffs(&r, pin_dir);
	check_forwarding(&r);
	doctor_nftables(&r);
	return r.count;
}
