/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dae-worker: gives up what it was started with, closes the door behind it, and
 * does the jobs that come over its channel. Started by the supervisor alone.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/priv.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#define TRIM_THRESHOLD (256 << 10)

struct args {
	enum worker_role role;
	uint32_t generation;
	uid_t uid;
	gid_t gid;
	pid_t supervisor;
};

static const struct option options[] = {
	{"role", required_argument, NULL, 'r'},
	{"generation", required_argument, NULL, 'g'},
	{"uid", required_argument, NULL, 'u'},
	{"gid", required_argument, NULL, 'G'},
	{"supervisor-pid", required_argument, NULL, 'p'},
	{NULL, 0, NULL, 0},
};

/* A number and nothing else, at most @max. */
static int parse_number(const char *text, unsigned long max,
			unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || *ret > max)
		return -EINVAL;
	return 0;
}

static int take_option(struct args *a, int c, const char *text)
{
	unsigned long n = 0;

	if (c == 'r') {
		a->role = strcmp(text, "probe") == 0 ? ROLE_PROBE : ROLE_NONE;
		return a->role == ROLE_NONE ? -EINVAL : 0;
	}
	if (c == '?' || parse_number(text, UINT32_MAX - 1, &n) < 0)
		return -EINVAL;
	switch (c) {
	case 'g':
		a->generation = (uint32_t)n;
		break;
	case 'u':
		a->uid = (uid_t)n;
		break;
	case 'G':
		a->gid = (gid_t)n;
		break;
	default:
		a->supervisor = (pid_t)n;
		break;
	}
	return 0;
}

static int parse_args(struct args *a, int argc, char **argv)
{
	int c;

	*a = (struct args){.uid = PRIV_KEEP_IDS, .gid = PRIV_KEEP_IDS};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(a, c, optarg) < 0)
			return -EINVAL;
	if (a->role == ROLE_NONE || optind != argc)
		return -EINVAL;
	return (a->uid == PRIV_KEEP_IDS) == (a->gid == PRIV_KEEP_IDS) ? 0
								     : -EINVAL;
}

/* One thread needs one arena; freed memory goes back soon. */
static void tune_malloc(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	mallopt(M_MMAP_THRESHOLD, TRIM_THRESHOLD);
}

int main(int argc, char **argv)
{
	struct sandbox_report report = {0};
	struct worker *w = NULL;
	struct args a;
	int r;

	log_init("dae-worker");
	if (parse_args(&a, argc, argv) < 0) {
		fputs("dae-worker is started by dae-supervisor\n", stderr);
		return WORKER_EXIT_INTERNAL;
	}
	if (close_range(WORKER_CHANNEL_FD + 1, ~0U, 0) < 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return WORKER_EXIT_SANDBOX;
	tune_malloc();
	r = priv_drop(a.uid, a.gid, a.supervisor);
	if (r < 0) {
		log_err_r(r, "worker: privileges not dropped");
		return WORKER_EXIT_SANDBOX;
	}
	r = worker_new(&w);
	if (r < 0) {
		log_err_r(r, "worker: cannot start");
		return r == -ENOMEM ? WORKER_EXIT_NOMEM : WORKER_EXIT_INTERNAL;
	}
	r = sandbox_enter(a.role, &report);
	if (r < 0) {
		log_err_r(r, "worker: sandbox not closed");
		return WORKER_EXIT_SANDBOX;
	}
	r = worker_run(w, a.generation, a.role, &report);
	worker_free(&w);
	return r;
}
