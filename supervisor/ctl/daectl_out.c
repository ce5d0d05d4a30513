/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_out.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "common/text.h"
#include "dae_build_id.h"
#include "supervisor/ctl/ctl_json.h"

#define MESSAGE_MAX 4096

static bool is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *out_clean(char *dst, size_t cap, const char *src)
{
	char clean[MESSAGE_MAX];
	size_t used = 0, len;

	if (is_utf8()) {
		text_clean(dst, cap, src, strlen(src));
		return dst;
	}
	/* as libsmartcols writes it in tables */
	len = text_clean(clean, sizeof(clean), src, strlen(src));
	for (size_t i = 0; i < len && used + 5 < cap; i++) {
		if ((unsigned char)clean[i] < 0x80)
			dst[used++] = clean[i];
		else
			used += (size_t)snprintf(dst + used, cap - used,
						 "\\x%02x",
						 (unsigned char)clean[i]);
	}
	dst[used] = '\0';
	return dst;
}

const char *out_bullet(void)
{
	return is_utf8() ? "\xe2\x97\x8f" : "*";
}

static DAE_PRINTF(3, 0) void write_clean(FILE *f, const char *before,
					 const char *fmt, va_list ap)
{
	char raw[MESSAGE_MAX], clean[MESSAGE_MAX];

	vsnprintf(raw, sizeof(raw), fmt, ap);
	fprintf(f, "%s%s\n", before, out_clean(clean, sizeof(clean), raw));
}

void out_hint(const char *hint)
{
	char clean[MESSAGE_MAX];

	if (hint && *hint)
		fprintf(stderr, "hint: %s\n",
			out_clean(clean, sizeof(clean), hint));
}

void out_lines(FILE *f, const char *text)
{
	char line[MESSAGE_MAX], clean[MESSAGE_MAX];
	size_t len;

	while (*text) {
		len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s",
			 (int)MIN(len, sizeof(line) - 1), text);
		fprintf(f, "%s\n", out_clean(clean, sizeof(clean), line));
		text += len + (text[len] == '\n');
	}
}

int out_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_clean(stderr, "daectl: ", fmt, ap);
	va_end(ap);
	return CTL_EXIT_USAGE;
}

int out_fail(int code, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_clean(stderr, "daectl: ", fmt, ap);
	va_end(ap);
	out_hint(hint);
	return code;
}

void out_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_clean(stdout, "", fmt, ap);
	va_end(ap);
}

void out_client_version(void)
{
	printf("daectl %s (build %08x)\n", DAE_VERSION, DAE_BUILD_ID);
}

bool out_is_json(const struct daectl *d)
{
	return d->format == FORMAT_JSON || d->format == FORMAT_JSON_SHORT ||
	       d->format == FORMAT_NDJSON;
}

static int dump(const json_t *j, size_t flags)
{
	if (json_dumpf(j, stdout, flags) < 0 || putchar('\n') == EOF)
		return CTL_EXIT_FAILED;
	return CTL_EXIT_OK;
}

int out_line(const json_t *j)
{
	return dump(j, JSON_COMPACT | JSON_ENCODE_ANY);
}

int out_json(const struct daectl *d, json_t *envelope)
{
	json_t *data = json_object_get(envelope, "data"), *one;
	size_t i;

	if (d->format == FORMAT_NDJSON && json_is_array(data)) {
		json_array_foreach(data, i, one) {
			if (out_line(one) != CTL_EXIT_OK)
				return CTL_EXIT_FAILED;
		}
		return CTL_EXIT_OK;
	}
	return dump(envelope, d->format == FORMAT_JSON ? JSON_INDENT(2)
						       : (size_t)JSON_COMPACT);
}

json_t *out_envelope(const char *schema, json_t *data)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	return json_pack("{s:s, s:o, s:n, s:o, s:o}", "schema", schema,
			 "generated_at", ctl_json_wall(clock_wall_ns()), "seq",
			 "host", ctl_json_text(host), "data", data);
}

int out_finish(int code)
{
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CTL_EXIT_OK) {
		if (errno != EPIPE)
			fprintf(stderr, "daectl: cannot write: %s\n",
				strerror(errno));
		return CTL_EXIT_FAILED;
	}
	return code;
}

