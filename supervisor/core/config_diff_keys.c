/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of global and supervisor, monitors, upstreams and subscriptions. */
#include "supervisor/core/config_diff.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

#define VALUE_MAX 4096 /* compared */
#define VALUE_SHOWN 100

enum kind { WORD, U16, U32, BYTES, NUMBER, DURATION, TEXT, LIST, BOOL };

struct field {
	const char *name;
	size_t offset; /* in struct config */
	enum kind kind;
	const char *const *words; /* WORD */
};

static const char *const modes[] = { "observe", "route" };
static const char *const attaches[] = { "auto", "tcx", "clsact" };
static const char *const losses[] = { "keep", "direct", "block" };
static const char *const flow_ways[] = { "keep", "reclassify" };
static const char *const deads[] = { "unset", "block", "direct", "last" };
static const char *const levels[] = { "error", "warn", "info", "debug",
				      "trace" };

#define GLOBAL(key, member, kind_)                                             \
	{                                                                      \
		"global." key, offsetof(struct config, global.member), kind_,  \
			NULL                                                   \
	}
#define OURS(key, member, kind_)                                               \
	{                                                                      \
		"supervisor." key, offsetof(struct config, supervisor.member), \
			kind_, NULL                                            \
	}
#define OUR_WORD(key, member, words_)                                          \
	{                                                                      \
		"supervisor." key, offsetof(struct config, supervisor.member), \
			WORD, words_                                           \
	}

static const struct field fields[] = {
	GLOBAL("tproxy_port", tproxy_port, U16),
	GLOBAL("so_mark_from_dae", so_mark_from_dae, U32),
	{ "global.log_level", offsetof(struct config, global.log_level), WORD,
	  levels },
	GLOBAL("tcp_check_url", tcp_check_url, LIST),
	GLOBAL("tcp_check_http_method", tcp_check_http_method, TEXT),
	GLOBAL("udp_check_dns", udp_check_dns, LIST),
	GLOBAL("check_interval", check_interval_ns, DURATION),
	GLOBAL("check_tolerance", check_tolerance_ns, DURATION),
	GLOBAL("lan_interface", lan_interface, LIST),
	GLOBAL("wan_interface", wan_interface, LIST),
	GLOBAL("allow_insecure", allow_insecure, BOOL),
	GLOBAL("dial_mode", dial_mode, TEXT),
	GLOBAL("bootstrap_resolver", bootstrap_resolver, TEXT),
	GLOBAL("fallback_resolver", fallback_resolver, TEXT),
	OUR_WORD("mode", mode, modes),
	OUR_WORD("attach", attach, attaches),
	OUR_WORD("on_supervisor_loss", on_supervisor_loss, losses),
	OUR_WORD("reload_flows", reload_flows, flow_ways),
	OUR_WORD("on_all_dead", on_all_dead, deads),
	OURS("mark", mark, U32),
	OURS("mark_mask", mark_mask, U32),
	OURS("so_mark", so_mark, U32),
	OURS("rule_priority", rule_priority, U32),
	OURS("route_table", route_table, U32),
	OURS("memory_total", memory_total_bytes, BYTES),
	OURS("workers", workers, U32),
	OURS("flow_entries", flow_entries, U32),
	OURS("quic_check_url", quic_check_url, TEXT),
	OURS("ca_file", ca_file, TEXT),
	OURS("cgroup", cgroup, TEXT),
	OURS("max_concurrent", max_concurrent, U32),
	OURS("probe_rate", probe_rate, U32),
	OURS("adaptive", adaptive, BOOL),
	OURS("daily_bytes", daily_bytes, BYTES),
	OURS("probe_timeout", probe_timeout_ns, DURATION),
	OURS("recycle.rss_soft", recycle.rss_soft_bytes, BYTES),
	OURS("recycle.rss_hard", recycle.rss_hard_bytes, BYTES),
	OURS("recycle.max_age", recycle.max_age_ns, DURATION),
	OURS("recycle.max_probes", recycle.max_probes, NUMBER),
	OURS("recycle.max_fds", recycle.max_fds, U32),
	OURS("recycle.slope", recycle.slope_ns, DURATION),
	OURS("recycle.drain_timeout", recycle.drain_timeout_ns, DURATION),
	OURS("recycle.stuck_timeout", recycle.stuck_timeout_ns, DURATION),
	OURS("recycle.jitter", recycle.jitter_percent, U32),
	OURS("recycle.min_gap", recycle.min_gap_ns, DURATION),
	OURS("quarantine.crashes", quarantine.crashes, U32),
	OURS("quarantine.window", quarantine.window_ns, DURATION),
	OURS("quarantine.hold", quarantine.hold_ns, DURATION),
};

static void put_list(struct text_out *o, const struct config_list *l)
{
	if (l->count == 0)
		text_put(o, "nothing");
	for (size_t i = 0; i < l->count; i++)
		text_put(o, "%s%s", i ? ", " : "", l->items[i]);
}

