/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_json.h"

#define FIELD_NAME_MAX 48

/*
 * A field is NAME:TYPE, TYPE one of s(tring) i(nteger) b(oolean) o(bject)
 * a(rray), in upper case if it may be null; =NAME after it: of that shape.
 */
#define RESULT_FIELDS                                                          \
	"name:S class:S peer:S ok:b outcome:s text:s ours:b phase:s "          \
	"foreign:O detail:S phases_us:o bytes_tx:i bytes_rx:i peak_bytes:i "   \
	"leaked_bytes:i cert_not_after:S rcode:i "
#define TARGET_FIELDS                                                          \
	"id:s name:s kind:s protocol:S groups:a selected_by:a state:s "        \
	"admin:s admin_until:S since:S checks:a=check supported:b hot:b "      \
	"in_flight:i bytes_today:i bytes_total:i leaked_bytes:i "              \
	"quarantine:O=quarantine "
#define WORKER_FIELDS                                                          \
	"index:i pid:I state:s duty:s generation:i in_flight:i leaving:b "     \
	"reason:s crashes:i last_exit:O since:S retry_at:S rss_bytes:I "       \
	"growth_bytes:I rss_soft_bytes:i rss_hard_bytes:i "                    \
	"slope_bytes_per_s:I probes:I fds:I age_us:I heartbeat_age_us:I "
#define GROUP_FIELDS                                                           \
	"name:s policy:s state:s on_all_dead:s used:b member_count:i "         \
	"manual:S tolerance_us:i epoch:i selection:a=selection flows:i "
#define TALLY_FIELDS                                                           \
	"total:i unknown:i up:i degraded:i down:i quarantined:i expired:i "    \
	"exhausted:i unsupported:i "

#define CHANGE_FIELDS "what:s how:s name:s detail:S file:S line:I "
#define MOVES_FIELDS "routing:b flows:i changed:i exact:b moves:a=move "

struct shape {
	const char *name;
	bool is_list;
	const char *fields;
};

static const struct shape schemas[] = {
	{ "dae.status/1", false,
	  "health:s version:S started_at:S uptime_us:I config:o=config "
	  "uplink:o "
	  "nodes:o=tally monitors:o=tally groups:o=tally workers:o "
	  "kernel:o=kernel names:o=names checks:o budget:o warnings:a " },
	{ "dae.nodes/1", true, TARGET_FIELDS },
	{ "dae.node/1", false, TARGET_FIELDS "addresses:a " },
	{ "dae.monitors/1", true, TARGET_FIELDS },
	{ "dae.monitor/1", false, TARGET_FIELDS "addresses:a " },
	{ "dae.groups/1", true, GROUP_FIELDS },
	{ "dae.group/1", false, GROUP_FIELDS "members:a=member " },
	{ "dae.workers/1", true, WORKER_FIELDS },
	{ "dae.worker/1", false, WORKER_FIELDS },
	{ "dae.recycle-policy/1", false,
	  "rss_soft:s rss_hard:s max_age:s max_probes:s max_fds:s slope:s "
	  "drain_timeout:s stuck_timeout:s jitter:s min_gap:s " },
	{ "dae.events/1", true,
	  "seq:i at:s kind:s subject:S text:s target_id:S " },
	{ "dae.probe/1", true, RESULT_FIELDS },
	{ "dae.reload/1", false,
	  "result:s message:S diagnostics:a=diag diff_id:I diff:A=change "
	  "flows:O=moves " },
	{ "dae.reload-diff/1", true, CHANGE_FIELDS },
	{ "dae.reload-flows/1", false, MOVES_FIELDS },
	{ "dae.check-config/1", false,
	  "file:s valid:b errors:i warnings:i summary:S diagnostics:a=diag " },
	{ "dae.route-test/1", false,
	  "rule:o user:o=verdict kernel:O=verdict match:B node:S message:S " },
	{ "dae.route-rules/1", true,
	  "index:I text:s outbound:s file:S line:I flows:i " },
	{ "dae.learn/1", false, "name:s addresses:i sets:i " },
	{ "dae.learned/1", true, "name:s address:s sets:i expires_in_us:i " },
	{ "dae.forget/1", false, "pairs:i " },
	{ "dae.route-trace/1", false, "decisions:a=decision lost:i " },
	{ "dae.flows/1", false, "flows:a=flow matched:i cursor:I " },
	{ "dae.doctor/1", true, "level:s what:s text:s hint:S " },
	{ "dae.doctor-facts/1", false,
	  "config:s mode:s attach:s mark:i mark_mask:i so_mark:i rule_priority:i "
	  "route_table:i lan_interface:a wan_interface:a "
	  "kernel:o=kernel " },
	{ "dae.version/1", false, "" },
	{ "dae.result/1", false, "result:s " },
};

