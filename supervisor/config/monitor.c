/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/config_link.h"
#include "supervisor/config/keys.h"

#define MONITORS_MAX 4096U
#define MONITOR_TEXT_MAX 255U /* expect_body, expect_rdata */
#define INTERVAL_MIN_NS (100 * NS_PER_MS)
#define IFACE_MAX 15U

/* One annotation: NAME: VALUE, read into the monitor. False: @why it is not. */
typedef bool note_fn(struct config_ctx *c, const char *text,
		     struct config_monitor *m, const char **why);

enum note_use { USE_ANY, USE_HTTP, USE_DNS, USE_TLS };

static note_fn note_status, note_body, note_rcode, note_rdata, note_sni,
	note_iface, note_mark, note_insecure, note_interval, note_rise,
	note_fall, note_family;

static const struct note {
	const char *name;
	note_fn *read;
	enum note_use use;
} notes[] = {
	{ "expect_status", note_status, USE_HTTP },
	{ "expect_body", note_body, USE_HTTP },
	{ "expect_rcode", note_rcode, USE_DNS },
	{ "expect_rdata", note_rdata, USE_DNS },
	{ "sni", note_sni, USE_TLS },
	{ "iface", note_iface, USE_ANY },
	{ "mark", note_mark, USE_ANY },
	{ "insecure", note_insecure, USE_TLS },
	{ "interval", note_interval, USE_ANY },
	{ "rise", note_rise, USE_ANY },
	{ "fall", note_fall, USE_ANY },
	{ "family", note_family, USE_ANY },
};

static const char *const use_names[] = {
	[USE_ANY] = "any",
	[USE_HTTP] = "HTTP",
	[USE_DNS] = "DNS",
	[USE_TLS] = "TLS and QUIC",
};

static const char *const rcodes[] = {
	"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
};

static bool note_status(struct config_ctx *c DAE_UNUSED, const char *text,
			struct config_monitor *m, const char **why)
{
	unsigned int lo = 0, hi = 0;
	int n = 0, fields = sscanf(text, "%3u%n-%3u%n", &lo, &n, &hi, &n);

	*why = "a status or a range of them: 204, 200-299";
	if (fields == 1)
		hi = lo;
	if (fields < 1 || text[n] != '\0' || lo < 100 || hi > 599 || lo > hi)
		return false;
	m->status_min = (uint16_t)lo;
	m->status_max = (uint16_t)hi;
	return true;
}

static bool copy_text(struct config_ctx *c, const char *text, size_t max,
		      char **ret, const char **why)
{
	size_t len = strlen(text);

	*why = "a text that is not empty and not so long";
	if (len == 0 || len > max)
		return false;
	*ret = ctx_mem(c, arena_strndup(c->arena, text, len));
	return true;
}

static bool note_body(struct config_ctx *c, const char *text,
		      struct config_monitor *m, const char **why)
{
	return copy_text(c, text, MONITOR_TEXT_MAX, &m->expect_body, why);
}

static bool note_rcode(struct config_ctx *c DAE_UNUSED, const char *text,
		       struct config_monitor *m, const char **why)
{
	uint64_t n;
	size_t i;

	*why = "a DNS response code: NOERROR, NXDOMAIN, REFUSED ...";
	for (i = 0; i < ARRAY_LEN(rcodes); i++)
		if (strcasecmp(text, rcodes[i]) == 0)
			break;
	if (i < ARRAY_LEN(rcodes))
		m->expect_rcode = (int)i;
	else if (text_parse_uint(text, 15, &n) == 0)
		m->expect_rcode = (int)n;
	else
		return false;
	return true;
}

static bool note_rdata(struct config_ctx *c, const char *text,
		       struct config_monitor *m, const char **why)
{
	return copy_text(c, text, MONITOR_TEXT_MAX, &m->expect_rdata, why);
}

static bool note_sni(struct config_ctx *c, const char *text,
		     struct config_monitor *m, const char **why)
{
	return copy_text(c, text, 253, &m->sni, why);
}

static bool note_iface(struct config_ctx *c, const char *text,
		       struct config_monitor *m, const char **why)
{
	*why = "the name of an interface";
	return strlen(text) <= IFACE_MAX && !strpbrk(text, "/ \t\r\n") &&
	       copy_text(c, text, IFACE_MAX, &m->iface, why);
}

static bool note_mark(struct config_ctx *c DAE_UNUSED, const char *text,
		      struct config_monitor *m, const char **why)
{
	uint64_t n;

	*why = "a number of 32 bits";
	if (text_parse_uint(text, UINT32_MAX, &n) < 0)
		return false;
	m->mark = (uint32_t)n;
	return true;
}

static bool note_insecure(struct config_ctx *c DAE_UNUSED, const char *text,
			  struct config_monitor *m, const char **why)
{
	*why = "true or false";
	return text_parse_bool(text, &m->insecure) == 0;
}

static bool note_interval(struct config_ctx *c DAE_UNUSED, const char *text,
			  struct config_monitor *m, const char **why)
{
	int64_t ns;

	*why = "a duration of at least 100ms";
	if (text_parse_duration(text, &ns) < 0 || ns < (int64_t)INTERVAL_MIN_NS)
		return false;
	m->interval_ns = (uint64_t)ns;
	return true;
}

