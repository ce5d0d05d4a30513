/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What daectl doctor looks at itself, beside what the daemon's program says of
 * the kernel's datapath. Nothing here needs a privilege or changes anything. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* The numbers that must not collide: of the running configuration or, without
 * a daemon, the defaults. */
struct doctor_facts {
	uint32_t mark, mark_mask, so_mark, rule_priority, route_table;
	bool is_running;   /* the daemon: its own rules are no collision */
	char config[4096]; /* its configuration, empty: the usual place */
};

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

/* Append { level, what, text, hint } to @list. @hint: the line that mends it, or
 * NULL. */
void doctor_add(json_t *list, enum doctor_level level, const char *what,
		const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
const char *doctor_level_name(enum doctor_level l);

/* Kernel, sandbox, memory control, files, other programs. */
void doctor_check_system(json_t *list);
/* Policy rules by mark, and their priorities and tables (rtnetlink). */
void doctor_check_rules(json_t *list, const struct doctor_facts *f);
