/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"

#define NOW_NS (400000 * NS_PER_S)
#define WALL_S 1795384800LL /* 2026-11-22T22:00:00Z */

/* Names of the field: CJK, an emoji flag, and one that wants to be a program. */
static const char config_text[] =
	"global { lan_interface: lan0 }\n"
	"subscription {}\n"
	"node {\n"
	"  hk-01: 'socks5://user:secret@192.0.2.1:1080'\n"
	"  'socks5://192.0.2.2:1080#\xe6\x97\xa5\xe6\x9c\xac-02'\n"
	"  'http://192.0.2.3:8080#\xf0\x9f\x87\xba\xf0\x9f\x87\xb8 us-03'\n"
	"  tw-held: 'socks5://192.0.2.4:1080'\n"
	"  'socks5://192.0.2.5:1080#ev%1b%5b31mil%e2%80%aename'\n"
	"  ss-06: 'ss://YWVzLTEyOC1nY206cHc=@192.0.2.6:8388'\n"
	"  engine: 'tproxy://127.0.0.1:12345'\n"
	"}\n"
	"group {\n"
	"  proxy { filter: name(hk-01, '\xe6\x97\xa5\xe6\x9c\xac-02')\n"
	"    policy: min_moving_avg }\n"
	"  game { filter: name(tw-held) policy: fixed(0) }\n"
	"}\n"
	"routing { dport(53) -> direct\n dip(10.0.0.0/8) -> block\n"
	"  fallback: proxy }\n"
	"dns { upstream { quad: 'tcp+udp://9.9.9.9:53' }\n"
	"  routing { request { fallback: quad } } }\n"
	"supervisor { mode: observe daily_bytes: 500M\n"
	"  monitor { far: 'doq://192.0.2.53' } }\n";

