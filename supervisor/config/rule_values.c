/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/rule_values.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/text.h"

#define VALUES_MAX 1000000U /* of one function */
#define PNAME_LEN 15U	    /* the kernel's TASK_COMM_LEN - 1 */

struct reader {
	struct config_ctx *ctx;
	struct rule_cond *cond;
	const struct ast_param *param;
	const char *text; /* the value, terminated, in the scratch arena */
	const struct key_name *keys;
};

/* Reads reader->text into *v; false: reported. */
typedef bool value_fn(struct reader *r, struct rule_value *v);

struct key_name {
	const char *name;
	enum rule_key key;
};

static value_fn read_domain, read_prefix, read_range, read_l4proto,
	read_ipversion, read_mac, read_pname, read_dscp;

static const struct key_name domain_keys[] = {
	{ "suffix", RULE_KEY_SUFFIX },	 { "domain", RULE_KEY_SUFFIX },
	{ "keyword", RULE_KEY_KEYWORD }, { "contains", RULE_KEY_KEYWORD },
	{ "full", RULE_KEY_FULL },	 { "regex", RULE_KEY_REGEX },
	{ "geosite", RULE_KEY_GEOSITE }, { "ext", RULE_KEY_EXT },
	{ NULL, RULE_KEY_LITERAL },
};
static const struct key_name address_keys[] = {
	{ "geoip", RULE_KEY_GEOIP },
	{ "ext", RULE_KEY_EXT },
	{ NULL, RULE_KEY_LITERAL },
};
static const struct key_name no_keys[] = { { NULL, RULE_KEY_LITERAL } };

static const struct {
	const char *name; /* the first of a function is its own name */
	enum rule_fn fn;
	value_fn *read;
	const struct key_name *keys;
} functions[] = {
	{ "domain", RULE_DOMAIN, read_domain, domain_keys },
	{ "dip", RULE_DIP, read_prefix, address_keys },
	{ "ip", RULE_DIP, read_prefix, address_keys },
	{ "sip", RULE_SIP, read_prefix, address_keys },
	{ "dport", RULE_DPORT, read_range, no_keys },
	{ "port", RULE_DPORT, read_range, no_keys },
	{ "sport", RULE_SPORT, read_range, no_keys },
	{ "l4proto", RULE_L4PROTO, read_l4proto, no_keys },
	{ "ipversion", RULE_IPVERSION, read_ipversion, no_keys },
	{ "mac", RULE_MAC, read_mac, no_keys },
	{ "pname", RULE_PNAME, read_pname, no_keys },
	{ "dscp", RULE_DSCP, read_dscp, no_keys },
};

/* What v2fly's lists call private: reserved for local or special use. */
static const char *const private_prefixes[] = {
	"0.0.0.0/8",	  "10.0.0.0/8",	    "100.64.0.0/10", "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/3",    "::/127",	     "fc00::/7",
	"fe80::/10",	  "ff00::/8",
};

const char *rule_fn_name(enum rule_fn fn)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(functions); i++)
		if (functions[i].fn == fn)
			return functions[i].name;
	return "?";
}

static bool set_text(struct reader *r, struct rule_value *v, const char *s,
		     size_t len)
{
	v->text = ctx_mem(r->ctx, arena_strndup(r->ctx->arena, s, len));
	return v->text != NULL;
}

static bool is_domain_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("-.^_", c));
}

/* Lower case, without the dot at the end. A suffix that begins with a dot means
 * the names below it only. Characters that no name has are dae's warning. */
static bool read_domain(struct reader *r, struct rule_value *v)
{
	size_t len = strlen(r->text), i;

	if (v->key == RULE_KEY_LITERAL)
		v->key = RULE_KEY_SUFFIX;
	if (v->key == RULE_KEY_REGEX || v->key == RULE_KEY_EXT)
		return set_text(r, v, r->text, len);
	if (v->key != RULE_KEY_GEOSITE && len > 1 && r->text[len - 1] == '.')
		len--;
	if (!set_text(r, v, r->text, len))
		return false;
	for (i = 0; i < len; i++) {
		if ((v->key == RULE_KEY_FULL || v->key == RULE_KEY_SUFFIX) &&
		    !is_domain_char(v->text[i])) {
			ctx_warn(r->ctx, &r->param->value,
				 "names have the characters 0-9 a-z - . _",
				 "no domain is like '%s'; the value is skipped",
				 r->text);
			return false;
		}
		v->text[i] = (char)tolower((unsigned char)v->text[i]);
	}
	return true;
}

