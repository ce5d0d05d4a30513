/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ways of dae-compile: the request, compiled as far as it goes, with one
 * file of geo data; and the report, as its starter reads it. The first byte
 * chooses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/compile/expand.h"
#include "supervisor/compile/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_report(const uint8_t *data, size_t len)
{
	struct task_report r;

	if (task_report_decode(data, len, &r) < 0)
		return;
	if (memchr(r.error.text, '\x1b', strlen(r.error.text)))
		abort();
	task_report_clear(&r);
}

static const int *files(void)
{
	static const char geo[] = "\x0a\x0e\x0a\x01"
				  "a\x12\x09\x08\x02\x12\x05x.org";
	static int fds[TASK_FILES_MAX];

	if (fds[0])
		return fds;
	fds[0] = memfd_create("geo", MFD_CLOEXEC);
	if (fds[0] < 0 ||
	    write(fds[0], geo, sizeof(geo) - 1) != sizeof(geo) - 1)
		abort();
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		fds[i] = fds[0];
	return fds;
}

/* What was compiled must pass those who will look at it. */
static void check(const struct compiled *c)
{
	struct ruleset rules;
	struct nameset names;

	if (ruleset_open(c->rules, c->rules_len, &rules) < 0 ||
	    nameset_open(c->names, c->names_len, &names) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct task_report report = { .is_error = false };
	struct compiled c = { .names = NULL };
	struct task_decoded d;
	int r;

	if (len == 0)
		return 0;
	if (data[0] & 1) {
		read_report(data + 1, len - 1);
		return 0;
	}
	if (task_request_decode(data + 1, len - 1, &d) < 0)
		return 0;
	if (d.q.kind == TASK_COMPILE) {
		r = compile_rules(&d, files(), &c, &report);
		if (r == 0)
			check(&c);
		else if (!report.is_error && r != -12)
			abort(); /* an error must say what it is */
	}
	compiled_clear(&c);
	task_report_clear(&report);
	task_decoded_clear(&d);
	return 0;
}
