/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/exitcode.h"
#include "common/text.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_out.h"

/* ADDR, ADDR:PORT, [ADDR]:PORT: address to @host (ADDR_STRLEN), port or -1. */
static int split(const char *text, char *host, int64_t *ret_port)
{
	const char *end, *port = NULL;
	struct addr a;
	uint64_t v;

	*ret_port = -1;
	if (*text == '[') {
		text++;
		end = strchr(text, ']');
		if (end && end[1] == ':')
			port = end + 2;
	} else {
		end = strchr(text, ':');
		if (end && strchr(end + 1, ':'))
			end = NULL; /* a bare IPv6 address */
		port = end ? end + 1 : NULL;
	}
	if (!end)
		end = text + strlen(text);
	if (end - text >= ADDR_STRLEN)
		return -1;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	if (addr_parse(host, &a) < 0)
		return -1;
	if (!port)
		return 0;
	if (text_parse_uint(port, 65535, &v) < 0)
		return -1;
	*ret_port = (int64_t)v;
	return 0;
}

static int add_number(struct daectl *d, json_t *args, const char *key,
		      enum daectl_opt o, uint64_t max)
{
	int64_t v = daectl_number(d, o, max, -2);

	if (v == -1)
		return CTL_EXIT_USAGE;
	if (v >= 0)
		json_object_set_new(args, key, json_integer(v));
	return CTL_EXIT_OK;
}

static int build(struct daectl *d, json_t **ret)
{
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];
	int64_t sport, dport;
	auto_json json_t *args = NULL;

	if (split(d->args[0], src, &sport) < 0)
		return out_usage("the source is an address, not '%s'",
				 d->args[0]);
	if (split(d->args[1], dst, &dport) < 0)
		return out_usage("the destination is ADDR[:PORT], not '%s'",
				 d->args[1]);
	args = json_pack("{s:s, s:s, s:I, s:s*, s:s*, s:s*, s:s*}", "src", src,
			 "dst", dst, "dport",
			 (json_int_t)(dport < 0 ? 443 : dport), "proto",
			 d->opt[OPT_PROTO], "mac", d->opt[OPT_MAC], "domain",
			 d->opt[OPT_DOMAIN], "process", d->opt[OPT_PROCESS]);
	if (!args)
		return out_usage("an argument is not valid text");
	if (sport >= 0)
		json_object_set_new(args, "sport", json_integer(sport));
	if (add_number(d, args, "sport", OPT_SPORT, 65535) ||
	    add_number(d, args, "dscp", OPT_DSCP, 63))
		return CTL_EXIT_USAGE;
	*ret = json_incref(args);
	return CTL_EXIT_OK;
}

static const char *verdict_text(const json_t *v, char *buf)
{
	char mark[32] = "";

	if (json_is_integer(json_object_get(v, "mark")))
		snprintf(mark, sizeof(mark), ", mark 0x%llx",
			 (unsigned long long)out_int(v, "mark"));
	snprintf(buf, OUT_TEXT, "%s%s%s%s", out_str(v, "outbound"), mark,
		 out_bool(v, "must") ? ", must" : "",
		 out_bool(v, "dns") ? ", DNS keeps its destination" : "");
	return buf;
}

static void print(const json_t *data)
{
	const json_t *rule = json_object_get(data, "rule");
	const json_t *kernel = json_object_get(data, "kernel");
	char user[OUT_TEXT], kern[OUT_TEXT];

	if (json_is_integer(json_object_get(rule, "index")))
		out_print("rule %lld   %s:%lld   %s",
			  (long long)out_int(rule, "index"),
			  out_str(rule, "file"),
			  (long long)out_int(rule, "line"),
			  out_str(rule, "text"));
	else
		out_print("no rule: fallback");
	verdict_text(json_object_get(data, "user"), user);
	if (json_is_object(kernel))
		out_print("verdict  user=%s  kernel=%s  (%s)", user,
			  verdict_text(kernel, kern),
			  out_bool(data, "match") ? "match" : "DIFFERENT");
	else
		out_print("verdict  %s   (the kernel was not asked)", user);
	if (*out_str(data, "node"))
		out_print("node     %s", out_str(data, "node"));
	if (*out_str(data, "message"))
		out_print("note     %s", out_str(data, "message"));
}

int run_route_test(struct daectl *d)
{
	auto_json json_t *env = NULL;
	json_t *args = NULL;
	const json_t *data;
	int r;

	r = build(d, &args);
	if (r == CTL_EXIT_OK)
		r = conn_ask(d, "route.test", args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	data = json_object_get(env, "data");
	if (out_is_json(d))
		r = out_json(d, env);
	else if (!d->is_quiet)
		print(data);
	if (r == CTL_EXIT_OK && json_is_false(json_object_get(data, "match")))
		return CTL_EXIT_FAILED;
	return r;
}
