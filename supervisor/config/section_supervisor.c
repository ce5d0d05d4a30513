/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <string.h>

#include "common/base.h"
#include "supervisor/config/keys.h"
#include "supervisor/config/monitor.h"
#include "supervisor/config/url.h"

#define MINUTE_NS (60 * NS_PER_S)
#define MEGABYTE (1ULL << 20)
#define DAILY_BYTES_UNSET UINT64_MAX
/* Payload of a day that is 300 MB with its headers. */
#define DAILY_BYTES_DEFAULT 200000000ULL

static key_fn read_recycle, read_quarantine, read_monitors, read_url, read_path,
	read_dead;

static const char *const mode_words[] = { "observe", "route", NULL };
static const char *const attach_words[] = { "auto", "tcx", "clsact", NULL };
static const char *const loss_words[] = { "keep", "direct", "block", NULL };
static const char *const flows_words[] = { "keep", "reclassify", NULL };
static const char *const dead_words[] = { "block", "direct", "last", NULL };

#define FIELD(f) offsetof(struct config_supervisor, f)

static const struct key keys[] = {
	KEY("mode", key_word, FIELD(mode), .words = mode_words),
	KEY("attach", key_word, FIELD(attach), .words = attach_words),
	KEY("on_supervisor_loss", key_word, FIELD(on_supervisor_loss),
	    .words = loss_words),
	KEY("reload_flows", key_word, FIELD(reload_flows),
	    .words = flows_words),
	KEY("on_all_dead", read_dead, FIELD(on_all_dead), .words = dead_words),
	KEY("mark", key_u32, FIELD(mark), .min = 1, .max = UINT32_MAX),
	KEY("mark_mask", key_u32, FIELD(mark_mask), .min = 1,
	    .max = UINT32_MAX),
	KEY("so_mark", key_u32, FIELD(so_mark), .max = UINT32_MAX),
	KEY("rule_priority", key_u32, FIELD(rule_priority), .min = 1,
	    .max = 32000),
	KEY("route_table", key_u32, FIELD(route_table), .min = 256,
	    .max = 0x7fffffff),
	KEY("memory_total", key_size, FIELD(memory_total_bytes),
	    .min = 8 * MEGABYTE),
	KEY("workers", key_u32, FIELD(workers), .max = 64),
	KEY("flow_entries", key_u32, FIELD(flow_entries), .max = 1U << 24),
	KEY("quic_check_url", read_url, FIELD(quic_check_url)),
	KEY("ca_file", read_path, FIELD(ca_file)),
	KEY("cgroup", read_path, FIELD(cgroup)),
	KEY("max_concurrent", key_u32, FIELD(max_concurrent), .min = 1,
	    .max = 16384),
	KEY("probe_rate", key_u32, FIELD(probe_rate), .min = 1, .max = 100000),
	KEY("adaptive", key_bool, FIELD(adaptive)),
	KEY("daily_bytes", key_size, FIELD(daily_bytes)),
	KEY("probe_timeout", key_duration, FIELD(probe_timeout_ns),
	    .min = 100 * NS_PER_MS, .max = 2 * MINUTE_NS),
	KEY("recycle", read_recycle, FIELD(recycle), .is_section = true),
	KEY("quarantine", read_quarantine, FIELD(quarantine),
	    .is_section = true),
	KEY("monitor", read_monitors, KEY_NOWHERE, .is_section = true),
	{ .name = NULL },
};
#undef FIELD

#define FIELD(f) offsetof(struct recycle_policy, f)

static const struct key recycle_keys[] = {
	KEY("rss_soft", key_size, FIELD(rss_soft_bytes)),
	KEY("rss_hard", key_size, FIELD(rss_hard_bytes)),
	KEY("max_age", key_duration, FIELD(max_age_ns)),
	KEY("max_probes", key_u64, FIELD(max_probes), .max = UINT64_MAX),
	KEY("max_fds", key_u32, FIELD(max_fds), .max = 1U << 20),
	KEY("slope", key_duration, FIELD(slope_ns)),
	KEY("drain_timeout", key_duration, FIELD(drain_timeout_ns),
	    .min = NS_PER_S),
	KEY("stuck_timeout", key_duration, FIELD(stuck_timeout_ns),
	    .min = NS_PER_S),
	KEY("jitter", key_u32, FIELD(jitter_percent), .max = 100),
	KEY("min_gap", key_duration, FIELD(min_gap_ns)),
	{ .name = NULL },
};
#undef FIELD