static bool read_prefix(struct reader *r, struct rule_value *v)
{
	const char *hint = NULL;

	if (v->key != RULE_KEY_LITERAL)
		return set_text(r, v, r->text, strlen(r->text));
	if (prefix_parse(r->text, &v->prefix) == 0)
		return true;
	if (isalpha((unsigned char)r->text[0]) && !strchr(r->text, ':'))
		hint = "names belong into domain(...), countries into "
		       "geoip:CODE";
	ctx_error(r->ctx, &r->param->value, hint,
		  "'%s' is no address and no prefix", r->text);
	return false;
}

static bool read_port(const char *s, const char *end, uint16_t *ret)
{
	unsigned int n = 0;

	if (s == end || end - s > 5)
		return false;
	for (; s < end; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		n = n * 10 + (unsigned int)(*s - '0');
	}
	*ret = (uint16_t)n;
	return n <= UINT16_MAX;
}

static bool read_range(struct reader *r, struct rule_value *v)
{
	const char *end = r->text + strlen(r->text),
		   *dash = strchr(r->text, '-');
	bool ok;

	ok = read_port(r->text, dash ? dash : end, &v->range.lo);
	v->range.hi = v->range.lo;
	if (ok && dash)
		ok = read_port(dash + 1, end, &v->range.hi);
	if (!ok) {
		ctx_error(r->ctx, &r->param->value, "as in 443 or 8000-8100",
			  "'%s' is no port and no range of ports", r->text);
		return false;
	}
	if (v->range.lo > v->range.hi) {
		char hint[64];

		snprintf(hint, sizeof(hint), "did you mean '%u-%u'?",
			 v->range.hi, v->range.lo);
		ctx_error(r->ctx, &r->param->value, hint,
			  "the range '%s' is reversed and never matches",
			  r->text);
		return false;
	}
	return true;
}

static bool read_l4proto(struct reader *r, struct rule_value *v)
{
	if (strcasecmp(r->text, "tcp") == 0)
		v->number = IPPROTO_TCP;
	else if (strcasecmp(r->text, "udp") == 0)
		v->number = IPPROTO_UDP;
	if (v->number > 0)
		return true;
	ctx_error(r->ctx, &r->param->value,
		  "it knows tcp and udp; all others are always direct",
		  "l4proto() does not know '%s'", r->text);
	return false;
}

static bool read_ipversion(struct reader *r, struct rule_value *v)
{
	if (strcmp(r->text, "4") == 0 || strcmp(r->text, "6") == 0) {
		v->number = (uint8_t)(r->text[0] - '0');
		return true;
	}
	ctx_error(r->ctx, &r->param->value, NULL,
		  "ipversion() takes 4 or 6, got '%s'", r->text);
	return false;
}

static bool read_mac(struct reader *r, struct rule_value *v)
{
	const char *p = r->text;
	unsigned int byte;
	size_t i;
	int n = 0;

	for (i = 0; i < 6; i++, p += 3) {
		if (!isxdigit((unsigned char)p[0]) ||
		    !isxdigit((unsigned char)p[1]) ||
		    sscanf(p, "%2x%n", &byte, &n) != 1 || n != 2 ||
		    p[2] != (i < 5 ? ':' : '\0'))
			break;
		v->mac[i] = (uint8_t)byte;
	}
	if (i == 6)
		return true;
	ctx_error(r->ctx, &r->param->value, "as in '02:42:ac:11:00:02'",
		  "'%s' is no MAC address", r->text);
	return false;
}

static bool read_pname(struct reader *r, struct rule_value *v)
{
	size_t len = strlen(r->text);

	return set_text(r, v, r->text, MIN(len, PNAME_LEN));
}