/* Parts of the above. */
static const struct shape parts[] = {
	{ "check", false,
	  "class:s family:i verdict:s assumed:b applicable:b since:S last_at:S "
	  "phases_us:o last_error:O=error next_probe_in_us:I interval_us:i "
	  "cert_not_after:S rtt_us:I avg10_us:I ewma_us:I loss_percent:i "
	  "consecutive_ok:i consecutive_fail:i ok_total:i fail_total:i "
	  "ours_total:i bytes_each:i leaked_bytes:i " },
	{ "kernel", false,
	  "active:b attach:S host:b programs:i links:i epoch:i "
	  "heartbeat_age_us:I flow_entries:i dns_passed:i counters:o decided:o=decided " },
	{ "names", false,
	  "rules:i names:i addresses:i learned:i expired:i evicted:i "
	  "kernel_entries:i kernel_room:i not_entered:i " },
	{ "error", false,
	  "at:S outcome:s text:s phase:s foreign:O latency_us:I detail:S " },
	{ "quarantine", false, "held:b suspect:b deaths:i alone:i until:S " },
	{ "selection", false, "class:s node:S reason:s since:S score_us:I " },
	{ "member", false,
	  "id:s name:s state:s admin:s selected_for:a add_latency_us:i "
	  "score_us:o " },
	{ "tally", false, TALLY_FIELDS },
	{ "config", false,
	  "path:S generation:i loaded_at:S mode:s goes_back_in_us:I "
	  "has_gone_back:b " },
	{ "change", false, CHANGE_FIELDS },
	{ "moves", false, MOVES_FIELDS },
	{ "move", false, "from:s to:s count:i " },
	{ "decided", false, "direct:i block:i groups:i " },
	{ "flow", false,
	  "position:i proto:s src:s sport:i dst:s dport:i verdict:s group:S "
	  "node:S mark:I idle_us:i " },
	{ "decision", false,
	  "at:s hook:s proto:s src:s sport:i dst:s dport:i rule:I file:S line:I "
	  "verdict:s group:S node:S mark:I " },
	{ "verdict", false, "outbound:s must:b dns:b mark:I " },
	{ "diag", false,
	  "severity:s file:s line:I column:I message:s hint:S source:S "
	  "caret:i caret_len:i " },
};

struct field {
	char name[FIELD_NAME_MAX];
	char type; /* lower case */
	bool may_be_null;
	const struct shape *of; /* NULL: not said */
};

const char *ctl_schema_name(size_t i)
{
	return i < ARRAY_LEN(schemas) ? schemas[i].name : NULL;
}

static const struct shape *find(const struct shape *list, size_t n,
				const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i].name) == len &&
		    !strncmp(list[i].name, name, len))
			return &list[i];
	return NULL;
}

/* The next field of @text, which moves on; false at its end. */
static bool next_field(const char **text, struct field *ret)
{
	const char *p = *text, *colon = strchr(p, ':');
	size_t len;

	if (!colon || colon - p >= FIELD_NAME_MAX)
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, p, (size_t)(colon - p));
	ret->type = (char)(colon[1] | 0x20);
	ret->may_be_null = ret->type != colon[1];
	p = colon + 2;
	len = strcspn(p, " ");
	if (*p == '=')
		ret->of = find(parts, ARRAY_LEN(parts), p + 1, len - 1);
	*text = p + len + 1;
	return true;
}

