/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe: by the daemon, or --standalone. */
#include "supervisor/ctl/daectl_probe.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/outcome.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_run.h"

#define ROUNDS_MAX 20
#define PROBE_WAIT_MS 60000

static void print_phases(const json_t *r)
{
	const json_t *phases = json_object_get(r, "phases_us"), *us;
	char line[OUT_TEXT] = "", buf[OUT_TEXT];
	size_t used = 0;

	for (unsigned int p = 0; p < PHASE_COUNT && used < sizeof(line); p++) {
		us = json_object_get(phases, phase_name(p));
		if (json_is_integer(us))
			used += (size_t)snprintf(line + used,
						 sizeof(line) - used, "%s%s %s",
						 used ? "  " : "",
						 phase_name(p),
						 out_us(us, buf));
	}
	if (used)
		out_print("  %s", line);
}

static void print_failure(const json_t *r)
{
	const json_t *foreign = json_object_get(r, "foreign");
	const char *detail = out_str(r, "detail");
	char code[OUT_TEXT] = "";

	if (!strcmp(detail, out_str(r, "text")))
		detail = "";
	if (json_is_object(foreign))
		snprintf(code, sizeof(code), " (%s %lld)",
			 out_str(foreign, "kind"),
			 (long long)out_int(foreign, "code"));
	out_print("  in phase %s: %s%s%s%s", out_str(r, "phase"),
		  out_str(r, "text"), code, *detail ? ": " : "", detail);
	if (out_bool(r, "ours"))
		out_print("  this is a failure of ours, it says nothing about "
			  "the target");
}

void probe_print(const struct daectl *d, const json_t *r)
{
	const json_t *total = json_object_get(json_object_get(r, "phases_us"),
					      phase_name(PHASE_TOTAL));
	bool ok = out_bool(r, "ok");
	char us[OUT_TEXT], tx[OUT_TEXT], rx[OUT_TEXT], clean[OUT_TEXT];

	snprintf(tx, sizeof(tx), "%s %s %s", out_str(r, "name"),
		 out_str(r, "class"), out_str(r, "peer"));
	printf("%s  %s%s%s  %s\n", out_clean(clean, sizeof(clean), tx),
	       out_color(d, ok ? COLOR_GOOD : COLOR_BAD),
	       ok ? "OK" : out_str(r, "outcome"), out_color(d, COLOR_NONE),
	       json_is_integer(total) ? out_us(total, us) : "");
	if (!ok)
		print_failure(r);
	print_phases(r);
	out_print("  tx %s  rx %s",
		  out_bytes(json_object_get(r, "bytes_tx"), tx),
		  out_bytes(json_object_get(r, "bytes_rx"), rx));
	if (*out_str(r, "cert_not_after"))
		out_print("  certificate valid until %s",
			  out_str(r, "cert_not_after"));
}

/* Ours are no answer, and no address is no failure. */
bool probe_is_bad(const json_t *r)
{
	return !out_bool(r, "ok") &&
	       strcmp(out_str(r, "outcome"), outcome_name(OUTCOME_NO_ADDRESS));
}

static int probe_args(struct daectl *d, json_t **ret)
{
	int64_t n = daectl_number(d, OPT_NUMBER, ROUNDS_MAX, 1);
	int64_t family = daectl_number(d, OPT_FAMILY, 6, 0);

	if (n < 0 || family < 0)
		return CTL_EXIT_USAGE;
	if (n < 1 || (family != 0 && family != 4 && family != 6))
		return out_usage("--count: at least 1; --family: 4 or 6");
	*ret = json_pack("{s:s, s:I, s:I, s:b, s:s*}", "name", d->args[0],
			 "count", (json_int_t)n, "family", (json_int_t)family,
			 "commit", daectl_has(d, OPT_COMMIT), "classes",
			 d->opt[OPT_CLASS]);
	return *ret ? CTL_EXIT_OK : out_usage("an argument is no valid text");
}

int run_probe(struct daectl *d)
{
	auto_json json_t *env = NULL;
	json_t *args = NULL;
	const json_t *one;
	bool bad = false;
	size_t i;
	int r;

	if (daectl_has(d, OPT_STANDALONE))
		return run_probe_alone(d);
	if (daectl_has(d, OPT_RESOLVER) || daectl_has(d, OPT_INSECURE))
		return out_usage("--resolver and --insecure go with "
				 "--standalone");
	if (!daectl_has(d, OPT_TIMEOUT))
		d->timeout_ms = PROBE_WAIT_MS;
	r = probe_args(d, &args);
	if (r == CTL_EXIT_OK)
		r = conn_ask(d, "probe", args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		r = out_json(d, env);
	json_array_foreach(json_object_get(env, "data"), i, one) {
		bad |= probe_is_bad(one);
		if (!out_is_json(d) && !d->is_quiet)
			probe_print(d, one);
	}
	return r == CTL_EXIT_OK && bad ? CTL_EXIT_FAILED : r;
}