static bool read_count(const char *text, uint32_t *ret, const char **why)
{
	uint64_t n;

	*why = "a number from 1 to 100";
	if (text_parse_uint(text, 100, &n) < 0 || n == 0)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool note_rise(struct config_ctx *c DAE_UNUSED, const char *text,
		      struct config_monitor *m, const char **why)
{
	return read_count(text, &m->rise, why);
}

static bool note_fall(struct config_ctx *c DAE_UNUSED, const char *text,
		      struct config_monitor *m, const char **why)
{
	return read_count(text, &m->fall, why);
}

static bool note_family(struct config_ctx *c DAE_UNUSED, const char *text,
			struct config_monitor *m, const char **why)
{
	uint8_t family = strcmp(text, "4") == 0	  ? 4
			 : strcmp(text, "6") == 0 ? 6
						  : 0;

	*why = "4 or 6, and that of the address if there is one";
	if (family == 0 || (m->family != 0 && m->family != family))
		return false;
	m->family = family;
	return true;
}

static bool is_of_use(enum note_use use, enum monitor_kind kind)
{
	bool is_http = kind == MONITOR_HTTP || kind == MONITOR_HTTPS ||
		       kind == MONITOR_H3;
	bool is_dns = !is_http && kind != MONITOR_QUIC;

	if (use == USE_HTTP)
		return is_http;
	if (use == USE_DNS)
		return is_dns;
	return use == USE_ANY ||
	       (kind != MONITOR_HTTP && kind != MONITOR_DNS_UDP &&
		kind != MONITOR_DNS_TCP);
}

static const struct note *find_note(struct config_ctx *c,
				    const struct ast_text *key)
{
	const char *names[ARRAY_LEN(notes) + 1];
	char hint[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(notes); i++) {
		if (ast_is(key, notes[i].name))
			return &notes[i];
		names[i] = notes[i].name;
	}
	names[i] = NULL;
	ctx_error(c, key, ctx_suggest(key, names, hint, sizeof(hint)),
		  "a monitor does not know '%.*s'", (int)key->len, key->s);
	return NULL;
}

static void read_note(struct config_ctx *c, const struct ast_param *p,
		      struct config_monitor *m)
{
	const struct note *n;
	const char *why = "a text without a byte of zero";
	char *text;

	if (!p->key.s) {
		ctx_error(c, &p->value, "as in [interval: 10s]",
			  "an annotation of a monitor is NAME: VALUE");
		return;
	}
	n = find_note(c, &p->key);
	if (!n)
		return;
	if (!is_of_use(n->use, m->kind)) {
		ctx_error(c, &p->key, NULL,
			  "'%s' is for monitors of %s, not for %s", n->name,
			  use_names[n->use], monitor_kind_name(m->kind));
		return;
	}
	text = ctx_mem(c, arena_strndup(c->scratch, p->value.s, p->value.len));
	if (!text)
		return;
	if (strlen(text) < p->value.len || !n->read(c, text, m, &why))
		ctx_error(c, &p->value, NULL, "'%s' expects %s", n->name, why);
}

static bool check_name(struct config_ctx *c, const struct ast_text *name)
{
	const struct config_supervisor *s = &c->config->supervisor;
	size_t i;

	for (i = 0; i < s->monitor_count; i++) {
		if (ast_is(name, s->monitors[i].name)) {
			ctx_error(c, name, NULL,
				  "monitor '%.*s' exists already",
				  (int)name->len, name->s);
			return false;
		}
	}
	if (s->monitor_count < MONITORS_MAX)
		return true;
	ctx_error(c, name, NULL, "more than %u monitors", MONITORS_MAX);
	return false;
}

static void read_monitor(struct config_ctx *c, const struct ast_item *item)
{
	struct config_supervisor *s = &c->config->supervisor;
	const char *text = keys_text(c, item);
	struct config_monitor m, *slot;
	char why[192] = "";
	size_t i;
	int r;

	if (!text || !check_name(c, &item->name))
		return;
	r = config_monitor_parse(c->arena, text, strlen(text), &m, why,
				 sizeof(why));
	if (r == -ENOMEM)
		ctx_mem(c, NULL);
	else if (r < 0)
		ctx_error(c, keys_value(item), NULL, "bad monitor: %s", why);
	if (r < 0)
		return;
	m.pos = item->name.pos;
	m.name = ctx_copy(c, &item->name);
	for (i = 0; i < item->note_count; i++)
		read_note(c, &item->notes[i], &m);
	slot = m.name ? ctx_mem(c, arena_push(c->arena, &s->monitors,
					      &s->monitor_count, sizeof(*slot)))
		      : NULL;
	if (slot)
		*slot = m;
}

void monitor_read_section(struct config_ctx *c, const struct ast_item *section)
{
	size_t i;

	for (i = 0; i < section->item_count; i++) {
		if (section->items[i].kind == AST_DECLARATION)
			read_monitor(c, &section->items[i]);
		else
			ctx_error(c, &section->items[i].name,
				  "as in web: 'https://example.com/'",
				  "a monitor is NAME: 'URL'");
	}
}
