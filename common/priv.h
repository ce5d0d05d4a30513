/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up privilege, by hand and verified. For the first lines of a process
 * that must not have any: nothing here can be undone.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Keep the caller's own uid and gid: it has no right to take others. */
#define PRIV_KEEP_IDS ((uid_t)-1)

struct priv_limits {
	uint64_t data_bytes;	/* RLIMIT_DATA, 0: as it is */
	uint64_t files;		/* RLIMIT_NOFILE, 0: as it is */
	uint64_t address_bytes; /* RLIMIT_AS, 0: as it is */
	uint64_t file_bytes;	/* RLIMIT_FSIZE; 0: no file grows */
	uint64_t cpu_s;		/* RLIMIT_CPU, 0: as it is */
	int oom_score_adj;	/* raised to this where permitted */
};

/* Lower the limits; no core file. 0 or -errno. Before the drop:
 * afterwards our own /proc files belong to root. */
int priv_limit(const struct priv_limits *limits);

/*
 * Become @uid and @gid with no supplementary group and no capability in any
 * set, the bounding set emptied where permitted, undumpable, no_new_privs; and
 * check all of it, setuid(0) included. With PRIV_KEEP_IDS the ids stay, which
 * is refused to root (-EPERM). With @parent not 0: be killed when that process
 * dies. 0 or -errno; on error the process must exit (WORKER_EXIT_SANDBOX).
 */
int priv_drop(uid_t uid, gid_t gid, pid_t parent);

/* 0 if permitted, effective, inheritable and ambient sets are empty. */
int priv_verify_no_caps(void);
