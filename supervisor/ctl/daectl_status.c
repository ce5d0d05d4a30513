/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "dae_build_id.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_out.h"

#define WAIT_MS 30000

int run_exit_status(const struct daectl *d, const char *state)
{
	if (!daectl_has(d, OPT_EXIT_STATUS))
		return CTL_EXIT_OK;
	if (strcmp(state, "down") == 0 || strcmp(state, "quarantined") == 0)
		return CTL_EXIT_DOWN;
	if (strcmp(state, "ok") == 0 || strcmp(state, "up") == 0)
		return CTL_EXIT_OK;
	return CTL_EXIT_DEGRADED;
}

static void print_head(const struct daectl *d, const json_t *env,
		       const json_t *s)
{
	const json_t *config = json_object_get(s, "config");
	const json_t *kernel = json_object_get(s, "kernel");
	const char *health = out_str(s, "health");
	char up[OUT_TEXT], loaded[OUT_TEXT];

	printf("%s%s%s ", out_color(d, out_state_color(health)), out_bullet(),
	       out_color(d, COLOR_NONE));
	out_print("dae-supervisor %s   %s, running %s, config #%lld (loaded "
		  "%s ago), mode %s%s%s",
		  out_str(s, "version"), health,
		  out_span((uint64_t)out_int(s, "uptime_us"), up),
		  (long long)out_int(config, "generation"),
		  out_since(json_object_get(config, "loaded_at"),
			    json_object_get(env, "generated_at"), loaded),
		  out_str(config, "mode"),
		  out_bool(kernel, "active") ? ", " : "",
		  out_str(kernel, "attach"));
}

static void print_tally(const char *title, const json_t *t)
{
	static const char *const states[] = { "up",	     "degraded",
					      "down",	     "unknown",
					      "quarantined", "unsupported" };
	char line[OUT_TEXT];
	int n;

	n = snprintf(line, sizeof(line), "  %-9s: %-6lld", title,
		     (long long)out_int(t, "total"));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (out_int(t, states[i]))
			n += snprintf(line + n, sizeof(line) - (size_t)n,
				      " %lld %s  ",
				      (long long)out_int(t, states[i]),
				      states[i]);
	while (n > 0 && line[n - 1] == ' ')
		line[--n] = '\0';
	out_print("%s", line);
}

static void print_workers(const json_t *w)
{
	char total[OUT_TEXT], max[OUT_TEXT], why[OUT_TEXT] = "";
	const json_t *recycles = json_object_get(w, "recycles"), *n;
	long long sum = 0;
	const char *reason;
	size_t used = 0;

	json_object_foreach((json_t *)recycles, reason, n) {
		if (json_integer_value(n) == 0 || used >= sizeof(why))
			continue;
		sum += json_integer_value(n);
		used += (size_t)snprintf(why + used, sizeof(why) - used,
					 "%s%lld %s", used ? ", " : " (",
					 (long long)json_integer_value(n),
					 reason);
	}
	out_print("  Workers  : %lld/%lld ready   %s total, max %s, %lld "
		  "recycles%s%s, %lld crashes",
		  (long long)out_int(w, "ready"), (long long)out_int(w, "want"),
		  out_bytes(json_object_get(w, "rss_bytes"), total),
		  out_bytes(json_object_get(w, "rss_max_bytes"), max), sum, why,
		  used ? ")" : "", (long long)out_int(w, "crashes"));
}

/* Packets that had to be dropped, rules aside: why. */
static void print_drops(const json_t *counters)
{
	static const struct {
		const char *name, *text;
	} drops[] = {
		{ "frag_proxied", "fragments of proxied flows" },
		{ "frag_unknown", "fragments without their first" },
		{ "no_listener", "for engines that do not listen" },
		{ "truncated", "cut short" },
		{ "ext_headers", "with too many headers" },
		{ "group_busy", "of a group that changed all the while" },
	};
	char line[OUT_TEXT];
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(drops) && used < sizeof(line); i++) {
		long long n = out_int(counters, drops[i].name);

		if (n)
			used += (size_t)snprintf(line + used,
						 sizeof(line) - used,
						 "%s%lld %s", used ? ", " : "",
						 n, drops[i].text);
	}
	if (used)
		out_print("  Dropped  : %s", line);
}

static void print_kernel(const json_t *k)
{
	const json_t *decided = json_object_get(k, "decided");
	char age[OUT_TEXT];

	if (!out_bool(k, "active")) {
		out_print("  Kernel   : untouched");
		return;
	}
	out_print("  Kernel   : %lld programs, %lld links%s; room for %lld "
		  "flows; epoch %lld, heartbeat %s ago",
		  (long long)out_int(k, "programs"),
		  (long long)out_int(k, "links"),
		  out_bool(k, "host") ? " and the host's own traffic" : "",
		  (long long)out_int(k, "flow_entries"),
		  (long long)out_int(k, "epoch"),
		  out_span((uint64_t)out_int(k, "heartbeat_age_us"), age));
	out_print(
		"  DNS      : %lld queries kept their own destination (no DNS "
		"role yet)",
		(long long)out_int(k, "dns_passed"));
	out_print(
		"  Decided  : %lld flows direct, %lld blocked, %lld to groups",
		(long long)out_int(decided, "direct"),
		(long long)out_int(decided, "block"),
		(long long)out_int(decided, "groups"));
	print_drops(json_object_get(k, "counters"));
}

