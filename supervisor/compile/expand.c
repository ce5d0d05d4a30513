/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/expand.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/compile/geo.h"
#include "supervisor/compile/nameset_build.h"
#include "supervisor/compile/prefixes.h"
#include "supervisor/compile/regex.h"
#include "supervisor/config/arena.h"
#include "supervisor/rules/rules.h"

struct expander {
	struct task_decoded *d;
	const int *fds;
	struct geo_file *files[TASK_FILES_MAX]; /* opened when first asked */
	struct task_report *report;
	struct nameset_builder *names;
	/* what is being read */
	const struct rule_value *value;
	unsigned int set;
	struct prefixes *prefixes;
	size_t left_out;
	char left_out_word[64];
};

static int DAE_PRINTF(3, 4)
	fail(struct expander *x, const struct config_pos *pos, const char *fmt,
	     ...)
{
	struct task_error *e = &x->report->error;
	va_list ap;

	x->report->is_error = true;
	e->pos = *pos;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void DAE_PRINTF(3, 4)
	warn(struct task_report *r, const struct config_pos *pos,
	     const char *fmt, ...)
{
	struct task_error *e;
	va_list ap;

	if (!r->warnings)
		r->warnings = calloc(TASK_WARNINGS_MAX, sizeof(*r->warnings));
	if (!r->warnings || r->warning_count == TASK_WARNINGS_MAX)
		return;
	e = &r->warnings[r->warning_count++];
	e->pos = *pos;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
}

/* A failure of geo data: of memory, or of what is in the file. */
static int geo_fail(struct expander *x, int r, const char *file,
		    const struct geo_error *e)
{
	if (r == -ENOMEM || x->report->is_error)
		return r;
	return fail(x, &x->value->pos, "%.64s: %s", file, e->text);
}

/* The open file and the list in it that the current value names. */
static int find_file(struct expander *x, struct geo_file **ret, char *name,
		     const char **ret_code)
{
	const struct task_request *q = &x->d->q;
	struct geo_error e = { .text = "" };
	size_t i;
	int r;

	task_value_file(x->value, name, ret_code);
	for (i = 0; i < q->file_count && i < TASK_FILES_MAX; i++)
		if (strcmp(q->files[i], name) == 0)
			break;
	if (i == q->file_count || i == TASK_FILES_MAX)
		return fail(x, &x->value->pos, "'%.64s' was not handed over",
			    name);
	r = x->files[i] ? 0 : geo_open(&x->files[i], x->fds[i], &e);
	*ret = x->files[i];
	return r < 0 ? geo_fail(x, r, name, &e) : 0;
}

static int add_name(struct expander *x, enum nameset_kind kind,
		    const char *word, size_t len)
{
	int r = nameset_add(x->names, x->set, kind, word, len);

	if (r == -EOVERFLOW)
		return fail(x, &x->value->pos,
			    "the names of all rules are more than can be held");
	if (r <= 0)
		return r;
	if (x->left_out++ == 0)
		snprintf(x->left_out_word, sizeof(x->left_out_word), "%.*s",
			 (int)MIN(len, (size_t)60), word);
	return 0;
}

/* An expression that is none is the list's fault: what else is in it counts. */
static int on_geo_regex(struct expander *x, const struct geo_domain *d)
{
	struct regex *probe = NULL;
	char why[160];
	int r;

	r = regex_new(&probe, d->value, d->len, why, sizeof(why));
	regex_free(&probe);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return add_name(x, NAMESET_REGEX, d->value, d->len);
	warn(x->report, &x->value->pos,
	     "an expression of the list is skipped: '%.*s': %s",
	     (int)MIN(d->len, (size_t)80), d->value, why);
	return 0;
}

static int on_domain(void *ctx, const struct geo_domain *d)
{
	static const uint8_t kinds[] = {
		[GEO_KEYWORD] = NAMESET_KEYWORD,
		[GEO_ROOT] = NAMESET_SUFFIX,
		[GEO_FULL] = NAMESET_FULL,
	};

	if (d->type == GEO_REGEX)
		return on_geo_regex(ctx, d);
	return add_name(ctx, kinds[d->type], d->value, d->len);
}

static int add_geo_names(struct expander *x)
{
	struct geo_error e = { .text = "" };
	char name[TASK_FILE_NAME_MAX + 1];
	struct geo_file *g;
	const char *code;
	int r;

	r = find_file(x, &g, name, &code);
	if (r == 0)
		r = geo_domains(g, code, on_domain, x, &e);
	return r < 0 ? geo_fail(x, r, name, &e) : 0;
}

static int add_regex(struct expander *x)
{
	const char *text = x->value->text;
	struct regex *probe = NULL;
	char why[160];
	int r;

	if (strlen(text) > NAMESET_WORD_MAX)
		return fail(x, &x->value->pos,
			    "an expression has at most %u bytes",
			    NAMESET_WORD_MAX);
	r = regex_new(&probe, text, strlen(text), why, sizeof(why));
	regex_free(&probe);
	if (r == -EINVAL)
		return fail(x, &x->value->pos,
			    "'%.80s' is no regular expression: %s", text, why);
	return r < 0 ? r : add_name(x, NAMESET_REGEX, text, strlen(text));
}

static int add_names(struct expander *x)
{
	const char *text = x->value->text;

	switch (x->value->key) {
	case RULE_KEY_GEOSITE:
	case RULE_KEY_EXT:
		return add_geo_names(x);
	case RULE_KEY_REGEX:
		return add_regex(x);
	case RULE_KEY_FULL:
		return add_name(x, NAMESET_FULL, text, strlen(text));
	case RULE_KEY_KEYWORD:
		return add_name(x, NAMESET_KEYWORD, text, strlen(text));
	default:
		return add_name(x, NAMESET_SUFFIX, text, strlen(text));
	}
}

static void tell_left_out(struct expander *x)
{
	if (x->left_out == 1)
		warn(x->report, &x->value->pos,
		     "'%s' is like no domain name, and skipped",
		     x->left_out_word);
	else if (x->left_out > 1)
		warn(x->report, &x->value->pos,
		     "%zu entries are like no domain name, and skipped, the "
		     "first is '%s'",
		     x->left_out, x->left_out_word);
	x->left_out = 0;
}

static int add_set(struct expander *x, const struct rule_cond *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->value_count; i++) {
		x->value = &c->values[i];
		r = add_names(x);
		tell_left_out(x);
	}
	return r;
}