static void die(const char *what, int r)
{
	fprintf(stderr, "ctl_fixture: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void load_config(struct ctl_fixture *f)
{
	auto_diags struct config_diags diags = { 0 };
	char text[1024];
	int r;

	r = config_parse(&f->config, config_text, sizeof(config_text) - 1,
			 &diags);
	for (size_t i = 0; r < 0 && i < diags.count; i++) {
		config_diag_format(&diags.items[i], text, sizeof(text));
		fputs(text, stderr);
	}
	if (r < 0)
		die("configuration", r);
}

static struct target *target_at(const struct ctl_fixture *f, const char *name)
{
	struct target *t;

	for (uint32_t i = 0; i < target_table_limit(f->prober->targets); i++) {
		t = target_table_get(f->prober->targets, i);
		if (t && strcmp(t->name, name) == 0)
			return t;
	}
	die(name, -ENOENT);
	return NULL;
}

/* @n results, each a second later, the last of them @ago_s before now. */
static void probe(struct target *t, unsigned int k, enum outcome o, uint32_t us,
		  unsigned int n)
{
	struct target_check *c = &t->checks[k];
	struct result r = { .outcome = (uint16_t)o, .phase = PHASE_TOTAL };
	uint64_t at = NOW_NS - (uint64_t)n * NS_PER_S;

	if (!c->is_used)
		return;
	r.bytes_tx = 500;
	r.bytes_rx = 1500;
	r.leaked_bytes = t->leaked_bytes ? 4096 : 0;
	if (o == OUTCOME_OK) {
		r.phase_us[PHASE_CONNECT] = us / 2;
		r.phase_us[PHASE_FIRST_BYTE] = us;
		r.phase_us[PHASE_TOTAL] = us;
	} else {
		r.phase = PHASE_CONNECT;
		r.foreign_kind = FOREIGN_ERRNO;
		r.foreign = 111;
		strcpy(r.detail, "no way");
	}
	for (unsigned int i = 0; i < n; i++)
		health_apply(&c->health, &c->policy, &r, at += NS_PER_S);
	target_update_state(t, at - NS_PER_S / 2);
}

static void hold(struct ctl_fixture *f, struct target *t)
{
	if (quarantine_hold(f->prober->quarantine, t->identity,
			    NOW_NS + 1800 * NS_PER_S) < 0)
		die("quarantine", -ENOMEM);
	t->is_quarantined = true;
	target_update_state(t, NOW_NS - 60 * NS_PER_S);
}

static void fill_targets(struct ctl_fixture *f)
{
	struct target *hk = target_at(f, "hk-01");
	struct target *jp = target_at(f, "\xe6\x97\xa5\xe6\x9c\xac-02");
	struct target *us, *engine = target_at(f, "engine");

	engine->assumed[CHECK_TCP4] = VERDICT_UP; /* a listener for TCP alone */
	engine->assumed[CHECK_UDP4] = VERDICT_DOWN;
	engine->assumed[CHECK_TCP6] = VERDICT_NOT_APPLICABLE;
	engine->assumed[CHECK_UDP6] = VERDICT_NOT_APPLICABLE;
	target_update_state(engine, NOW_NS - 60 * NS_PER_S);
	us = target_at(f, "\xf0\x9f\x87\xba\xf0\x9f\x87\xb8 us-03");
	hk->leaked_bytes = 12288;
	hk->bytes_today = 123456;
	for (unsigned int k = CHECK_TCP4; k <= CHECK_UDP6; k++)
		probe(hk, k, OUTCOME_OK, 38000 + k * 1000, 3);
	probe(jp, CHECK_TCP4, OUTCOME_OK, 61000, 5);
	probe(jp, CHECK_TCP6, OUTCOME_CONNECT_TIMEOUT, 0, 5);
	probe(jp, CHECK_UDP4, OUTCOME_OK, 60000, 5);
	probe(us, CHECK_TCP4, OUTCOME_REFUSED, 0, 4);
	probe(us, CHECK_TCP6, OUTCOME_NO_ADDRESS, 0, 4);
	probe(target_at(f, "far"), 0, OUTCOME_OK, 21000, 2);
	hold(f, target_at(f, "tw-held"));
}

static void fill_crew(struct ctl_fixture *f)
{
	static const struct recycle_limits limits = {
		.memory_total_bytes = 256 << 20,
		.workers = 2,
		.spares = 1,
		.rss_soft_bytes = 16 << 20,
		.rss_hard_bytes = 64 << 20,
		.data_bytes = 128 << 20,
	};
	struct recycle_policy policy = f->config->supervisor.recycle;
	struct crew_place *p;
	int r;

	policy.rss_soft_bytes = limits.rss_soft_bytes;
	policy.rss_hard_bytes = limits.rss_hard_bytes;
	r = crew_init(&f->crew, &limits, &policy);
	if (r < 0)
		die("crew", r);
	for (unsigned int i = 0; i < 2; i++) {
		p = &f->crew.places[i];
		p->slot.state = i ? SLOT_DRAINING : SLOT_READY;
		p->slot.generation = i + 1;
		p->slot.spawned_ns = NOW_NS - (i + 1) * 3600 * NS_PER_S;
		p->slot.since_ns = p->slot.spawned_ns;
		p->meter.anon_bytes = (6 + 5 * i) << 20;
		p->meter.base_bytes = 2 << 20;
		p->meter.probes = 48120 - i * 1000;
		p->meter.heartbeat_ns = NOW_NS - NS_PER_S / 5;
		p->in_flight = i + 1;
		f->pids[i] = (pid_t)(41210 + i);
	}
	p->is_leaving = true;
	p->leave_reason = RECYCLE_RSS_SOFT;
	p->slot.reason = RECYCLE_RSS_SOFT;
	f->prober->totals.recycles[RECYCLE_RSS_SOFT] = 3;
	f->prober->totals.recycles[RECYCLE_AGE] = 1;
}

void ctl_fixture_event(struct ctl_fixture *f, const char *text)
{
	struct event_time at = { NOW_NS, WALL_S * 1000 };

	event_record(f->prober->events, EVENT_NOTE, &at, TARGET_NONE, "test",
		     text);
}

static void nobody(void *arg DAE_UNUSED, const struct addr *a DAE_UNUSED,
		   const struct dae_bitmap *sets DAE_UNUSED)
{
}

/* Two names share an address, one has another. */
static int make_names(struct ctl_fixture *f)
{
	static const struct {
		const char *name, *addr;
		uint32_t ttl_s;
		uint64_t sets;
	} all[] = {
		{ "www.example.org", "203.0.113.7", 300, 5 },
		{ "www.example.org", "2001:db8::7", 60, 5 },
		{ "cdn.example.net", "203.0.113.7", 86400, 0 },
	};
	int r = learned_new(&f->learned, 100, 1, nobody, NULL);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(all); i++) {
		struct learned_record rec = { .ttl_s = all[i].ttl_s,
					      .sets = { { all[i].sets } } };

		addr_parse(all[i].addr, &rec.addr);
		snprintf(rec.name, sizeof(rec.name), "%s", all[i].name);
		r = learned_add(f->learned, &rec, NOW_NS);
	}
	return r;
}

struct ctl_fixture *ctl_fixture_new(void)
{
	struct prober_now now = { NOW_NS, WALL_S, 0 };
	struct ctl_fixture *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		die("memory", -ENOMEM);
	load_config(f);
	r = prober_new(&f->prober, f->config, NULL, &now);
	if (r < 0)
		die("prober", r);
	r = make_names(f);
	if (r < 0)
		die("names", r);
	fill_targets(f);
	fill_crew(f);
	f->prober->groups_dirty = true;
	prober_update_groups(f->prober, &now);
	f->prober->budget.today_bytes = 212000000;
	ctl_fixture_event(f, "one \x1b[31mred thing");
	return f;
}

void ctl_fixture_free(struct ctl_fixture **f)
{
	if (!*f)
		return;
	prober_free(&(*f)->prober);
	learned_free(&(*f)->learned);
	config_free(&(*f)->config);
	free(*f);
	*f = NULL;
}

size_t ctl_fixture_answers(const struct ctl_fixture *f,
			   struct ctl_probe_answer *ret, size_t max)
{
	struct addr a;
	size_t n = 0;

	addr_parse("203.0.113.7", &a);
	for (uint8_t k = 0; k < TARGET_CHECKS && n < max; k++) {
		if (!(f->probe.checks & 1U << k))
			continue;
		memset(&ret[n], 0, sizeof(ret[n]));
		ret[n].target = f->probe.target;
		ret[n].check = k;
		ret[n].worker = 3;
		addr_to_sockaddr(&a, 443, &ret[n].peer);
		ret[n].result.phase = PHASE_TOTAL;
		ret[n].result.phase_us[PHASE_CONNECT] = 18400;
		ret[n].result.phase_us[PHASE_TOTAL] = 36200;
		ret[n].result.bytes_tx = 2600;
		ret[n].result.bytes_rx = 4900;
		if (k % 2) {
			ret[n].result.outcome = OUTCOME_TLS_ALERT;
			ret[n].result.phase = PHASE_HANDSHAKE;
			ret[n].result.foreign_kind = FOREIGN_TLS_ALERT;
			ret[n].result.foreign = 40;
		}
		n++;
	}
	return n;
}

static void view(void *ctx, struct ctl_view *ret)
{
	struct ctl_fixture *f = ctx;

	*ret = (struct ctl_view){
		.mono_ns = NOW_NS,
		.wall_ns = (uint64_t)WALL_S * NS_PER_S + 123 * NS_PER_MS,
		.started_ns = NOW_NS - 273600 * NS_PER_S,
		.loaded_ns = NOW_NS - 7860 * NS_PER_S,
		.config_generation = 17,
		.version = "0.3.1",
		.config_path = "/etc/dae-supervisor/config.dae",
		.config = f->config,
		.prober = f->prober,
		.crew = &f->crew,
		.pids = f->pids,
		.uplink = "eth0",
		.kernel = { .is_active = true,
			    .attach = "tcx",
			    .has_host = true,
			    .programs = 5,
			    .links = 3,
			    .epoch = 88213,
			    .heartbeat_ns = NOW_NS - 400 * NS_PER_MS,
			    .flow_entries = 65536,
			    .dns_passed = 9,
			    .flows_direct = 4711,
			    .flows_block = 12,
			    .flows_group = { 815, 3 },
			    .counters = { { "flow_moved", 3 },
					  { "truncated", 0 },
					  { "frag_proxied", 12 },
					  { "no_listener", 1 } },
			    .counter_count = 4 },
		.confirm = { .is_pending = true, .left_ms = 42000 },
		.names = { .learned = f->learned,
			   .rules = 2,
			   .kernel_entries = 2,
			   .kernel_room = 172032 },
		.warnings = { "tw-held is in quarantine" },
		.warning_count = 1,
	};
}

#define DIFF_ID 3

static int note(void *ctx, const char *text)
{
	struct ctl_fixture *f = ctx;

	snprintf(f->op, sizeof(f->op), "%s", text);
	return f->fail;
}

/* The text of a file that is wrong in two places. */
static int reload(void *ctx, const struct ctl_reload_request *q,
		  struct ctl_outcome *res)
{
	static const char bad[] = "global { lan_interfaze: eth0 }\n"
				  "routing { fallback: nobody }\n";
	auto_config struct config *c = NULL;
	char text[64];
	int r;

	snprintf(text, sizeof(text), "reload%s", q->dry_run ? " dry" : "");
	if (q->confirm_ms)
		snprintf(text, sizeof(text), "reload %llu",
			 (unsigned long long)q->confirm_ms);
	r = note(ctx, text);
	if (r < 0)
		config_parse(&c, bad, sizeof(bad) - 1, &res->diags);
	snprintf(res->message, sizeof(res->message), "%s",
		 r < 0 ? "configuration rejected, the running one is unchanged"
		       : "6 nodes, 2 groups");
	res->diff = q->dry_run ? DIFF_ID : 0;
	return r;
}

static int recycle(void *ctx, uint32_t place, bool now,
		   struct ctl_outcome *res DAE_UNUSED)
{
	char text[64];

	snprintf(text, sizeof(text), "recycle %u%s", place, now ? " now" : "");
	return note(ctx, text);
}

static int set_policy(void *ctx, const struct recycle_policy *next,
		      struct ctl_outcome *res DAE_UNUSED)
{
	struct ctl_fixture *f = ctx;

	f->policy = *next;
	return note(ctx, "policy");
}

static int ask_probe(void *ctx, uint64_t ticket,
		     const struct ctl_probe_request *q,
		     struct ctl_outcome *res DAE_UNUSED)
{
	struct ctl_fixture *f = ctx;

	f->ticket = ticket;
	f->probe = *q;
	return note(ctx, "probe");
}

static int set_admin(void *ctx, uint32_t target, enum node_admin admin,
		     uint64_t for_ns, struct ctl_outcome *res DAE_UNUSED)
{
	char text[64];

	snprintf(text, sizeof(text), "admin %u %s %llu", target,
		 node_admin_name(admin),
		 (unsigned long long)(for_ns / NS_PER_S));
	return note(ctx, text);
}

static int set_quarantine(void *ctx, uint32_t target, bool hold_it,
			  struct ctl_outcome *res DAE_UNUSED)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", hold_it ? "hold" : "release",
		 target);
	return note(ctx, text);
}

