/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes are an interface: read by both binaries and by packaging/. */
#pragma once

enum worker_exit {
	WORKER_EXIT_DRAINED =
		0, /* left in good order: start the next one now */
	WORKER_EXIT_INTERNAL = 70, /* bug: start again, with backoff */
	WORKER_EXIT_PROTOCOL =
		71, /* could not read the supervisor: version skew */
	WORKER_EXIT_SANDBOX =
		72, /* could not drop privileges: never start again */
	WORKER_EXIT_NOMEM = 73, /* allocation failed: ours, no node is judged */
};

/* daectl's, see daectl(1). */
enum ctl_exit {
	CTL_EXIT_OK = 0,
	CTL_EXIT_FAILED = 1,
	CTL_EXIT_USAGE = 2,
	CTL_EXIT_NOT_RUNNING = 3,
	CTL_EXIT_NOT_FOUND = 4,
	CTL_EXIT_DENIED = 5,
	CTL_EXIT_CONFIG = 6,
	CTL_EXIT_TIMEOUT = 7,
	CTL_EXIT_DEGRADED = 8,
	CTL_EXIT_DOWN = 9,
	CTL_EXIT_VERSION = 10,
};
