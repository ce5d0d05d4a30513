/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "common/base.h"
#include "common/fd.h"

#define CAP_SET_BITS 64
#define STDERR_FILE_MAX (1ULL << 30)

/* Never above the hard limit: raising is not ours to try. */
static int lower(int resource, rlim_t want)
{
	struct rlimit lim;

	if (getrlimit((__rlimit_resource_t)resource, &lim) < 0)
		return -errno;
	lim.rlim_max = MIN(lim.rlim_max, want);
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &lim) < 0)
		return -errno;
	return 0;
}

/* Best effort: a container may forbid it, and nothing depends on it. */
static void raise_oom_score(int adj)
{
	auto_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", adj);

	if (fd >= 0 && write(fd, text, (size_t)n) < 0)
		return;
}

/* A log file on stderr must still take our lines; nothing else is a file. */
static rlim_t file_size_limit(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return STDERR_FILE_MAX;
	return 0;
}

int priv_limit(const struct priv_limits *limits)
{
	int r;

	raise_oom_score(limits->oom_score_adj);
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	r = lower(RLIMIT_CORE, 0);
	if (r == 0)
		r = lower(RLIMIT_FSIZE,
			  MAX(file_size_limit(), (rlim_t)limits->file_bytes));
	if (r == 0 && limits->data_bytes)
		r = lower(RLIMIT_DATA, limits->data_bytes);
	if (r == 0 && limits->files)
		r = lower(RLIMIT_NOFILE, limits->files);
	if (r == 0 && limits->address_bytes)
		r = lower(RLIMIT_AS, limits->address_bytes);
	if (r == 0 && limits->cpu_s)
		r = lower(RLIMIT_CPU, limits->cpu_s);
	return r;
}

/* Needs CAP_SETPCAP; without it there is nothing to bound after the drop. */
static int drop_bounding_set(void)
{
	for (int cap = 0; cap < CAP_SET_BITS; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			break; /* beyond the kernel's last capability */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int take_ids(uid_t uid, gid_t gid)
{
	if (uid == 0 || uid == (uid_t)-1 || gid == 0 || gid == (gid_t)-1)
		return -EPERM;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

/* Saved and effective ids become the real ones: none is left to return to. */
static int settle_own_ids(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (uid == 0)
		return -EPERM;
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static int clear_caps(void)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3,
						0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capset, &hdr, none) < 0)
		return -errno;
	return 0;
}

int priv_verify_no_caps(void)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3,
						0 };
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3];
	int is_set;

	if (syscall(SYS_capget, &hdr, set) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		if (set[i].permitted || set[i].effective || set[i].inheritable)
			return -EPERM;
	for (int cap = 0; cap < CAP_SET_BITS; cap++) {
		is_set = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0,
			       0);
		if (is_set < 0)
			break;
		if (is_set)
			return -EPERM;
	}
	return 0;
}

static int verify_ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return -errno;
	if (r == 0 || r != e || r != s || rg != eg || rg != sg)
		return -EPERM;
	return 0;
}

/* What an attacker in this process would try first. */
static bool can_become_root(void)
{
	return setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0;
}

int priv_drop(uid_t uid, gid_t gid, pid_t parent)
{
	bool keeps = uid == PRIV_KEEP_IDS;
	int r;

	if (chdir("/") < 0)
		return -errno;
	r = drop_bounding_set();
	if (r < 0)
		return r;
	r = keeps ? settle_own_ids() : take_ids(uid, gid);
	if (r < 0)
		return r;
	r = clear_caps();
	if (r < 0)
		return r;
	r = priv_verify_no_caps();
	if (r < 0)
		return r;
	r = verify_ids();
	if (r < 0)
		return r;
	if (!keeps && getgroups(0, NULL) != 0)
		return -EPERM;
	if ((!keeps || getgid() != 0) && can_become_root())
		return -EPERM;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* After setresuid(), which clears the death signal. */
	if (parent && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return parent && getppid() != parent ? -ESRCH : 0;
}
