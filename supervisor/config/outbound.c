/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/outbound.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/config_parse.h"

#define RULE_TEXT_MAX 4000U

static bool read_param(struct config_ctx *c, const struct ast_param *p,
		       struct rule_outbound *out)
{
	static const char *const names[] = { "mark", "must", NULL };
	const struct ast_text *word = p->key.s ? &p->key : &p->value;
	char text[64], hint[96];
	uint64_t mark;

	if (!p->key.s && ast_is(&p->value, "must")) {
		out->must = true;
		return true;
	}
	if (!p->key.s || !ast_is(&p->key, "mark")) {
		ctx_error(c, word, ctx_suggest(word, names, hint, sizeof(hint)),
			  "an outbound takes 'must' and 'mark: NUMBER', not "
			  "'%.*s'",
			  (int)MIN(word->len, 40U), word->s);
		return false;
	}
	snprintf(text, sizeof(text), "%.*s", (int)MIN(p->value.len, 60U),
		 p->value.s);
	if (text_parse_uint(text, UINT32_MAX, &mark) < 0) {
		ctx_error(c, &p->value, "as in 'mark: 0x800'",
			  "'mark' expects a number of 32 bits, got '%s'", text);
		return false;
	}
	out->has_mark = true;
	out->mark = (uint32_t)mark;
	return true;
}

static const char *suggest(struct config_ctx *c, const struct ast_text *t,
			   char *buf, size_t cap)
{
	const char **names;
	size_t i;

	names = ctx_mem(c, arena_alloc(c->scratch, c->config->group_count + 3,
				       sizeof(*names)));
	if (!names)
		return NULL;
	for (i = 0; i < c->config->group_count; i++)
		names[i] = c->config->groups[i].name;
	names[i++] = "direct";
	names[i++] = "block";
	return ctx_suggest(t, names, buf, cap);
}

static bool find_target(struct config_ctx *c, const struct ast_text *at,
			const char *name, struct rule_outbound *out)
{
	struct ast_text bare = *at;
	const struct config_group *g;
	char hint[96];

	if (strcmp(name, "direct") == 0 || strcmp(name, "block") == 0) {
		out->action = *name == 'd' ? RULE_DIRECT : RULE_BLOCK;
		return true;
	}
	g = config_find_group(c->config, name);
	if (g) {
		out->action = RULE_GROUP;
		out->group = (size_t)(g - c->config->groups);
		c->config->groups[out->group].is_used = true;
		return true;
	}
	bare.s = name;
	bare.len = (uint32_t)strlen(name);
	if (!c->has_syntax_errors)
		ctx_error(c, at, suggest(c, &bare, hint, sizeof(hint)),
			  "unknown outbound '%s'", name);
	return false;
}

bool outbound_read(struct config_ctx *c, const struct ast_func *from,
		   bool is_fallback, struct rule_outbound *ret)
{
	struct rule_outbound out = { .pos = from->name.pos };
	bool ok = true;
	char *name;
	size_t i;

	name = ctx_mem(c,
		       arena_strndup(c->scratch, from->name.s, from->name.len));
	if (!name)
		return false;
	if (from->negate) {
		ctx_error(c, &from->name, NULL,
			  "an outbound cannot be negated");
		return false;
	}
	for (i = 0; i < from->param_count; i++)
		ok &= read_param(c, &from->params[i], &out);
	if (strcmp(name, "must_rules") == 0 && !is_fallback) {
		out.action = RULE_MUST_RULES;
		out.must = true;
		if (out.has_mark)
			ctx_warn(c, &from->name, NULL,
				 "a mark on must_rules has no effect");
	} else if (strncmp(name, "must_", 5) == 0) {
		out.must = true;
		ok &= find_target(c, &from->name, name + 5, &out);
	} else {
		ok &= find_target(c, &from->name, name, &out);
	}
	*ret = out;
	return ok;
}

struct rule_text {
	char buf[RULE_TEXT_MAX + 64];
	size_t len;
};

static void put(struct rule_text *o, const char *s, size_t len)
{
	size_t left = RULE_TEXT_MAX - o->len;

	len = MIN(len, left);
	memcpy(o->buf + o->len, s, len);
	o->len += len;
}

static void put_word(struct rule_text *o, const struct ast_text *t)
{
	size_t i;

	put(o, &t->quote, t->quote ? 1 : 0);
	for (i = 0; i < t->len; i++)
		put(o, t->s[i] == '\n' || t->s[i] == '\r' ? " " : &t->s[i], 1);
	put(o, &t->quote, t->quote ? 1 : 0);
}

static void put_func(struct rule_text *o, const struct ast_func *f)
{
	size_t i;

	put(o, "!", f->negate ? 1 : 0);
	put_word(o, &f->name);
	if (!f->has_list)
		return;
	put(o, "(", 1);
	for (i = 0; i < f->param_count && o->len < RULE_TEXT_MAX; i++) {
		put(o, ", ", i > 0 ? 2 : 0);
		if (f->params[i].key.s) {
			put_word(o, &f->params[i].key);
			put(o, ": ", 2);
		}
		put_word(o, &f->params[i].value);
	}
	put(o, ")", 1);
}

char *outbound_rule_text(struct config_ctx *c, const struct ast_item *rule)
{
	struct rule_text o = { .len = 0 };
	size_t i;

	for (i = 0; i < rule->func_count; i++) {
		put(&o, " && ", i > 0 ? 4 : 0);
		put_func(&o, &rule->funcs[i]);
	}
	put(&o, " -> ", 4);
	put_func(&o, &rule->out);
	if (o.len == RULE_TEXT_MAX) {
		memcpy(o.buf + o.len, "...", 3);
		o.len += 3;
	}
	return ctx_mem(c, arena_strndup(c->arena, o.buf, o.len));
}

const char *config_outbound_format(const struct config *c,
				   const struct rule_outbound *o, char *buf,
				   size_t cap)
{
	bool has_list = (o->must && o->action != RULE_MUST_RULES) ||
			o->has_mark;
	const char *name = "direct";
	char mark[32] = "";

	if (o->action == RULE_BLOCK)
		name = "block";
	else if (o->action == RULE_MUST_RULES)
		name = "must_rules";
	else if (o->action == RULE_GROUP)
		name = o->group < c->group_count ? c->groups[o->group].name
						 : "?";
	if (o->has_mark)
		snprintf(mark, sizeof(mark), "%smark: 0x%x",
			 o->must ? ", " : "", o->mark);
	snprintf(buf, cap, "%s%s%s%s%s", name, has_list ? "(" : "",
		 has_list && o->must ? "must" : "", mark, has_list ? ")" : "");
	return buf;
}