#define FIELD(f) offsetof(struct quarantine_policy, f)

static const struct key quarantine_keys[] = {
	KEY("crashes", key_u32, FIELD(crashes), .min = 1, .max = 100),
	KEY("window", key_duration, FIELD(window_ns), .min = NS_PER_S),
	KEY("hold", key_duration, FIELD(hold_ns), .min = NS_PER_S),
	{ .name = NULL },
};
#undef FIELD

static void read_recycle(struct config_ctx *c, const struct key *k DAE_UNUSED,
			 const struct ast_item *item, void *out)
{
	const struct recycle_policy *p = out;

	keys_decode(c, item, recycle_keys, out);
	if (p->rss_soft_bytes > 0 && p->rss_hard_bytes > 0 &&
	    p->rss_soft_bytes >= p->rss_hard_bytes)
		ctx_error(c, &item->name,
			  "a worker drains at rss_soft and is killed at "
			  "rss_hard",
			  "'rss_soft' must be less than 'rss_hard'");
}

static void read_quarantine(struct config_ctx *c,
			    const struct key *k DAE_UNUSED,
			    const struct ast_item *item, void *out)
{
	keys_decode(c, item, quarantine_keys, out);
}

static void read_monitors(struct config_ctx *c, const struct key *k DAE_UNUSED,
			  const struct ast_item *item, void *out DAE_UNUSED)
{
	monitor_read_section(c, item);
}

static void read_url(struct config_ctx *c, const struct key *k,
		     const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);
	char why[160];
	uint16_t port;
	struct url u;
	int r;

	if (!text)
		return;
	r = url_parse(c->scratch, text, strlen(text), &u, why, sizeof(why));
	if (r == 0)
		r = url_check_host(&u, why, sizeof(why));
	if (r == 0)
		r = url_port(&u, 443, &port, why, sizeof(why));
	if (r < 0)
		ctx_error(c, keys_value(item), NULL, "'%s' expects a URL: %s",
			  k->name, why);
	else if (strcmp(u.scheme, "https") != 0 && strcmp(u.scheme, "h3") != 0)
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects https://, got '%.32s://'", k->name,
			  u.scheme);
	else
		key_string(c, k, item, out);
}

static void read_path(struct config_ctx *c, const struct key *k,
		      const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);

	if (!text)
		return;
	if (text[0] != '/') {
		ctx_error(c, keys_value(item),
			  "a path from the root, as in "
			  "/etc/ssl/certs/ca-certificates.crt",
			  "'%s' expects a path", k->name);
		return;
	}
	key_string(c, k, item, out);
}

static void read_dead(struct config_ctx *c, const struct key *k,
		      const struct ast_item *item, void *out)
{
	int i = -1;

	key_word(c, k, item, &i);
	if (i >= 0)
		*(int *)out = ALL_DEAD_BLOCK + i;
}

void section_supervisor(struct config_ctx *c, const struct ast_item *section)
{
	keys_decode(c, section, keys, &c->config->supervisor);
}

void section_supervisor_defaults(struct config *c)
{
	c->supervisor = (struct config_supervisor){
		.mode = MODE_OBSERVE,
		.mark = 0x04000000,	/* not dae's 0x08000000 */
		.mark_mask = 0x04000000,
		.so_mark = 0x100,	/* dae's own: it lets our probes pass */
		.rule_priority = 10200,
		.route_table = 10200,
		.max_concurrent = 64,
		.probe_rate = 100,
		.adaptive = true,
		.daily_bytes = DAILY_BYTES_UNSET,
		.probe_timeout_ns = 10 * NS_PER_S,
		.recycle = {
			.max_age_ns = 24 * 60 * MINUTE_NS,
			.max_probes = 1000000,
			.max_fds = 512,
			.slope_ns = 5 * MINUTE_NS,
			.drain_timeout_ns = 30 * NS_PER_S,
			.stuck_timeout_ns = 10 * NS_PER_S,
			.jitter_percent = 10,
			.min_gap_ns = 5 * NS_PER_S,
		},
		.quarantine = {
			.crashes = 3,
			.window_ns = 10 * MINUTE_NS,
			.hold_ns = 60 * MINUTE_NS,
		},
	};
}

void section_supervisor_finish(struct config *c)
{
	struct config_supervisor *s = &c->supervisor;

	if (s->daily_bytes == DAILY_BYTES_UNSET)
		s->daily_bytes = s->adaptive ? DAILY_BYTES_DEFAULT : 0;
}