/* An image of names for rules that ask for none is there as well. */
static int build_names(struct expander *x, struct compiled *out)
{
	struct rules_domain_sets sets = { .count = 0 };
	struct rules_error e = { .text = "" };
	int r;

	r = rules_domain_sets(&x->d->routing, &sets, &e);
	if (r < 0 && r != -ENOMEM)
		r = fail(x, &e.pos, "%s", e.text);
	if (r == 0)
		r = nameset_builder_new(&x->names, x->d->q.seed);
	for (size_t i = 0; r == 0 && i < sets.count; i++) {
		x->set = (unsigned int)i;
		r = add_set(x, sets.conds[i]);
	}
	if (r == 0)
		r = nameset_build(x->names, (unsigned int)sets.count,
				  &out->names, &out->names_len);
	if (r == -EOVERFLOW)
		r = fail(x, &(struct config_pos){ 0 },
			 "the names of all rules are more than can be held");
	rules_domain_sets_clear(&sets);
	nameset_builder_free(&x->names);
	return r;
}

static int on_prefix(void *ctx, const struct prefix *p)
{
	struct expander *x = ctx;
	int r = prefixes_add(x->prefixes, p);

	return r == -E2BIG ? fail(x, &x->value->pos,
				  "the list has more prefixes than can be held")
			   : r;
}

static int add_geo_prefixes(struct expander *x)
{
	char name[TASK_FILE_NAME_MAX + 1];
	struct geo_error e = { .text = "" };
	bool is_inverse = false;
	struct geo_file *g;
	const char *code;
	int r;

	r = find_file(x, &g, name, &code);
	if (r == 0)
		r = geo_prefixes(g, code, on_prefix, x, &is_inverse, &e);
	if (r < 0)
		return geo_fail(x, r, name, &e);
	return is_inverse ? prefixes_invert(x->prefixes) : 0;
}

