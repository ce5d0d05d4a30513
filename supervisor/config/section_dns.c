/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/entries.h"
#include "supervisor/config/keys.h"
#include "supervisor/config/url.h"

#define UPSTREAMS_MAX 256U
#define TTL_MAX 31536000U /* a year */

enum dns_side { SIDE_REQUEST, SIDE_RESPONSE };

static const char later[] = "a DNS role arrives with a later version";

static key_fn read_prefer, read_ttls, read_upstreams, read_routing,
	read_request, read_response, read_bind, check_fallback_request,
	check_fallback_response;

static const struct key keys[] = {
	KEY("upstream", read_upstreams, KEY_NOWHERE, .is_section = true),
	KEY("ipversion_prefer", read_prefer, KEY_NOWHERE, .max = 6,
	    .later = later),
	KEY("fixed_domain_ttl", read_ttls, KEY_NOWHERE, .is_section = true,
	    .later = later),
	KEY("bind", read_bind, KEY_NOWHERE, .later = later),
	KEY("optimistic_cache", key_bool, KEY_NOWHERE, .later = later),
	KEY("optimistic_cache_ttl", key_u32, KEY_NOWHERE, .max = UINT32_MAX,
	    .later = later),
	KEY("max_cache_size", key_u32, KEY_NOWHERE, .max = UINT32_MAX,
	    .later = later),
	KEY("routing", read_routing, KEY_NOWHERE, .is_section = true,
	    .later = later),
	{ .name = NULL },
};

static const struct key routing_keys[] = {
	KEY("request", read_request, KEY_NOWHERE, .is_section = true),
	KEY("response", read_response, KEY_NOWHERE, .is_section = true),
	{ .name = NULL },
};

static const struct key request_keys[] = {
	KEY("fallback", check_fallback_request, KEY_NOWHERE),
	{ .name = NULL },
};
static const struct key response_keys[] = {
	KEY("fallback", check_fallback_response, KEY_NOWHERE),
	{ .name = NULL },
};

static const char *const qname_keys[] = { "suffix", "full",	"keyword",
					  "regex",  "geosite",	"ext",
					  "domain", "contains", NULL };
static const char *const request_functions[] = { "qname", "qtype",   "sub",
						 "node",  "subnode", NULL };
static const char *const response_functions[] = { "qname", "qtype", "upstream",
						  "ip", NULL };
static const char *const request_targets[] = { "asis", "reject", NULL };
static const char *const response_targets[] = { "accept", "reject", NULL };

static void read_prefer(struct config_ctx *c, const struct key *k,
			const struct ast_item *item, void *out DAE_UNUSED)
{
	uint32_t v = 0;

	key_u32(c, k, item, &v);
	if (v != 0 && v != 4 && v != 6)
		ctx_error(c, keys_value(item), NULL,
			  "'ipversion_prefer' takes 0, 4 or 6");
}

static void read_bind(struct config_ctx *c, const struct key *k,
		      const struct ast_item *item, void *out DAE_UNUSED)
{
	const char *text = keys_text(c, item), *scheme;
	char why[160], *url;
	uint16_t port;
	struct url u;

	if (!text)
		return;
	scheme = strstr(text, "://") ? "" : "udp://";
	url = ctx_mem(c, arena_printf(c->scratch, "%s%s", scheme, text));
	if (!url)
		return;
	if (url_parse(c->scratch, url, strlen(url), &u, why, sizeof(why)) < 0 ||
	    url_port(&u, 0, &port, why, sizeof(why)) < 0 ||
	    (strcmp(u.scheme, "udp") != 0 && strcmp(u.scheme, "tcp") != 0 &&
	     strcmp(u.scheme, "tcp+udp") != 0 &&
	     strcmp(u.scheme, "udp+tcp") != 0))
		ctx_error(c, keys_value(item), "as in 'tcp+udp://127.0.0.1:53'",
			  "'%s' expects ADDRESS:PORT", k->name);
}

static void check_ttl(struct config_ctx *c, const struct entry *e)
{
	uint64_t ttl;

	if (e->tag_len == 0)
		ctx_error(c, &e->at, "as in 'example.org: 60'",
			  "an entry is 'DOMAIN: SECONDS'");
	else if (text_parse_uint(e->value, TTL_MAX, &ttl) < 0)
		ctx_error(c, &e->at, NULL,
			  "a TTL is a number of seconds, at most a year");
}

