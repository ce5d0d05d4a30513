/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of our JSON: clean text, RFC 3339 times, null for what is not known.
 * All return a new reference, or NULL without memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/addr.h"
#include "supervisor/ctl/ctl.h"

#define CTL_TIME_LEN 32

/* "2026-11-22T21:04:05.123Z"; returns @buf (CTL_TIME_LEN bytes). */
const char *ctl_time_format(uint64_t wall_ns, char *buf);

/* A string from anywhere, made safe to show; NULL becomes null. */
json_t *ctl_json_text(const char *s);
json_t *ctl_json_wall(uint64_t wall_ns);
/* An instant of the monotonic clock as wall time; 0 (never) becomes null. */
json_t *ctl_json_mono(const struct ctl_view *v, uint64_t mono_ns);
/* null unless @known. */
json_t *ctl_json_int(bool known, uint64_t value);
/* How long ago in microseconds; null for never. */
json_t *ctl_json_age(const struct ctl_view *v, uint64_t mono_ns);
/* An identity as 16 hexadecimal digits. */
json_t *ctl_json_id(uint64_t identity);
/* Append @value (a reference that is taken) to @array. 0 or -ENOMEM. */
int ctl_json_append(json_t *array, json_t *value);

static inline void ctl_json_decref_ptr(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

#define auto_json __attribute__((cleanup(ctl_json_decref_ptr)))
