/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe --standalone: what is to be asked, from a URL or link alone. */
#include "supervisor/ctl/daectl_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "supervisor/config/arena.h"
#include "supervisor/config/config_link.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/core/job_build.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_probe.h"
#include "supervisor/ctl/daectl_alone.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_probe.h"
#include "supervisor/resolver.h"

#define ROUNDS_MAX 1000000
#define TIMEOUT_MS 10000
#define PAUSE_MS 1000
#define WHY_MAX 256
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_MAX 65536

struct ask {
	struct daectl *d;
	struct arena *arena;
	struct config *config;
	struct config_node node;
	struct config_monitor monitor;
	struct alone_item items[CHECK_NODE_COUNT];
	struct alone a;
	json_t *all; /* results for --json, until the end */
	bool was_bad, was_good;
};

static bool on_answer(void *ctx, const struct alone_answer *ans)
{
	const char *cls = check_class_name(ans->item->cls);
	struct ask *j = ctx;
	struct result r = ans->result;
	auto_json json_t *one = NULL;
	char label[16];

	if (ans->error == -EADDRNOTAVAIL)
		r.outcome = OUTCOME_NO_ADDRESS;
	else if (ans->error == -EOPNOTSUPP)
		r.outcome = OUTCOME_PROXY_NO_UDP;
	else if (ans->error)
		r.outcome = OUTCOME_INTERNAL;
	snprintf(label, sizeof(label), "%s%s%s", cls, j->a.monitor ? "/" : "",
		 j->a.monitor ? ans->item->family == 4 ? "4" : "6" : "");
	one = ctl_probe_json(j->d->args[0], label, &ans->peer, &r);
	if (!one)
		return false;
	j->was_bad |= probe_is_bad(one);
	j->was_good |= out_bool(one, "ok");
	if (j->d->format == FORMAT_NDJSON)
		out_line(one);
	else if (out_is_json(j->d))
		json_array_append(j->all, one);
	else if (!j->d->is_quiet)
		probe_print(j->d, one);
	return out_finish(CTL_EXIT_OK) == CTL_EXIT_OK;
}

/* http:// and https:// are URLs; with --class they are a proxy's link. */
static bool is_link(const struct daectl *d)
{
	static const char *const schemes[] = { "socks5:", "socks:", "direct:",
					       "iface:" };
	const char *text = d->args[0];

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (!strncmp(text, schemes[i], strlen(schemes[i])))
			return true;
	return daectl_has(d, OPT_CLASS) &&
	       (!strncmp(text, "http:", 5) || !strncmp(text, "https:", 6));
}

static bool is_class_wanted(const char *list, enum check_class c)
{
	const char *name = check_class_name(c);
	size_t len;

	for (; list && *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (!strncmp(name, list, len) && strlen(name) - len <= 1)
			return true;
	}
	return false;
}

static int use_node(struct ask *j)
{
	const char *classes = j->d->opt[OPT_CLASS];
	const char *text = j->d->args[0];
	char why[WHY_MAX] = "";
	size_t n = 0;
	int r;

	if (!strcmp(text, "direct"))
		text = "direct://";
	r = config_link_parse(j->arena, text, strlen(text), &j->node, why,
			      sizeof(why));
	if (r < 0)
		return out_usage("%s: %s", text, why);
	j->node.insecure |= daectl_has(j->d, OPT_INSECURE);
	j->a.node = &j->node;
	for (unsigned int c = 0; c < CHECK_NODE_COUNT; c++)
		if (is_class_wanted(classes ? classes : "tcp,udp", c))
			j->items[n++] = (struct alone_item){
				c, (uint8_t)check_class_family(c)
			};
	j->a.item_count = n;
	return n ? CTL_EXIT_OK
		 : out_usage("--class: tcp, udp, quic, not '%s'", classes);
}

static int use_monitor(struct ask *j)
{
	const char *text = j->d->args[0];
	char why[WHY_MAX] = "";
	enum check_class cls;

	if (config_monitor_parse(j->arena, text, strlen(text), &j->monitor, why,
				 sizeof(why)) < 0)
		return out_usage("%s: %s", text, why);
	j->monitor.insecure |= daectl_has(j->d, OPT_INSECURE);
	cls = job_build_monitor_class(j->monitor.kind);
	j->a.monitor = &j->monitor;
	j->items[0] = (struct alone_item){ cls, 4 };
	j->items[1] = (struct alone_item){ cls, 6 };
	j->a.item_count = 2;
	return CTL_EXIT_OK;
}