static int select_node(void *ctx, size_t group, uint32_t target,
		       struct ctl_outcome *res DAE_UNUSED)
{
	char text[64];

	snprintf(text, sizeof(text), "select %zu %d", group, (int)target);
	return note(ctx, text);
}

static int route_test(void *ctx, const struct ctl_route_query *q,
		      struct ctl_route_answer *ret,
		      struct ctl_outcome *res DAE_UNUSED)
{
	ret->verdict.rule = q->packet.dport == 53 ? 0 : DAE_RULE_FALLBACK;
	ret->verdict.action = q->packet.dport == 53 ? DAE_ACTION_DIRECT
						    : DAE_ACTION_GROUP;
	ret->has_kernel = true;
	ret->kernel = ret->verdict;
	if (q->packet.dport == 9)
		ret->kernel.action = DAE_ACTION_BLOCK;
	return note(ctx, "route");
}

static int learn(void *ctx, const struct ctl_learn_request *q,
		 struct ctl_learn_answer *ret,
		 struct ctl_outcome *res DAE_UNUSED)
{
	char text[64];

	*ret = (struct ctl_learn_answer){ .set_count = 2 };
	snprintf(text, sizeof(text), "learn %.20s %zu %u", q->name, q->count,
		 q->ttl_s);
	return note(ctx, text);
}

