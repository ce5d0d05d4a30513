/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/filter.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "supervisor/config/filter_look.h"
#include "supervisor/config/keys.h"

enum match_kind { MATCH_EXACT, MATCH_KEYWORD, MATCH_REGEX, MATCH_NEVER };

struct match {
	enum match_kind kind;
	const char *text;
	struct filter_pattern pattern;
};

struct filter_func {
	bool is_subtag; /* else the name */
	bool negate;
	struct match *matches; /* joined by OR */
	size_t count;
};

struct filter {
	struct filter_func *funcs; /* joined by AND */
	size_t count;
	int64_t add_latency_ns;
};

static const char *const function_names[] = { "name", "subtag", NULL };
static const char *const name_keys[] = { "keyword", "regex", NULL };
static const char *const subtag_keys[] = { "regex", NULL };

static void compile_regex(struct config_ctx *c, const struct ast_text *t,
			  struct match *m)
{
	const char *why;
	int r = filter_pattern_compile(t->s, t->len, &m->pattern, &why);

	m->kind = MATCH_NEVER;
	if (r == 0)
		m->kind = MATCH_REGEX;
	else if (r == -EOPNOTSUPP)
		ctx_warn(c, t, NULL,
			 "the pattern matches nothing: %s are not "
			 "supported in filters",
			 why);
	else if (r == -ENOMEM)
		ctx_mem(c, NULL);
	else
		ctx_error(c, t, NULL, "bad regular expression: %s", why);
}

static bool compile_match(struct config_ctx *c, const struct filter_func *f,
			  const struct ast_param *p, struct match *m)
{
	const char *const *keys = f->is_subtag ? subtag_keys : name_keys;
	char hint[96];

	m->text = ctx_mem(c,
			  arena_strndup(c->scratch, p->value.s, p->value.len));
	if (!m->text)
		return false;
	m->kind = MATCH_EXACT;
	if (!p->key.s)
		return true;
	if (ast_is(&p->key, "regex")) {
		compile_regex(c, &p->value, m);
		return true;
	}
	if (ast_is(&p->key, "keyword") && !f->is_subtag) {
		m->kind = MATCH_KEYWORD;
		return true;
	}
	ctx_error(c, &p->key, ctx_suggest(&p->key, keys, hint, sizeof(hint)),
		  "%s() does not know the key '%.*s'",
		  f->is_subtag ? "subtag" : "name", (int)p->key.len, p->key.s);
	return false;
}

static bool compile_func(struct config_ctx *c, const struct ast_func *from,
			 struct filter_func *f)
{
	char hint[96];
	size_t i;

	f->negate = from->negate;
	f->is_subtag = ast_is(&from->name, "subtag");
	if (!f->is_subtag && !ast_is(&from->name, "name")) {
		ctx_error(c, &from->name,
			  ctx_suggest(&from->name, function_names, hint,
				      sizeof(hint)),
			  "unknown filter function '%.*s'", (int)from->name.len,
			  from->name.s);
		return false;
	}
	f->matches = ctx_mem(c, arena_alloc(c->scratch, from->param_count,
					    sizeof(*f->matches)));
	if (!f->matches)
		return false;
	for (i = 0; i < from->param_count; i++) {
		if (!compile_match(c, f, &from->params[i], &f->matches[i]))
			return false;
		f->count++;
	}
	return true;
}

/* [add_latency: DURATION]; of several the first that is not 0 counts. */
static bool read_notes(struct config_ctx *c, const struct ast_item *item,
		       int64_t *ret)
{
	static const char *const names[] = { "add_latency", NULL };
	const struct ast_param *p;
	char hint[96], *text;
	int64_t ns;
	size_t i;

	for (i = 0; i < item->note_count; i++) {
		p = &item->notes[i];
		if (!ast_is(&p->key, "add_latency")) {
			const struct ast_text *at = p->key.s ? &p->key
							     : &p->value;

			ctx_error(c, at,
				  ctx_suggest(at, names, hint, sizeof(hint)),
				  "a filter's annotation is "
				  "[add_latency: DURATION]");
			return false;
		}
		text = ctx_mem(c, arena_strndup(c->scratch, p->value.s,
						p->value.len));
		if (!text || text_parse_duration(text, &ns) < 0) {
			ctx_error(c, &p->value,
				  "a duration has a unit: 500ms, -1s",
				  "'add_latency' expects a duration");
			return false;
		}
		if (*ret == 0)
			*ret = ns;
	}
	return true;
}

struct filter *filter_new(struct config_ctx *c, const struct ast_item *item)
{
	struct filter *f = ctx_mem(c, arena_alloc(c->scratch, 1, sizeof(*f)));
	size_t i;

	if (!f)
		return NULL;
	if (item->func_count == 0) {
		ctx_error(c, keys_value(item), "as in name(keyword: HK)",
			  "'filter' expects name(...) or subtag(...)");
		return NULL;
	}
	f->funcs = ctx_mem(c, arena_alloc(c->scratch, item->func_count,
					  sizeof(*f->funcs)));
	if (!f->funcs || !read_notes(c, item, &f->add_latency_ns))
		return NULL;
	for (i = 0; i < item->func_count; i++) {
		f->count++;
		if (!compile_func(c, &item->funcs[i], &f->funcs[i])) {
			filter_release(f);
			return NULL;
		}
	}
	return f;
}

void filter_release(struct filter *f)
{
	size_t i, k;

	for (i = 0; f && i < f->count; i++)
		for (k = 0; k < f->funcs[i].count; k++)
			if (f->funcs[i].matches[k].kind == MATCH_REGEX)
				filter_pattern_free(
					&f->funcs[i].matches[k].pattern);
}

static bool match_hits(const struct match *m, const char *text)
{
	switch (m->kind) {
	case MATCH_EXACT:
		return strcmp(text, m->text) == 0;
	case MATCH_KEYWORD:
		return strstr(text, m->text) != NULL;
	case MATCH_REGEX:
		return filter_pattern_matches(&m->pattern, text);
	default:
		return false;
	}
}

static bool func_hits(const struct filter_func *f, const struct config_node *n)
{
	const char *text = f->is_subtag ? n->subtag : n->name;
	bool hit = false;
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (f->negate && f->matches[i].kind == MATCH_NEVER)
			return false; /* not known to be no match either */
		hit |= text && match_hits(&f->matches[i], text);
	}
	return hit != f->negate;
}

bool filter_hits(const struct filter *f, const struct config_node *n)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (!func_hits(&f->funcs[i], n))
			return false;
	return true;
}

int64_t filter_add_latency_ns(const struct filter *f)
{
	return f->add_latency_ns;
}