const char *out_us(const json_t *us, char *buf)
{
	double v = (double)json_integer_value(us);

	if (!json_is_integer(us))
		return strcpy(buf, "-");
	if (v < 1000)
		snprintf(buf, OUT_TEXT, "%.0fus", v);
	else if (v < 10000)
		snprintf(buf, OUT_TEXT, "%.1fms", v / 1e3);
	else if (v < 10e6)
		snprintf(buf, OUT_TEXT, "%.0fms", v / 1e3);
	else
		snprintf(buf, OUT_TEXT, "%.1fs", v / 1e6);
	return buf;
}

const char *out_bytes(const json_t *bytes, char *buf)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)json_integer_value(bytes);
	size_t u = 0;

	if (!json_is_integer(bytes))
		return strcpy(buf, "-");
	while (v >= 1024 && u + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, OUT_TEXT, u ? "%.1f %s" : "%.0f %s", v, units[u]);
	return buf;
}

const char *out_span(uint64_t us, char *buf)
{
	uint64_t s = us / 1000000;

	if (s < 10)
		snprintf(buf, OUT_TEXT, "%.1fs", (double)us / 1e6);
	else if (s < 60)
		snprintf(buf, OUT_TEXT, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, OUT_TEXT, "%" PRIu64 "m %02" PRIu64 "s", s / 60,
			 s % 60);
	else if (s < 86400)
		snprintf(buf, OUT_TEXT, "%" PRIu64 "h %02" PRIu64 "m", s / 3600,
			 s % 3600 / 60);
	else
		snprintf(buf, OUT_TEXT, "%" PRIu64 "d %02" PRIu64 "h",
			 s / 86400, s % 86400 / 3600);
	return buf;
}

static bool parse_time(const json_t *j, double *ret_s)
{
	const char *text = json_string_value(j), *end;
	struct tm tm = { 0 };
	double part = 0;

	end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!end)
		return false;
	if (sscanf(end, "%lfZ", &part) != 1)
		part = 0;
	*ret_s = (double)timegm(&tm) + part;
	return true;
}

const char *out_since(const json_t *then, const json_t *now, char *buf)
{
	double a, b;

	if (!parse_time(then, &a) || !parse_time(now, &b))
		return strcpy(buf, "-");
	return out_span(b > a ? (uint64_t)((b - a) * 1e6) : 0, buf);
}

const char *out_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

int64_t out_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

bool out_bool(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

const char *out_color(const struct daectl *d, enum out_color c)
{
	static const char *const codes[] = {
		[COLOR_NONE] = "\033[0m",  [COLOR_GOOD] = "\033[32m",
		[COLOR_WARN] = "\033[33m", [COLOR_BAD] = "\033[31m",
		[COLOR_DIM] = "\033[2m",   [COLOR_BOLD] = "\033[1m",
	};

	return d->has_color ? codes[c] : "";
}

enum out_color out_state_color(const char *state)
{
	static const struct {
		const char *state;
		enum out_color color;
	} colors[] = {
		{ "up", COLOR_GOOD },	    { "ok", COLOR_GOOD },
		{ "ready", COLOR_GOOD },    { "online", COLOR_GOOD },
		{ "degraded", COLOR_WARN }, { "draining", COLOR_WARN },
		{ "starting", COLOR_WARN }, { "doubt", COLOR_WARN },
		{ "backoff", COLOR_WARN },  { "down", COLOR_BAD },
		{ "offline", COLOR_BAD },   { "quarantined", COLOR_BAD },
		{ "failed", COLOR_BAD },    { "killing", COLOR_BAD },
		{ "unknown", COLOR_DIM },   { "unsupported", COLOR_DIM },
	};

	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (strcmp(colors[i].state, state) == 0)
			return colors[i].color;
	return COLOR_NONE;
}

const char *out_join(const json_t *list, const char *between, char *buf)
{
	struct text_out o = { .buf = buf, .cap = OUT_TEXT };
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		text_put(&o, "%s%s", i ? between : "", json_string_value(one));
	return o.len ? buf : "-";
}
