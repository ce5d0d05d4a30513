/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "common/base.h"

/* The last complaint of libbpf; the supervisor has one thread. */
static char last_complaint[160];

DAE_PRINTF(2, 0)
static int keep_complaint(enum libbpf_print_level level, const char *fmt,
			  va_list args)
{
	if (level == LIBBPF_WARN)
		vsnprintf(last_complaint, sizeof(last_complaint), fmt, args);
	return 0;
}

void error_capture_libbpf(void)
{
	last_complaint[0] = '\0';
	libbpf_set_print(keep_complaint);
}

int error_text(struct datapath_error *e, int r, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return r;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	return r;
}

int error_set(struct datapath_error *e, int r, const char *fmt, ...)
{
	va_list args;
	size_t n;

	if (!e)
		return r;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s%s%s", strerror(-r),
		 last_complaint[0] ? "; " : "", last_complaint);
	e->text[strcspn(e->text, "\n")] = '\0';
	last_complaint[0] = '\0';
	return r;
}