static void put_field(struct text_out *o, const struct field *f,
		      const struct config *c)
{
	const void *p = (const char *)c + f->offset;
	char buf[64];

	switch (f->kind) {
	case WORD:
		text_put(o, "%s", f->words[*(const int *)p]);
		break;
	case U16:
		text_put(o, "%u", *(const uint16_t *)p);
		break;
	case U32:
		text_put(o, "%" PRIu32, *(const uint32_t *)p);
		break;
	case BYTES:
	case NUMBER:
		text_put(o, "%" PRIu64, *(const uint64_t *)p);
		break;
	case DURATION:
		text_put(o, "%s",
			 text_format_duration(*(const uint64_t *)p, buf));
		break;
	case TEXT:
		text_put(o, "%s",
			 *(char *const *)p ? *(char *const *)p : "nothing");
		break;
	case LIST:
		put_list(o, p);
		break;
	case BOOL:
		text_put(o, "%s", *(const bool *)p ? "yes" : "no");
		break;
	}
}

static void diff_fields(struct config_diff *d, const struct config *old,
			const struct config *new)
{
	char a[VALUE_MAX], b[VALUE_MAX], detail[2 * VALUE_SHOWN + 8];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct text_out x = { .buf = a, .cap = sizeof(a) };
		struct text_out y = { .buf = b, .cap = sizeof(b) };
		struct diff_entry e = {
			DIFF_KEY, DIFF_CHANGED, (char *)fields[i].name,
			detail,	  NULL,		0
		};

		put_field(&x, &fields[i], old);
		put_field(&y, &fields[i], new);
		if (strcmp(a, b) == 0)
			continue;
		snprintf(detail, sizeof(detail), "%.*s -> %.*s", VALUE_SHOWN, a,
			 VALUE_SHOWN, b);
		config_diff_add(d, &e, new, NULL);
	}
}

/* Things with a name and a URL, which may hold a secret and is not shown. */
struct named {
	const char *name, *url;
	const struct config_pos *pos;
};

static struct named named_at(const struct config *c, enum diff_what what,
			     size_t i)
{
	if (what == DIFF_MONITOR)
		return (struct named){ c->supervisor.monitors[i].name,
				       c->supervisor.monitors[i].url,
				       &c->supervisor.monitors[i].pos };
	if (what == DIFF_UPSTREAM)
		return (struct named){ c->dns.upstreams[i].name,
				       c->dns.upstreams[i].url,
				       &c->dns.upstreams[i].pos };
	/* a subscription has no name of its own: it is its URL */
	return (struct named){ c->subscriptions.items[i],
			       c->subscriptions.items[i], NULL };
}

static size_t named_count(const struct config *c, enum diff_what what)
{
	if (what == DIFF_MONITOR)
		return c->supervisor.monitor_count;
	return what == DIFF_UPSTREAM ? c->dns.upstream_count
				     : c->subscriptions.count;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_monitor(const struct config_monitor *a,
			 const struct config_monitor *b)
{
	return a->interval_ns == b->interval_ns && a->rise == b->rise &&
	       a->fall == b->fall && a->status_min == b->status_min &&
	       a->status_max == b->status_max && a->mark == b->mark &&
	       a->expect_rcode == b->expect_rcode &&
	       a->insecure == b->insecure && a->qtype == b->qtype &&
	       a->family == b->family && same_text(a->iface, b->iface) &&
	       same_text(a->sni, b->sni) &&
	       same_text(a->expect_body, b->expect_body) &&
	       same_text(a->expect_rdata, b->expect_rdata);
}

/* The one of the name of @c's @i in @other, or SIZE_MAX; same in all else? */
static size_t named_find(const struct config *c, size_t i,
			 const struct config *other, enum diff_what what,
			 bool *ret_same)
{
	struct named n = named_at(c, what, i), m;

	for (size_t k = 0; k < named_count(other, what); k++) {
		m = named_at(other, what, k);
		if (strcmp(m.name, n.name) != 0)
			continue;
		*ret_same = strcmp(m.url, n.url) == 0;
		if (what == DIFF_MONITOR)
			*ret_same &= same_monitor(
				&c->supervisor.monitors[i],
				&other->supervisor.monitors[k]);
		return k;
	}
	*ret_same = false;
	return SIZE_MAX;
}

static void tell_named(struct config_diff *d, enum diff_what what,
		       enum diff_how how, const struct config *c, size_t i)
{
	struct named n = named_at(c, what, i);
	struct diff_entry e = { .what = what, .how = how };

	e.name = what == DIFF_SUBSCRIPTION ? (char *)"a subscription"
					   : (char *)n.name;
	config_diff_add(d, &e, c, n.pos);
}

static void diff_named(struct config_diff *d, enum diff_what what,
		       const struct config *old, const struct config *new)
{
	size_t at;
	bool same;

	for (size_t i = 0; i < named_count(new, what); i++) {
		at = named_find(new, i, old, what, &same);
		if (!same)
			tell_named(d, what,
				   at == SIZE_MAX ? DIFF_ADDED : DIFF_CHANGED,
				   new, i);
	}
	for (size_t i = 0; i < named_count(old, what); i++)
		if (named_find(old, i, new, what, &same) == SIZE_MAX)
			tell_named(d, what, DIFF_REMOVED, old, i);
}

void config_diff_keys(struct config_diff *d, const struct config *old,
		      const struct config *new)
{
	diff_named(d, DIFF_SUBSCRIPTION, old, new);
	diff_named(d, DIFF_UPSTREAM, old, new);
	diff_named(d, DIFF_MONITOR, old, new);
	diff_fields(d, old, new);
}
