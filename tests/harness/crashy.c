/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a worker crash: a probe that asks for a path with "crash-me" in
 * it. Linked in front of probe_launch() in a test build of the worker; nothing
 * like it is in the worker that is installed.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/probe/probe.h"

int __real_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd);
int __wrap_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd);

int __wrap_probe_launch(struct probe_host *host, const struct job_spec *spec,
			char *arena, int fd)
{
	if (strstr(spec->str[JOB_STR_PATH], "crash-me"))
		abort();
	return __real_probe_launch(host, spec, arena, fd);
}