static void read_ttls(struct config_ctx *c, const struct key *k DAE_UNUSED,
		      const struct ast_item *item, void *out DAE_UNUSED)
{
	entries_decode(c, item, check_ttl);
}

static bool check_upstream_url(struct config_ctx *c, const struct entry *e)
{
	static const struct {
		const char *name;
		uint16_t port;
	} schemes[] = {
		{ "udp", 53 },	   { "tcp", 53 },  { "tcp+udp", 53 },
		{ "udp+tcp", 53 }, { "tls", 853 }, { "quic", 853 },
		{ "https", 443 },  { "h3", 443 },  { "http3", 443 },
	};
	const char *names[ARRAY_LEN(schemes) + 1], *near;
	char why[160];
	uint16_t port;
	struct url u;
	size_t i;
	int r;

	r = url_parse(c->scratch, e->value, strlen(e->value), &u, why,
		      sizeof(why));
	for (i = 0; r == 0 && i < ARRAY_LEN(schemes); i++)
		if (strcmp(u.scheme, schemes[i].name) == 0)
			break;
	if (r == 0 && i == ARRAY_LEN(schemes)) {
		for (i = 0; i < ARRAY_LEN(schemes); i++)
			names[i] = schemes[i].name;
		names[i] = NULL;
		near = text_suggest(u.scheme, names);
		snprintf(why, sizeof(why), "unknown scheme '%.32s'%s%s%s",
			 u.scheme, near ? ": did you mean '" : "",
			 near ? near : "", near ? "'?" : "");
		r = -1;
	}
	if (r == 0)
		r = url_check_host(&u, why, sizeof(why));
	if (r == 0)
		r = url_port(&u, schemes[i].port, &port, why, sizeof(why));
	if (r < 0)
		ctx_error(c, &e->at, NULL, "bad upstream: %s", why);
	return r == 0;
}

static const struct config_upstream *find_upstream(const struct config *cfg,
						   const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < cfg->dns.upstream_count; i++)
		if (strlen(cfg->dns.upstreams[i].name) == len &&
		    memcmp(cfg->dns.upstreams[i].name, name, len) == 0)
			return &cfg->dns.upstreams[i];
	return NULL;
}

static void add_upstream(struct config_ctx *c, const struct entry *e)
{
	struct config_dns *dns = &c->config->dns;
	struct config_upstream u = { .pos = e->at.pos }, *slot;

	if (e->tag_len == 0) {
		ctx_error(c, &e->at, "as in googledns: 'udp://8.8.8.8'",
			  "an upstream needs a name");
		return;
	}
	if (find_upstream(c->config, e->tag, e->tag_len)) {
		ctx_error(c, &e->at, NULL, "upstream '%.*s' exists already",
			  (int)e->tag_len, e->tag);
		return;
	}
	if (dns->upstream_count >= UPSTREAMS_MAX)
		ctx_error(c, &e->at, NULL, "more than %u upstreams",
			  UPSTREAMS_MAX);
	if (dns->upstream_count >= UPSTREAMS_MAX || !check_upstream_url(c, e))
		return;
	u.name = ctx_mem(c, arena_strndup(c->arena, e->tag, e->tag_len));
	u.url = ctx_mem(c, arena_strndup(c->arena, e->value, strlen(e->value)));
	if (!u.name || !u.url)
		return;
	slot = ctx_mem(c, arena_push(c->arena, &dns->upstreams,
				     &dns->upstream_count, sizeof(*slot)));
	if (slot)
		*slot = u;
}

static void read_upstreams(struct config_ctx *c, const struct key *k DAE_UNUSED,
			   const struct ast_item *item, void *out DAE_UNUSED)
{
	entries_decode(c, item, add_upstream);
}

static bool is_word_of(const struct ast_text *t, const char *const *words)
{
	for (; *words; words++)
		if (ast_is(t, *words))
			return true;
	return false;
}

/* asis, accept, reject or an upstream, without parameters. */
static void check_target(struct config_ctx *c, const struct ast_func *f,
			 const char *const *words)
{
	char hint[96];

	if (f->has_list || f->negate)
		ctx_error(c, &f->name, NULL,
			  "a target of DNS rules takes no parameters");
	else if (!is_word_of(&f->name, words) &&
		 !find_upstream(c->config, f->name.s, f->name.len) &&
		 !c->has_syntax_errors)
		ctx_error(c, &f->name,
			  ctx_suggest(&f->name, words, hint, sizeof(hint)),
			  "'%.*s' is no upstream", (int)f->name.len, f->name.s);
}