static int forget(void *ctx, const char *what,
		  struct ctl_outcome *res DAE_UNUSED)
{
	int r;

	if (strcmp(what, "nobody.example.org") == 0)
		return 0;
	if (strcmp(what, "no name") == 0)
		return -EINVAL;
	r = note(ctx, "forget");
	return r < 0 ? r : 3;
}

static int confirm(void *ctx, bool revert, struct ctl_outcome *res DAE_UNUSED)
{
	return note(ctx, revert ? "revert" : "confirm");
}

static int rule_counts(void *ctx, uint64_t *ret, size_t count,
		       struct ctl_outcome *res DAE_UNUSED)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = 10 * i + 1;
	return note(ctx, "rules");
}

/* Known after the second step. */
static int reload_diff(void *ctx, uint64_t id, bool step,
		       struct ctl_reload_diff *ret,
		       struct ctl_outcome *res DAE_UNUSED)
{
	static char names[][64] = { "dip(192.0.2.0/24) -> proxy",
				    "dport(25) -> block", "proxy", "jp-02",
				    "supervisor.workers" };
	static char detail[][64] = { "3 -> 1", "fallback -> min, + hk-01",
				     "another link: socks5", "2 -> 4" };
	static char file[] = "/etc/dae-supervisor/config.dae";
	static struct diff_entry entries[] = {
		{ DIFF_RULE, DIFF_ADDED, names[0], NULL, file, 40 },
		{ DIFF_RULE, DIFF_MOVED, names[1], detail[0], file, 41 },
		{ DIFF_GROUP, DIFF_CHANGED, names[2], detail[1], file, 22 },
		{ DIFF_NODE, DIFF_REMOVED, names[3], NULL, file, 12 },
		{ DIFF_KEY, DIFF_CHANGED, names[4], detail[3], NULL, 0 },
	};
	static const struct config_diff diff = { .entries = entries,
						 .count = ARRAY_LEN(entries) };
	static struct ctl_flow_move moves[] = { { "direct", "proxy", 40 },
						{ "proxy", "block", 17 } };
	struct ctl_fixture *f = ctx;
	int r = note(ctx, step ? "diff step" : "diff");