static bool read_dscp(struct reader *r, struct rule_value *v)
{
	uint64_t n;

	if (text_parse_uint(r->text, 63, &n) < 0) {
		ctx_error(r->ctx, &r->param->value, NULL,
			  "dscp() takes a number from 0 to 63, got '%s'",
			  r->text);
		return false;
	}
	v->number = (uint8_t)n;
	return true;
}

static bool find_key(struct reader *r, enum rule_key *ret)
{
	const struct ast_text *t = &r->param->key;
	const char *names[ARRAY_LEN(domain_keys)];
	char hint[96];
	size_t i;

	*ret = RULE_KEY_LITERAL;
	if (!t->s)
		return true;
	for (i = 0; r->keys[i].name; i++) {
		names[i] = r->keys[i].name;
		if (ast_is(t, names[i])) {
			*ret = r->keys[i].key;
			return true;
		}
	}
	names[i] = NULL;
	ctx_error(r->ctx, t,
		  i == 0 ? "text that contains ':' must be quoted"
			 : ctx_suggest(t, names, hint, sizeof(hint)),
		  "%s() does not know the key '%.*s'",
		  rule_fn_name(r->cond->fn), (int)t->len, t->s);
	return false;
}

static struct rule_value *push_value(struct reader *r)
{
	struct rule_cond *cond = r->cond;

	if (cond->value_count >= VALUES_MAX)
		return ctx_mem(r->ctx, NULL);
	return ctx_mem(r->ctx,
		       arena_push(r->ctx->arena, &cond->values,
				  &cond->value_count, sizeof(*cond->values)));
}

/* geoip:private needs no data file: its prefixes stand in its place. */
static bool expand_private(struct reader *r)
{
	struct rule_value *v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(private_prefixes); i++) {
		v = push_value(r);
		if (!v)
			return false;
		v->pos = r->param->value.pos;
		prefix_parse(private_prefixes[i], &v->prefix);
	}
	return true;
}

static bool read_value(struct reader *r, value_fn *read)
{
	const struct ast_text *t = &r->param->value;
	struct rule_value v = { .pos = t->pos }, *slot;

	if (memchr(t->s, '\0', t->len) || t->len == 0) {
		ctx_error(r->ctx, t, NULL,
			  "the value is empty or has a byte "
			  "of zero in it");
		return false;
	}
	r->text = ctx_mem(r->ctx, arena_strndup(r->ctx->scratch, t->s, t->len));
	if (!r->text || !find_key(r, &v.key))
		return false;
	if (v.key == RULE_KEY_GEOIP && strcasecmp(r->text, "private") == 0)
		return expand_private(r);
	if (!read(r, &v))
		return false;
	slot = push_value(r);
	if (slot)
		*slot = v;
	return slot != NULL;
}

static const char *suggest_function(const struct ast_text *t, char *buf,
				    size_t cap)
{
	const char *names[ARRAY_LEN(functions) + 1];
	size_t i;

	for (i = 0; i < ARRAY_LEN(functions); i++)
		names[i] = functions[i].name;
	names[i] = NULL;
	return ctx_suggest(t, names, buf, cap);
}

bool rule_cond_read(struct config_ctx *c, const struct ast_func *from,
		    struct rule_cond *ret)
{
	struct reader r = { .ctx = c, .cond = ret };
	char hint[96];
	size_t i, k;
	bool ok = true;

	for (i = 0; i < ARRAY_LEN(functions); i++)
		if (ast_is(&from->name, functions[i].name))
			break;
	if (i == ARRAY_LEN(functions)) {
		ctx_error(c, &from->name,
			  suggest_function(&from->name, hint, sizeof(hint)),
			  "unknown function '%.*s'", (int)from->name.len,
			  from->name.s);
		return false;
	}
	*ret = (struct rule_cond){ .fn = functions[i].fn,
				   .negate = from->negate,
				   .pos = from->name.pos };
	r.keys = functions[i].keys;
	for (k = 0; k < from->param_count; k++) {
		r.param = &from->params[k];
		ok &= read_value(&r, functions[i].read) ||
		      ret->fn == RULE_DOMAIN;
	}
	return ok;
}