static const char *type_name(char type)
{
	switch (type) {
	case 's':
		return "string";
	case 'i':
		return "integer";
	case 'b':
		return "boolean";
	case 'o':
		return "object";
	default:
		return "array";
	}
}

static json_t *object_schema(const char *fields);

static json_t *field_schema(const struct field *f)
{
	auto_json json_t *j = NULL;
	json_t *of;

	if (f->may_be_null)
		j = json_pack("{s:[s, s]}", "type", type_name(f->type), "null");
	else
		j = json_pack("{s:s}", "type", type_name(f->type));
	if (!j || !f->of)
		return json_incref(j);
	of = object_schema(f->of->fields);
	if (f->type == 'a') {
		json_object_set_new(j, "items", of);
		return json_incref(j);
	}
	json_object_del(of, "type"); /* the outer one may allow null */
	json_object_update_missing(j, of);
	json_decref(of);
	return json_incref(j);
}

static json_t *object_schema(const char *fields)
{
	json_t *properties = json_object(), *required = json_array();
	struct field f;

	while (next_field(&fields, &f)) {
		json_object_set_new(properties, f.name, field_schema(&f));
		json_array_append_new(required, json_string(f.name));
	}
	return json_pack("{s:s, s:o, s:o}", "type", "object", "properties",
			 properties, "required", required);
}

json_t *ctl_schema_json(const char *name)
{
	const struct shape *s;
	json_t *data;

	s = find(schemas, ARRAY_LEN(schemas), name, strlen(name));
	if (!s)
		return NULL;
	data = object_schema(s->fields);
	if (s->is_list)
		data = json_pack("{s:s, s:o}", "type", "array", "items", data);
	return json_pack(
		"{s:s, s:s, s:s, s:[s, s, s], s:{s:{s:s}, s:{s:s}, s:{s:[s, "
		"s]}, s:{s:s}, s:o}}",
		"$schema", "https://json-schema.org/draft/2020-12/schema",
		"$id", s->name, "type", "object", "required", "schema",
		"generated_at", "data", "properties", "schema", "const",
		s->name, "generated_at", "type", "string", "seq", "type",
		"integer", "null", "host", "type", "string", "data", data);
}

static bool is_of_type(const json_t *v, char type)
{
	switch (type) {
	case 's':
		return json_is_string(v);
	case 'i':
		return json_is_integer(v);
	case 'b':
		return json_is_boolean(v);
	case 'o':
		return json_is_object(v);
	default:
		return json_is_array(v);
	}
}

static int check_object(const char *fields, const json_t *o, char *why,
			size_t cap)
{
	const json_t *v, *one;
	struct field f;
	size_t i;
	int r = 0;

	if (!json_is_object(o)) {
		snprintf(why, cap, "not an object");
		return -EINVAL;
	}
	while (r == 0 && next_field(&fields, &f)) {
		v = json_object_get(o, f.name);
		if (!v || (json_is_null(v) ? !f.may_be_null
					   : !is_of_type(v, f.type))) {
			snprintf(why, cap, "%s: %s", f.name,
				 v ? "wrong type" : "missing");
			return -EINVAL;
		}
		if (!f.of || json_is_null(v))
			continue;
		if (f.type == 'o')
			r = check_object(f.of->fields, v, why, cap);
		json_array_foreach(v, i, one) {
			r = check_object(f.of->fields, one, why, cap);
			if (r < 0)
				return r;
		}
	}
	return r;
}

int ctl_schema_check(const char *name, const json_t *data, char *why,
		     size_t cap)
{
	const struct shape *s;
	const json_t *one;
	size_t i;
	int r;

	s = find(schemas, ARRAY_LEN(schemas), name, strlen(name));
	if (!s)
		return -ENOENT;
	if (!s->is_list)
		return check_object(s->fields, data, why, cap);
	if (!json_is_array(data)) {
		snprintf(why, cap, "not an array");
		return -EINVAL;
	}
	json_array_foreach(data, i, one) {
		r = check_object(s->fields, one, why, cap);
		if (r < 0)
			return r;
	}
	return 0;
}