static void check_func(struct config_ctx *c, const struct ast_func *f,
		       const char *const *functions)
{
	char hint[96];
	size_t i;

	if (!is_word_of(&f->name, functions)) {
		ctx_error(c, &f->name,
			  ctx_suggest(&f->name, functions, hint, sizeof(hint)),
			  "unknown function '%.*s'", (int)f->name.len,
			  f->name.s);
		return;
	}
	for (i = 0; ast_is(&f->name, "qname") && i < f->param_count; i++) {
		const struct ast_param *p = &f->params[i];

		if (!p->key.s)
			ctx_error(c, &p->value, "as in qname(suffix: x.com)",
				  "a value of qname() needs a key");
		else if (!is_word_of(&p->key, qname_keys))
			ctx_error(c, &p->key,
				  ctx_suggest(&p->key, qname_keys, hint,
					      sizeof(hint)),
				  "qname() does not know the key '%.*s'",
				  (int)p->key.len, p->key.s);
	}
}

static void check_fallback(struct config_ctx *c, const struct ast_item *item,
			   const char *const *words)
{
	struct ast_func f = { .name = *keys_value(item) };

	if (item->func_count > 0 || item->literal_count != 1)
		ctx_error(c, keys_value(item), NULL,
			  "'fallback' takes one word");
	else
		check_target(c, &f, words);
}

static void check_fallback_request(struct config_ctx *c,
				   const struct key *k DAE_UNUSED,
				   const struct ast_item *item,
				   void *out DAE_UNUSED)
{
	check_fallback(c, item, request_targets);
}

static void check_fallback_response(struct config_ctx *c,
				    const struct key *k DAE_UNUSED,
				    const struct ast_item *item,
				    void *out DAE_UNUSED)
{
	check_fallback(c, item, response_targets);
}

static void read_side(struct config_ctx *c, const struct ast_item *section,
		      enum dns_side side)
{
	bool is_request = side == SIDE_REQUEST, has_fallback = false;
	struct ast_item one = *section;
	const struct ast_item *item;
	size_t i, k;

	for (i = 0; i < section->item_count; i++) {
		item = &section->items[i];
		has_fallback |= ast_is(&item->name, "fallback");
		if (item->kind != AST_RULE) {
			one.items = &section->items[i];
			one.item_count = 1;
			keys_decode(c, &one,
				    is_request ? request_keys : response_keys,
				    NULL);
			continue;
		}
		for (k = 0; k < item->func_count; k++)
			check_func(c, &item->funcs[k],
				   is_request ? request_functions
					      : response_functions);
		check_target(c, &item->out,
			     is_request ? request_targets : response_targets);
	}
	if (!has_fallback && !c->has_syntax_errors)
		ctx_error(c, &section->name,
			  is_request ? "as in 'fallback: "
				       "asis'"
				     : "as in 'fallback: accept'",
			  "'%.*s' has no fallback", (int)section->name.len,
			  section->name.s);
}

static void read_request(struct config_ctx *c, const struct key *k DAE_UNUSED,
			 const struct ast_item *item, void *out DAE_UNUSED)
{
	read_side(c, item, SIDE_REQUEST);
}

static void read_response(struct config_ctx *c, const struct key *k DAE_UNUSED,
			  const struct ast_item *item, void *out DAE_UNUSED)
{
	read_side(c, item, SIDE_RESPONSE);
}

static void read_routing(struct config_ctx *c, const struct key *k DAE_UNUSED,
			 const struct ast_item *item, void *out DAE_UNUSED)
{
	keys_decode(c, item, routing_keys, NULL);
}

/* Upstreams first, wherever they stand: the rules name them. */
void section_dns(struct config_ctx *c, const struct ast_item *section)
{
	struct ast_item one = *section;
	size_t i, pass;

	c->config->dns.is_present = true;
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < section->item_count; i++) {
			one.items = &section->items[i];
			one.item_count = 1;
			if (ast_is(&one.items->name, "upstream") == (pass == 0))
				keys_decode(c, &one, keys, NULL);
		}
	}
}
