/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dae-compile that is up to no good: in which way, its name says. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base.h"
#include "supervisor/compile/task.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static void put(int fd, const void *data, size_t len, int seals)
{
	if (write(fd, data, len) != (ssize_t)len ||
	    (seals && fcntl(fd, F_ADD_SEALS, seals) < 0))
		_exit(1);
}

static void put_report(int seals)
{
	struct task_report r = { .is_error = false };
	void *text;
	size_t len;

	if (task_report_encode(&r, &text, &len) < 0)
		_exit(1);
	put(TASK_FD_REPORT, text, len, seals);
	free(text);
}

int main(int argc DAE_UNUSED, char **argv)
{
	const char *how = strrchr(argv[0], '-');

	if (!how)
		return 1;
	if (strcmp(how, "-hang") == 0)
		for (;;)
			pause();
	if (strcmp(how, "-crash") == 0)
		raise(SIGKILL);
	if (strcmp(how, "-silent") == 0)
		return 0;
	if (strcmp(how, "-garbage") == 0) {
		put(TASK_FD_REPORT, "garbage", 7, SEALS);
		return 0;
	}
	if (strcmp(how, "-unsealed") == 0) { /* the image is left writable */
		put_report(SEALS);
		put(TASK_FD_RULES, "x", 1, F_SEAL_SHRINK | F_SEAL_GROW);
		put(TASK_FD_NAMES, "x", 1, SEALS);
		return 0;
	}
	if (strcmp(how, "-report") == 0) { /* the report is left writable */
		put_report(0);
		return 0;
	}
	if (strcmp(how, "-empty") == 0) {
		put_report(SEALS);
		put(TASK_FD_RULES, "", 0, SEALS);
		put(TASK_FD_NAMES, "x", 1, SEALS);
		return 0;
	}
	if (strcmp(how, "-huge") == 0) {
		put_report(SEALS);
		if (ftruncate(TASK_FD_RULES, (off_t)TASK_IMAGE_MAX + 4096) < 0)
			return 1;
		put(TASK_FD_RULES, "", 0, SEALS);
		put(TASK_FD_NAMES, "x", 1, SEALS);
		return 0;
	}
	return 1;
}
