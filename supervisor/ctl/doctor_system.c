/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/doctor.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/ctl/ctl_json.h"

#define FILE_MAX 65536

const char *doctor_level_name(enum doctor_level l)
{
	static const char *const names[] = { "ok", "warn", "fail" };

	return names[l];
}

void doctor_add(json_t *list, enum doctor_level level, const char *what,
		const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctl_json_append(list, json_pack("{s:s, s:s, s:o, s:o}", "level",
					doctor_level_name(level), "what", what,
					"text", ctl_json_text(text), "hint",
					ctl_json_text(hint)));
}

static void check_kernel(json_t *list)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return;
	if (major * 1000 + minor >= 6001)
		doctor_add(list, DOCTOR_OK, "kernel", NULL, "%s", u.release);
	else
		doctor_add(list, DOCTOR_WARN, "kernel",
			   "use Debian 12's kernel (6.1) or a newer one",
			   "%s is older than what this is tested with",
			   u.release);
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		doctor_add(list, DOCTOR_OK, "btf", NULL,
			   "the kernel describes its types");
	else
		doctor_add(
			list, DOCTOR_FAIL, "btf",
			"boot a kernel with CONFIG_DEBUG_INFO_BTF=y",
			"no /sys/kernel/btf/vmlinux: routing programs cannot "
			"be loaded; observe mode works");
}

static void check_sandbox(json_t *list)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
		      LANDLOCK_CREATE_RULESET_VERSION);
	if (abi > 0)
		doctor_add(list, DOCTOR_OK, "landlock", NULL, "ABI %ld", abi);
	else
		doctor_add(list, DOCTOR_WARN, "landlock",
			   "add landlock to the kernel's lsm= parameter",
			   "not available: workers keep their other fences, "
			   "but lack one around files");
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		doctor_add(list, DOCTOR_OK, "seccomp", NULL, "filters work");
	else
		doctor_add(list, DOCTOR_FAIL, "seccomp",
			   "boot a kernel with CONFIG_SECCOMP_FILTER=y",
			   "no system call filters: workers refuse to start");
}

static bool is_type(const char *path, long magic)
{
	struct statfs s;

	return statfs(path, &s) == 0 && s.f_type == magic;
}

static void check_mounts(json_t *list)
{
	if (is_type("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		doctor_add(list, DOCTOR_OK, "cgroup", NULL,
			   "version 2 at /sys/fs/cgroup");
	else if (is_type("/sys/fs/cgroup/unified", CGROUP2_SUPER_MAGIC))
		doctor_add(list, DOCTOR_WARN, "cgroup",
			   "boot with systemd.unified_cgroup_hierarchy=1",
			   "version 2 is mounted without controllers: workers "
			   "are bounded by RLIMIT_DATA and by our own readings "
			   "alone, unless version 1 is delegated");
	else
		doctor_add(list, DOCTOR_WARN, "cgroup",
			   "mount -t cgroup2 none /sys/fs/cgroup",
			   "no version 2: no fence around the sockets of "
			   "workers, no memory.max");
	if (is_type("/sys/fs/bpf", BPF_FS_MAGIC))
		doctor_add(list, DOCTOR_OK, "bpffs", NULL,
			   "mounted at /sys/fs/bpf");
	else
		doctor_add(list, DOCTOR_WARN, "bpffs",
			   "mount -t bpf bpf /sys/fs/bpf",
			   "not mounted: what is loaded does not survive a "
			   "restart of the daemon");
}

static void check_ca(json_t *list)
{
	struct stat st;

	if (stat("/etc/ssl/certs/ca-certificates.crt", &st) == 0 &&
	    st.st_size > 0)
		doctor_add(list, DOCTOR_OK, "certificates", NULL,
			   "the system's bundle is there");
	else
		doctor_add(list, DOCTOR_FAIL, "certificates",
			   "apt install ca-certificates",
			   "no /etc/ssl/certs/ca-certificates.crt: every check "
			   "over TLS fails");
}

static void check_resolver(json_t *list)
{
	auto_free char *text = NULL;

	if (fd_read_file("/etc/resolv.conf", FILE_MAX, &text) > 0 &&
	    strstr(text, "nameserver"))
		doctor_add(list, DOCTOR_OK, "resolver", NULL,
			   "/etc/resolv.conf names one");
	else
		doctor_add(list, DOCTOR_WARN, "resolver",
			   "set bootstrap_resolver in the configuration",
			   "/etc/resolv.conf names no server: nodes and checks "
			   "with names are not found");
}

static bool is_pid(const char *name)
{
	for (; *name; name++)
		if (!isdigit((unsigned char)*name))
			return false;
	return true;
}

static void check_process(json_t *list, const char *pid)
{
	static const char *const others[] = { "dae", "daed", "v2raya" };
	auto_free char *comm = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	if (fd_read_file(path, 64, &comm) <= 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (!strcmp(comm, others[i]))
			doctor_add(list, DOCTOR_WARN, "other-router",
				   "keep mode: observe, or stop the other one",
				   "%s is running (pid %s): two programs would "
				   "route the same packets",
				   comm, pid);
}

static void check_others(json_t *list)
{
	const struct dirent *e;
	DIR *d = opendir("/proc");

	if (!d)
		return;
	while ((e = readdir(d)))
		if (is_pid(e->d_name))
			check_process(list, e->d_name);
	closedir(d);
}

void doctor_check_system(json_t *list)
{
	check_kernel(list);
	check_sandbox(list);
	check_mounts(list);
	check_ca(list);
	check_resolver(list);
	check_others(list);
}
