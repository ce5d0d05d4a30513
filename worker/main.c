/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dae-worker: gives up what it was started with, closes the door behind it, and
 * does the jobs that come over its channel. Started by the supervisor alone.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/worker_args.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#define TRIM_THRESHOLD (256 << 10)

#define OOM_SCORE 500 /* the first to go */

/* One thread needs one arena; freed memory goes back soon. */
static void tune_malloc(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	mallopt(M_MMAP_THRESHOLD, TRIM_THRESHOLD);
}

/* Limits while our /proc files are still ours, then the drop. */
static int give_up_privilege(const struct worker_args *a)
{
	struct priv_limits limits = { .data_bytes = a->data_bytes,
				      .files = a->files,
				      .oom_score_adj = OOM_SCORE };
	int r;

	r = priv_limit(&limits);
	if (r < 0)
		return log_err_r(r, "worker: limits not set");
	r = priv_drop(a->uid, a->gid, a->parent);
	return r < 0 ? log_err_r(r, "worker: privileges not dropped") : 0;
}

int main(int argc, char **argv)
{
	struct confine_report report = { 0 };
	struct worker *w = NULL;
	struct worker_args a;
	int r;

	log_init("dae-worker");
	if (worker_args_parse(argc, argv, &a) < 0) {
		fputs("dae-worker is started by dae-supervisor\n", stderr);
		return WORKER_EXIT_INTERNAL;
	}
	if (close_range(WORKER_CHANNEL_FD + 1, ~0U, 0) < 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return WORKER_EXIT_SANDBOX;
	tune_malloc();
	if (give_up_privilege(&a) < 0)
		return WORKER_EXIT_SANDBOX;
	r = worker_new(&w);
	if (r < 0) {
		log_err_r(r, "worker: cannot start");
		return r == -ENOMEM ? WORKER_EXIT_NOMEM : WORKER_EXIT_INTERNAL;
	}
	r = sandbox_enter((enum worker_role)a.role, &report);
	if (r < 0) {
		log_err_r(r, "worker: sandbox not closed");
		return WORKER_EXIT_SANDBOX;
	}
	r = worker_run(w, a.generation, (enum worker_role)a.role, &report);
	worker_free(&w);
	return r;
}