/* Leave what --family, or a literal address, excludes. */
static int keep_family(struct ask *j)
{
	int64_t family = daectl_number(j->d, OPT_FAMILY, 6, 0);
	const struct config_monitor *m = j->a.monitor;
	struct addr literal;
	size_t n = 0;

	if (family < 0)
		return CTL_EXIT_USAGE;
	if (m && family == 0 && m->family)
		family = m->family;
	if (m && family == 0 && addr_parse(m->host, &literal) == 0)
		family = literal.family;
	for (size_t i = 0; i < j->a.item_count; i++)
		if (family == 0 || j->items[i].family == family)
			j->items[n++] = j->items[i];
	j->a.item_count = n;
	return n ? CTL_EXIT_OK : out_usage("--family: 4 or 6");
}

/* A loopback server is good enough for one probe. */
static bool first_nameserver(const char *text, struct addr *ret)
{
	char word[64];

	for (; text; text = strchr(text, '\n')) {
		text += strspn(text, "\n");
		if (sscanf(text, "nameserver %63s", word) == 1 &&
		    addr_parse(word, ret) == 0)
			return true;
	}
	return false;
}

static int use_resolver(struct ask *j)
{
	const char *given = j->d->opt[OPT_RESOLVER];
	auto_free char *text = NULL;
	struct resolvers found;
	ssize_t n;

	n = fd_read_file(RESOLV_CONF, RESOLV_MAX, &text);
	if (resolvers_choose(&found, given, NULL, text,
			     n > 0 ? (size_t)n : 0) == 0) {
		j->a.resolver = found.servers[0].addr;
		j->a.resolver_port = found.servers[0].port;
		return CTL_EXIT_OK;
	}
	if (given)
		return out_usage("--resolver: ADDR or ADDR:PORT, not '%s'",
				 given);
	j->a.resolver_port = 53;
	if (n > 0 && first_nameserver(text, &j->a.resolver))
		return CTL_EXIT_OK;
	/* only a name needs one: it fails then, and says why */
	addr_parse("127.0.0.1", &j->a.resolver);
	return CTL_EXIT_OK;
}

static int prepare(struct ask *j)
{
	static const char defaults[] = "global {} routing { fallback: direct }";
	auto_diags struct config_diags diags = { 0 };
	struct daectl *d = j->d;
	int64_t rounds = daectl_number(d, OPT_NUMBER, ROUNDS_MAX, 1);
	int r;

	if (rounds < 0)
		return CTL_EXIT_USAGE;
	j->a.rounds = rounds ? (uint32_t)rounds : 1;
	j->a.timeout_ms = daectl_has(d, OPT_TIMEOUT) ? (uint32_t)d->timeout_ms
						     : TIMEOUT_MS;
	if (j->a.timeout_ms < 1 || j->a.timeout_ms > 600000)
		return out_usage("--timeout: 1ms to 10m");
	j->a.pause_ms = PAUSE_MS;
	j->a.items = j->items;
	j->a.on_answer = on_answer;
	j->a.ctx = j;
	j->arena = arena_new();
	j->all = json_array();
	if (!j->arena || !j->all ||
	    config_parse(&j->config, defaults, strlen(defaults), &diags) < 0)
		return out_fail(CTL_EXIT_FAILED, NULL, "out of memory");
	j->a.config = j->config;
	r = is_link(d) || !strcmp(d->args[0], "direct") ? use_node(j)
							: use_monitor(j);
	if (r == CTL_EXIT_OK)
		r = keep_family(j);
	return r == CTL_EXIT_OK ? use_resolver(j) : r;
}

static int print_all(struct ask *j)
{
	auto_json json_t *env = NULL;

	if (!out_is_json(j->d) || j->d->format == FORMAT_NDJSON)
		return CTL_EXIT_OK;
	env = out_envelope(CTL_PROBE_SCHEMA, json_incref(j->all));
	return env ? out_json(j->d, env) : CTL_EXIT_FAILED;
}

static int probe_all(struct ask *j)
{
	char why[WHY_MAX] = "";
	int r;

	r = alone_run(&j->a, why, sizeof(why));
	if (r < 0)
		return out_fail(CTL_EXIT_FAILED, NULL, "%s", why);
	r = print_all(j);
	if (r != CTL_EXIT_OK)
		return r;
	return j->was_bad || !j->was_good ? CTL_EXIT_FAILED : CTL_EXIT_OK;
}

int run_probe_alone(struct daectl *d)
{
	struct ask j = { .d = d };
	int r;

	if (daectl_has(d, OPT_COMMIT))
		return out_usage("--commit does not go with --standalone");
	r = prepare(&j);
	if (r == CTL_EXIT_OK)
		r = probe_all(&j);
	json_decref(j.all);
	config_free(&j.config);
	arena_free(&j.arena);
	return r;
}