	if (id != DIFF_ID)
		return -ENOENT;
	f->diff_steps += step;
	*ret = (struct ctl_reload_diff){ .diff = &diff,
					 .moves = moves,
					 .move_count = f->diff_steps,
					 .flows = f->diff_steps * 617,
					 .changed = f->diff_steps > 1 ? 57 : 40,
					 .has_flows = true };
	if (r < 0 || !step || f->diff_steps == 2)
		f->diff_steps = step ? 0 : f->diff_steps;
	else
		return 0;
	return r < 0 ? r : 1;
}

/* Three flows, the second of IPv6, the last one in a step of its own. */
static int flows(void *ctx, uint64_t *cursor, ctl_flow_visitor visit, void *arg,
		 struct ctl_outcome *res DAE_UNUSED)
{
	struct ctl_flow all[] = {
		{ .position = 4,
		  .sport = 40000,
		  .dport = 443,
		  .l4proto = IPPROTO_TCP,
		  .verdict = "proxy",
		  .group = "proxy",
		  .node = "hk-01",
		  .idle_ms = 1200 },
		{ .position = 9,
		  .sport = 5353,
		  .dport = 53,
		  .l4proto = IPPROTO_UDP,
		  .verdict = "pass",
		  .idle_ms = 40 },
		{ .position = 12,
		  .sport = 40001,
		  .dport = 80,
		  .l4proto = IPPROTO_TCP,
		  .verdict = "direct",
		  .mark = 7,
		  .idle_ms = 7384000 },
	};
	int r = note(ctx, "flows");

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		addr_parse(i == 1 ? "2001:db8::5" : "192.168.1.20",
			   &all[i].src);
		addr_parse(i == 1 ? "2001:db8:ffff::53" : "203.0.113.7",
			   &all[i].dst);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(all); i++) {
		if (all[i].position <= *cursor)
			continue;
		*cursor = all[i].position;
		if (!visit(arg, &all[i]) || i == 1)
			return 0;
	}
	return r < 0 ? r : 1;
}

static int trace(void *ctx, uint64_t ticket, const struct ctl_trace_request *q,
		 struct ctl_trace_page *ret, struct ctl_outcome *res DAE_UNUSED)
{
	struct ctl_fixture *f = ctx;
	char text[64];

	f->ticket = ticket;
	ctl_fixture_decisions(ret);
	ret->is_over = !q || q->count != CTL_FIXTURE_WAITS;
	if (!q)
		return note(ctx, "trace on");
	snprintf(text, sizeof(text), "trace %d %u %u %d %d", (int)q->l4proto,
		 q->dst.len, q->port, (int)q->count, (int)q->for_ms);
	return note(ctx, text);
}

static void gone(void *ctx, uint64_t ticket)
{
	struct ctl_fixture *f = ctx;

	f->gone = ticket;
}

const struct ctl_ops ctl_fixture_ops = {
	.view = view,
	.reload = reload,
	.recycle = recycle,
	.set_policy = set_policy,
	.probe = ask_probe,
	.set_admin = set_admin,
	.quarantine = set_quarantine,
	.select = select_node,
	.route_test = route_test,
	.learn = learn,
	.forget = forget,
	.flows = flows,
	.confirm = confirm,
	.reload_diff = reload_diff,
	.rule_counts = rule_counts,
	.trace = trace,
	.gone = gone,
};
