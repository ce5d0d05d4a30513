/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One node or monitor in full. */
#include "supervisor/ctl/daectl_target.h"

#include <stdio.h>
#include <string.h>

#include "common/outcome.h"
#include "supervisor/ctl/ctl_json.h"

static void print_phases(const json_t *phases)
{
	char line[OUT_TEXT], buf[OUT_TEXT];
	const json_t *us;
	size_t used = 0;

	line[0] = '\0';
	for (unsigned int p = 0; p < PHASE_COUNT && used < sizeof(line); p++) {
		us = json_object_get(phases, phase_name(p));
		if (json_is_integer(us))
			used += (size_t)snprintf(line + used,
						 sizeof(line) - used, "  %s %s",
						 phase_name(p),
						 out_us(us, buf));
	}
	if (used)
		out_print("        %s", line);
}

static void print_entry(const char *before, const json_t *e, const json_t *now)
{
	const json_t *foreign = json_object_get(e, "foreign");
	const char *detail = out_str(e, "detail");
	char ago[OUT_TEXT], code[OUT_TEXT] = "", us[OUT_TEXT];

	if (!strcmp(detail, out_str(e, "text")))
		detail = "";
	if (json_is_object(foreign))
		snprintf(code, sizeof(code), " (%s %lld)",
			 out_str(foreign, "kind"),
			 (long long)out_int(foreign, "code"));
	out_print("          %s%s%s%s%s, in phase %s, %s ago%s%s", before,
		  out_str(e, "text"), code, *detail ? ": " : "", detail,
		  out_str(e, "phase"),
		  out_since(json_object_get(e, "at"), now, ago),
		  json_is_integer(json_object_get(e, "latency_us")) ? ", " : "",
		  json_is_integer(json_object_get(e, "latency_us"))
			  ? out_us(json_object_get(e, "latency_us"), us)
			  : "");
}

static void print_check(const struct daectl *d, const json_t *c,
			const json_t *now)
{
	char rtt[OUT_TEXT], avg[OUT_TEXT], ewma[OUT_TEXT], next[OUT_TEXT];
	const json_t *in = json_object_get(c, "next_probe_in_us"), *e;
	size_t i;

	if (out_bool(c, "assumed")) {
		out_print("  %-6s %lld  %-8s by its listener, not probed",
			  out_str(c, "class"), (long long)out_int(c, "family"),
			  out_bool(c, "applicable") ? out_str(c, "verdict")
						    : "n/a");
		return;
	}
	out_print("  %-6s %lld  %-8s %s  avg %s  moving %s  loss %lld%%  ok "
		  "%lld  failed %lld  ours %lld  next in %s",
		  out_str(c, "class"), (long long)out_int(c, "family"),
		  out_str(c, "verdict"),
		  out_us(json_object_get(c, "rtt_us"), rtt),
		  out_us(json_object_get(c, "avg10_us"), avg),
		  out_us(json_object_get(c, "ewma_us"), ewma),
		  (long long)out_int(c, "loss_percent"),
		  (long long)out_int(c, "ok_total"),
		  (long long)out_int(c, "fail_total"),
		  (long long)out_int(c, "ours_total"),
		  json_is_integer(in)
			  ? out_span((uint64_t)json_integer_value(in), next)
			  : "-");
	print_phases(json_object_get(c, "phases_us"));
	if (json_is_string(json_object_get(c, "cert_not_after")))
		out_print("          certificate valid until %s",
			  out_str(c, "cert_not_after"));
	e = json_object_get(c, "last_error");
	if (json_is_object(e))
		print_entry("last error: ", e, now);
	if (!daectl_has(d, OPT_EVIDENCE))
		return;
	json_array_foreach(json_object_get(c, "history"), i, e)
		print_entry("- ", e, now);
}

static void print_quarantine(const json_t *q)
{
	if (!json_is_object(q))
		return;
	if (out_bool(q, "held"))
		out_print("  quarantined until %s: %lld workers died with it "
			  "(%lld times alone)",
			  out_str(q, "until"), (long long)out_int(q, "deaths"),
			  (long long)out_int(q, "alone"));
	else
		out_print("  suspect: %lld workers died with it; probed alone",
			  (long long)out_int(q, "deaths"));
}

void target_print_one(const struct daectl *d, const json_t *env)
{
	const json_t *t = json_object_get(env, "data"), *c;
	const json_t *now = json_object_get(env, "generated_at");
	char buf[OUT_TEXT], more[OUT_TEXT];
	size_t i;

	out_print("%s   %s, %s for %s, admin %s   [%s]", out_str(t, "name"),
		  out_str(t, "protocol"), out_str(t, "state"),
		  out_since(json_object_get(t, "since"), now, buf),
		  out_str(t, "admin"), out_str(t, "id"));
	if (strcmp(out_str(t, "kind"), "node") == 0)
		out_print("  groups: %s   selected by: %s",
			  out_join(json_object_get(t, "groups"), ", ", buf),
			  out_join(json_object_get(t, "selected_by"), ", ",
				   more));
	out_print("  addresses: %s",
		  out_join(json_object_get(t, "addresses"), ", ", buf));
	out_print("  traffic of probes: %s today, %s since start; left "
		  "behind in workers: %s",
		  out_bytes(json_object_get(t, "bytes_today"), buf),
		  out_bytes(json_object_get(t, "bytes_total"), more),
		  out_bytes(json_object_get(t, "leaked_bytes"),
			    (char[OUT_TEXT]){ 0 }));
	print_quarantine(json_object_get(t, "quarantine"));
	json_array_foreach(json_object_get(t, "checks"), i, c)
		print_check(d, c, now);
}