/* The lists of one condition; each is turned around on its own, if so. */
static int expand_cond(struct expander *x, struct rule_cond *c)
{
	struct prefixes all = { .count = 0 }, one = { .count = 0 };
	int r = 0;

	x->prefixes = &one;
	for (size_t i = 0; r == 0 && i < c->value_count; i++) {
		if (c->values[i].key == RULE_KEY_LITERAL)
			continue;
		x->value = &c->values[i];
		r = add_geo_prefixes(x);
		if (r == 0 && all.count == 0)
			SWAP(all, one);
		for (size_t k = 0; r == 0 && k < one.count; k++)
			r = prefixes_add(&all, &one.items[k]);
		one.count = 0;
	}
	x->prefixes = NULL;
	prefixes_clear(&one);
	if (r < 0) {
		prefixes_clear(&all);
		return r == -E2BIG ? fail(x, &c->pos,
					  "the lists have more prefixes than "
					  "can be held")
				   : r;
	}
	prefixes_settle(&all);
	c->prefixes = all.items;
	c->prefix_count = all.count;
	return 0;
}

static int expand_prefixes(struct expander *x)
{
	struct config_routing *routing = &x->d->routing;
	struct rule_cond *c;
	int r = 0;

	for (size_t i = 0; r == 0 && i < routing->rule_count; i++) {
		for (size_t k = 0; k < routing->rules[i].cond_count; k++) {
			c = &routing->rules[i].conds[k];
			if (r == 0 && (c->fn == RULE_DIP || c->fn == RULE_SIP))
				r = expand_cond(x, c);
		}
	}
	return r;
}

static void drop_prefixes(struct config_routing *routing)
{
	for (size_t i = 0; i < routing->rule_count; i++) {
		for (size_t k = 0; k < routing->rules[i].cond_count; k++) {
			struct rule_cond *c = &routing->rules[i].conds[k];

			free(c->prefixes);
			c->prefixes = NULL;
			c->prefix_count = 0;
		}
	}
}

static int build_rules(struct expander *x, struct compiled *out)
{
	struct rules_options opt = { .group_ids = x->d->q.group_ids,
				     .group_count = x->d->q.group_count };
	struct rules_error e = { .text = "" };
	struct rules_image image = { .data = NULL };
	int r;

	r = expand_prefixes(x);
	for (size_t i = 0; i < TASK_FILES_MAX; i++)
		geo_free(&x->files[i]);
	if (r == 0) {
		r = rules_compile(&x->d->routing, &opt, &image, &e);
		if (r < 0 && r != -ENOMEM)
			r = fail(x, &e.pos, "%s", e.text);
	}
	drop_prefixes(&x->d->routing);
	out->rules = image.data;
	out->rules_len = image.len;
	return r;
}

int compile_match(const struct task_request *q, const void *image, size_t len,
		  struct task_report *report)
{
	struct matcher *m = NULL;
	char why[160], folded[NAMESET_NAME_MAX + 1];
	struct nameset n;
	size_t given_up = 0;
	ssize_t k;
	int r;

	r = nameset_open(image, len, &n);
	if (r == 0)
		r = matcher_new(&m, &n, why, sizeof(why));
	if (r < 0)
		return r;
	report->sets = calloc(q->name_count + 1, sizeof(*report->sets));
	if (!report->sets)
		r = -ENOMEM;
	report->set_count = r == 0 ? q->name_count : 0;
	for (size_t i = 0; r == 0 && i < q->name_count; i++) {
		k = nameset_fold(q->names[i], strlen(q->names[i]), folded);
		if (k > 0)
			r = matcher_match(m, folded, (size_t)k,
					  &report->sets[i], &given_up);
	}
	report->given_up = (uint32_t)MIN(given_up, (size_t)UINT32_MAX);
	matcher_free(&m);
	return r;
}

int compile_rules(struct task_decoded *d, const int *fds, struct compiled *ret,
		  struct task_report *report)
{
	struct expander x = { .d = d, .fds = fds, .report = report };
	struct compiled out = { .names = NULL };
	int r;

	r = build_names(&x, &out);
	if (r == 0 && d->q.name_count)
		r = compile_match(&d->q, out.names, out.names_len, report);
	if (r == 0)
		r = build_rules(&x, &out);
	for (size_t i = 0; i < TASK_FILES_MAX; i++)
		geo_free(&x.files[i]);
	if (r < 0) {
		compiled_clear(&out);
		return r;
	}
	*ret = out;
	return 0;
}

void compiled_clear(struct compiled *c)
{
	free(c->names);
	free(c->rules);
	*c = (struct compiled){ .names = NULL };
}
