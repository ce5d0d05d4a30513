/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a worker leak: each probe leaves half a megabyte behind. Linked in
 * front of probe_launch() in a test build of the worker; nothing like it is
 * in the worker that is installed.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/probe/probe.h"

#define LEAK_BYTES (512U << 10)

int __real_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd);
int __wrap_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd);

int __wrap_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd)
{
	static void *last;
	void *p = malloc(LEAK_BYTES);

	if (p) {
		memset(p, 1, LEAK_BYTES);
		memcpy(p, &last, sizeof(last)); /* reachable, yet never freed */
		last = p;
	}
	return __real_probe_launch(host, spec, arena, fd);
}