static void print_names(const json_t *n)
{
	char more[OUT_TEXT] = "";

	if (!out_int(n, "rules") && !out_int(n, "learned"))
		return;
	if (out_int(n, "evicted") || out_int(n, "not_entered"))
		snprintf(more, sizeof(more),
			 "; %lld thrown out early, %lld without room",
			 (long long)out_int(n, "evicted"),
			 (long long)out_int(n, "not_entered"));
	out_print("  Names    : %lld rules ask for them; %lld known, with "
		  "%lld addresses%s",
		  (long long)out_int(n, "rules"),
		  (long long)out_int(n, "names"),
		  (long long)out_int(n, "addresses"), more);
}

static void print_rest(const json_t *s)
{
	const json_t *c = json_object_get(s, "checks");
	const json_t *b = json_object_get(s, "budget");
	const json_t *u = json_object_get(s, "uplink");
	char today[OUT_TEXT], limit[OUT_TEXT];

	out_print("  Checks   : %lld scheduled, %lld in flight, %lld results "
		  "(%lld of them our own failures)",
		  (long long)out_int(c, "scheduled"),
		  (long long)out_int(c, "in_flight"),
		  (long long)out_int(c, "results"),
		  (long long)out_int(c, "ours"));
	out_print("  Uplink   : %s%s%s%s", out_str(u, "state"),
		  *out_str(u, "interface") ? " (" : "", out_str(u, "interface"),
		  *out_str(u, "interface") ? ")" : "");
	out_bytes(json_object_get(b, "today_bytes"), today);
	if (json_is_integer(json_object_get(b, "daily_bytes")))
		out_print("  Budget   : %s of %s today", today,
			  out_bytes(json_object_get(b, "daily_bytes"), limit));
	else
		out_print("  Budget   : %s today, no limit", today);
}

/* Of "reload --confirm". */
static void print_confirm(const json_t *config)
{
	char left[OUT_TEXT];

	if (json_is_integer(json_object_get(config, "goes_back_in_us")))
		out_print("  Confirm  : config #%lld goes back in %s unless "
			  "'daectl confirm' comes",
			  (long long)out_int(config, "generation"),
			  out_span((uint64_t)out_int(config, "goes_back_in_us"),
				   left));
}

static void print_status(const struct daectl *d, const json_t *env)
{
	const json_t *s = json_object_get(env, "data"), *warning;
	size_t i;

	print_head(d, env, s);
	if (daectl_has(d, OPT_BRIEF))
		return;
	print_tally("Nodes", json_object_get(s, "nodes"));
	print_tally("Monitors", json_object_get(s, "monitors"));
	print_tally("Groups", json_object_get(s, "groups"));
	print_workers(json_object_get(s, "workers"));
	print_rest(s);
	print_kernel(json_object_get(s, "kernel"));
	print_names(json_object_get(s, "names"));
	print_confirm(json_object_get(s, "config"));
	json_array_foreach(json_object_get(s, "warnings"), i, warning)
		out_print("Warning: %s", json_string_value(warning));
}

/* A worker is there, and every check that is asked has a verdict. */
static bool is_settled(const json_t *s)
{
	return out_int(json_object_get(s, "workers"), "ready") > 0 &&
	       out_int(json_object_get(s, "checks"), "unknown") == 0;
}

static int ask_until_settled(const struct daectl *d, json_t **ret)
{
	int64_t wait_ms = daectl_duration_ms(d, OPT_WAIT, WAIT_MS);
	uint64_t end_ns;
	int r;

	if (wait_ms < 0)
		return CTL_EXIT_USAGE;
	end_ns = clock_mono_ns() + (uint64_t)wait_ms * NS_PER_MS;
	for (;;) {
		auto_json json_t *env = NULL;

		r = conn_try(d, "status", &env);
		if (r == CTL_EXIT_OK &&
		    is_settled(json_object_get(env, "data"))) {
			*ret = json_incref(env);
			return CTL_EXIT_OK;
		}
		if (r != CTL_EXIT_OK && r != CTL_EXIT_NOT_RUNNING)
			return conn_ask(d, "status", NULL, ret);
		if (clock_mono_ns() >= end_ns)
			return out_fail(CTL_EXIT_TIMEOUT,
					"'daectl status' shows how far it is",
					"not ready within the time");
		usleep(100000);
	}
}

int run_status(struct daectl *d)
{
	auto_json json_t *env = NULL;
	int r;

	r = daectl_has(d, OPT_WAIT) ? ask_until_settled(d, &env)
				    : conn_ask(d, "status", NULL, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		r = out_json(d, env);
	else if (!d->is_quiet)
		print_status(d, env);
	if (r != CTL_EXIT_OK)
		return r;
	return run_exit_status(d,
			       out_str(json_object_get(env, "data"), "health"));
}

int run_version(struct daectl *d)
{
	auto_json json_t *env = NULL;
	json_t *daemon = NULL, *data;

	if (conn_try(d, "version", &env) == CTL_EXIT_OK)
		daemon = json_object_get(env, "data");
	if (!out_is_json(d)) {
		out_client_version();
		if (daemon)
			out_print("dae-supervisor %s (build %08llx), protocol "
				  "%lld",
				  out_str(daemon, "version"),
				  (long long)out_int(daemon, "build_id"),
				  (long long)out_int(daemon, "protocol"));
		else
			out_print("dae-supervisor: not running, or not "
				  "reachable");
		return CTL_EXIT_OK;
	}
	data = json_pack("{s:{s:s, s:I}, s:O?}", "client", "version",
			 DAE_VERSION, "build_id", (json_int_t)DAE_BUILD_ID,
			 "daemon", daemon);
	json_decref(env);
	env = out_envelope("dae.version/1", data);
	return env ? out_json(d, env) : CTL_EXIT_FAILED;
}
