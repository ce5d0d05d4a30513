/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* One line each, whatever a name has in it. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			*text = '?';
}

struct finding *report_add(struct report *r, enum finding_level level,
			   const char *what, const char *fmt, ...)
{
	static struct finding nowhere;
	struct finding *f = r->count < r->cap ? &r->items[r->count++]
					      : &nowhere;
	va_list args;

	memset(f, 0, sizeof(*f));
	f->level = level;
	snprintf(f->what, sizeof(f->what), "%s", what);
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	clean(f->text);
	return f;
}

void report_hint(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->hint, sizeof(f->hint), fmt, args);
	va_end(args);
	clean(f->hint);
}

int report_read(const char *fmt, ...)
{
	char path[PATH_MAX], buf[16] = { 0 };
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atoi(buf) : -1;
}

/* Whether BPF may be used here. */
static bool check_capabilities(struct report *r)
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
	return effective >> CAP_BPF_BIT & 1;
}

static void check_kernel(struct report *r)
{
	int jit = report_read("/proc/sys/net/core/bpf_jit_enable");

	if (jit == 0)
		report_hint(report_add(r, FINDING_WARN, "jit",
				       "the BPF JIT is off: every packet costs "
				       "many times more"),
			    "sysctl -w net.core.bpf_jit_enable=1");
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
		report_hint(report_add(r, FINDING_FAIL, "bpffs",
				       "%.100s is not on a BPF file system: "
				       "what is loaded cannot be pinned",
				       parent),
			    "mount -t bpf bpf /sys/fs/bpf");
	else
		report_add(r, FINDING_OK, "bpffs", "%.100s", parent);
}

static bool has_cgroup2(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f)) != NULL)
		found = strcmp(m->mnt_type, "cgroup2") == 0;
	if (f)
		endmntent(f);
	return found;
}

/* What the host's own traffic needs. */
static void check_host(struct report *r)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		report_add(r, FINDING_WARN, "btf",
			   "the kernel has no BTF: wan_interface cannot be "
			   "used (CONFIG_DEBUG_INFO_BTF)");
	if (!has_cgroup2())
		report_add(r, FINDING_WARN, "cgroup",
			   "no cgroup v2 is mounted: wan_interface cannot be "
			   "used (mount -t cgroup2 none /sys/fs/cgroup)");
}

size_t datapath_doctor(const struct doctor_options *opt, struct finding *ret,
		       size_t cap)
{
	struct report r = { .items = ret, .cap = cap };

	error_capture_libbpf();
	if (check_capabilities(&r))
		doctor_features(&r);
	check_kernel(&r);
	check_host(&r);
	check_bpffs(&r, opt->pin_dir);
	doctor_sysctls(&r, opt);
	doctor_programs(&r, opt);
	doctor_nftables(&r, opt);
	return r.count;
}
