/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "common/text.h"

#define TEXT_MAX 4096

const char *ctl_time_format(uint64_t wall_ns, char *buf)
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	size_t n;

	if (!gmtime_r(&s, &tm))
		return strcpy(buf, "?");
	n = strftime(buf, CTL_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, CTL_TIME_LEN - n, ".%03uZ",
		 (unsigned int)(wall_ns / NS_PER_MS % 1000));
	return buf;
}

json_t *ctl_json_text(const char *s)
{
	char clean[TEXT_MAX];
	size_t len;

	if (!s)
		return json_null();
	len = text_clean(clean, sizeof(clean), s, strlen(s));
	return json_stringn(clean, len);
}

json_t *ctl_json_wall(uint64_t wall_ns)
{
	char buf[CTL_TIME_LEN];

	return json_string(ctl_time_format(wall_ns, buf));
}

json_t *ctl_json_mono(const struct ctl_view *v, uint64_t mono_ns)
{
	if (mono_ns == 0)
		return json_null();
	if (mono_ns > v->mono_ns)
		return ctl_json_wall(v->wall_ns + (mono_ns - v->mono_ns));
	return ctl_json_wall(v->wall_ns - (v->mono_ns - mono_ns));
}

json_t *ctl_json_int(bool known, uint64_t value)
{
	return known ? json_integer((json_int_t)value) : json_null();
}

json_t *ctl_json_age(const struct ctl_view *v, uint64_t mono_ns)
{
	if (mono_ns == 0)
		return json_null();
	if (mono_ns >= v->mono_ns)
		return json_integer(0);
	return json_integer((json_int_t)((v->mono_ns - mono_ns) / NS_PER_US));
}

json_t *ctl_json_id(uint64_t identity)
{
	char buf[17];

	snprintf(buf, sizeof(buf), "%016" PRIx64, identity);
	return json_string(buf);
}

int ctl_json_append(json_t *array, json_t *value)
{
	if (!value)
		return -ENOMEM;
	return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}
