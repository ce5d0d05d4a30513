/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

enum kind { BYTES, TIME, COUNT64, COUNT32 };

#define DAY_NS (86400 * NS_PER_S)

/* Names of keys have no unit, names of fields have. */
static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
} keys[] = {
	{ "rss_soft", BYTES, offsetof(struct recycle_policy, rss_soft_bytes),
	  1 << 20, 1ULL << 40 },
	{ "rss_hard", BYTES, offsetof(struct recycle_policy, rss_hard_bytes),
	  2 << 20, 1ULL << 40 },
	{ "max_age", TIME, offsetof(struct recycle_policy, max_age_ns), 0,
	  365 * DAY_NS },
	{ "max_probes", COUNT64, offsetof(struct recycle_policy, max_probes), 0,
	  UINT64_MAX >> 1 },
	{ "max_fds", COUNT32, offsetof(struct recycle_policy, max_fds), 0,
	  1 << 20 },
	{ "slope", TIME, offsetof(struct recycle_policy, slope_ns), 0,
	  30 * DAY_NS },
	{ "drain_timeout", TIME,
	  offsetof(struct recycle_policy, drain_timeout_ns), NS_PER_S, DAY_NS },
	{ "stuck_timeout", TIME,
	  offsetof(struct recycle_policy, stuck_timeout_ns), NS_PER_S, DAY_NS },
	{ "jitter", COUNT32, offsetof(struct recycle_policy, jitter_percent), 0,
	  100 },
	{ "min_gap", TIME, offsetof(struct recycle_policy, min_gap_ns), 0,
	  DAY_NS },
};

const char *ctl_policy_key(size_t i)
{
	return i < ARRAY_LEN(keys) ? keys[i].name : NULL;
}

static uint64_t get(const struct recycle_policy *p, size_t i)
{
	const uint8_t *at = (const uint8_t *)p + keys[i].offset;
	uint64_t v64;
	uint32_t v32;

	if (keys[i].kind == COUNT32) {
		memcpy(&v32, at, sizeof(v32));
		return v32;
	}
	memcpy(&v64, at, sizeof(v64));
	return v64;
}

static void put(struct recycle_policy *p, size_t i, uint64_t value)
{
	uint8_t *at = (uint8_t *)p + keys[i].offset;
	uint32_t v32 = (uint32_t)value;

	if (keys[i].kind == COUNT32)
		memcpy(at, &v32, sizeof(v32));
	else
		memcpy(at, &value, sizeof(value));
}

static const char *format_size(uint64_t v, char *buf)
{
	static const struct {
		uint64_t unit;
		char letter;
	} units[] = { { 1ULL << 30, 'G' }, { 1 << 20, 'M' }, { 1 << 10, 'K' } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (v && v % units[i].unit == 0) {
			snprintf(buf, CTL_POLICY_TEXT, "%" PRIu64 "%c",
				 v / units[i].unit, units[i].letter);
			return buf;
		}
	}
	snprintf(buf, CTL_POLICY_TEXT, "%" PRIu64, v);
	return buf;
}

const char *ctl_policy_format(const struct recycle_policy *p, size_t i,
			      char *buf)
{
	uint64_t v = get(p, i);

	switch (keys[i].kind) {
	case BYTES:
		return format_size(v, buf);
	case TIME:
		return text_format_duration(v, buf);
	default:
		snprintf(buf, CTL_POLICY_TEXT, "%" PRIu64 "%s", v,
			 keys[i].offset == offsetof(struct recycle_policy,
						    jitter_percent)
				 ? "%"
				 : "");
		return buf;
	}
}

static int parse(enum kind kind, const char *value, uint64_t *ret)
{
	char number[CTL_POLICY_TEXT];
	size_t len = strlen(value);
	int64_t ns;
	int r;

	switch (kind) {
	case BYTES:
		return text_parse_size(value, ret);
	case TIME:
		r = text_parse_duration(value, &ns);
		if (r < 0)
			return r;
		if (ns < 0)
			return -ERANGE;
		*ret = (uint64_t)ns;
		return 0;
	default:
		if (len == 0 || len >= sizeof(number))
			return -EINVAL;
		memcpy(number, value, len + 1);
		if (kind == COUNT32 && number[len - 1] == '%')
			number[len - 1] = '\0';
		return text_parse_uint(number, UINT64_MAX >> 1, ret);
	}
}

int ctl_policy_set(struct recycle_policy *p, const char *key, const char *value)
{
	uint64_t v;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		r = parse(keys[i].kind, value, &v);
		if (r < 0)
			return r;
		if (v < keys[i].min || v > keys[i].max)
			return -ERANGE;
		put(p, i, v);
		return 0;
	}
	return -ENOENT;
}

int ctl_policy_check(const struct recycle_policy *p, char *why, size_t cap)
{
	if (p->rss_soft_bytes && p->rss_hard_bytes &&
	    p->rss_soft_bytes >= p->rss_hard_bytes) {
		snprintf(why, cap, "rss_soft must be below rss_hard");
		return -EINVAL;
	}
	return 0;
}
