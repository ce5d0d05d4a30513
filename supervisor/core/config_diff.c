/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/config_diff.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/config_parse.h"

#define DETAIL_MAX 400
#define NAMED_MAX 8 /* members that are named, of those that came or went */

static const char *const what_names[] = {
	[DIFF_RULE] = "rule",	      [DIFF_FALLBACK] = "fallback",
	[DIFF_GROUP] = "group",	      [DIFF_NODE] = "node",
	[DIFF_KEY] = "key",	      [DIFF_MONITOR] = "monitor",
	[DIFF_UPSTREAM] = "upstream", [DIFF_SUBSCRIPTION] = "subscription",
};
static_assert(ARRAY_LEN(what_names) == DIFF_WHAT_COUNT, "name the new kind");

static const char *const how_names[] = {
	[DIFF_ADDED] = "added",
	[DIFF_REMOVED] = "removed",
	[DIFF_CHANGED] = "changed",
	[DIFF_MOVED] = "moved",
};
static_assert(ARRAY_LEN(how_names) == DIFF_HOW_COUNT, "name the new change");

const char *diff_what_name(enum diff_what w)
{
	return (unsigned int)w < DIFF_WHAT_COUNT ? what_names[w] : "?";
}

const char *diff_how_name(enum diff_how h)
{
	return (unsigned int)h < DIFF_HOW_COUNT ? how_names[h] : "?";
}

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

void config_diff_add(struct config_diff *d, const struct diff_entry *what,
		     const struct config *c, const struct config_pos *pos)
{
	struct diff_entry *e, *more;
	size_t cap;

	if (d->count == d->cap) {
		cap = d->cap ? 2 * d->cap : 32;
		more = reallocarray(d->entries, cap, sizeof(*more));
		if (!more) {
			d->has_failed = true;
			return;
		}
		d->entries = more;
		d->cap = cap;
	}
	e = &d->entries[d->count++];
	*e = (struct diff_entry){ .what = what->what, .how = what->how };
	if (!copy_text(&e->name, what->name) ||
	    !copy_text(&e->detail, what->detail))
		d->has_failed = true;
	if (!pos || !pos->line || pos->file >= c->file_count)
		return;
	e->line = pos->line;
	if (!copy_text(&e->file, c->files[pos->file].path))
		d->has_failed = true;
}

void config_diff_clear(struct config_diff *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->entries[i].name);
		free(d->entries[i].detail);
		free(d->entries[i].file);
	}
	free(d->entries);
	*d = (struct config_diff){ .count = 0 };
}

/* --- nodes --- */

static void diff_nodes(struct config_diff *d, const struct config *old,
		       const struct config *new)
{
	char detail[64];

	for (size_t i = 0; i < new->node_count; i++) {
		const struct config_node *n = &new->nodes[i];
		const struct config_node *o = config_find_node(old, n->name);
		struct diff_entry e = { DIFF_NODE, DIFF_CHANGED, n->name,
					detail,	   NULL,	 0 };

		if (o && o->identity == n->identity)
			continue;
		e.how = o ? DIFF_CHANGED : DIFF_ADDED;
		snprintf(detail, sizeof(detail), "%s%s",
			 o ? "another link: " : "",
			 n->scheme_text ? n->scheme_text
					: node_scheme_name(n->scheme));
		config_diff_add(d, &e, new, &n->pos);
	}
	for (size_t i = 0; i < old->node_count; i++) {
		const struct config_node *o = &old->nodes[i];
		struct diff_entry e = { DIFF_NODE, DIFF_REMOVED, o->name,
					NULL,	   NULL,	 0 };

		if (!config_find_node(new, o->name))
			config_diff_add(d, &e, old, &o->pos);
	}
}

/* --- groups --- */

static bool has_member(const struct config *c, const struct config_group *g,
		       const char *name)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (strcmp(c->nodes[g->members[i].node].name, name) == 0)
			return true;
	return false;
}

/* Members of @g that @other lacks, as ", + a, + b". */
static size_t list_missing(struct text_out *o, char sign,
			   const struct config *c, const struct config_group *g,
			   const struct config *other_c,
			   const struct config_group *other)
{
	size_t n = 0;

	for (size_t i = 0; i < g->member_count; i++) {
		const char *name = c->nodes[g->members[i].node].name;

		if (has_member(other_c, other, name))
			continue;
		if (n++ < NAMED_MAX)
			text_put(o, "%s%c %s", o->len ? ", " : "", sign, name);
	}
	if (n > NAMED_MAX)
		text_put(o, ", %c %zu more", sign, n - NAMED_MAX);
	return n;
}

static bool same_members(const struct config *a, const struct config_group *ga,
			 const struct config *b, const struct config_group *gb)
{
	if (ga->member_count != gb->member_count)
		return false;
	for (size_t i = 0; i < ga->member_count; i++) {
		const struct group_member *ma = &ga->members[i];
		const struct group_member *mb = &gb->members[i];

		if (strcmp(a->nodes[ma->node].name, b->nodes[mb->node].name) ||
		    ma->add_latency_ns != mb->add_latency_ns)
			return false;
	}
	return true;
}

static void put_policy(struct text_out *o, const struct config_group *g)
{
	text_put(o, "%s", group_policy_name(g->policy));
	if (g->policy == POLICY_FIXED)
		text_put(o, "(%u)", g->fixed_index);
}

/* What is different of two groups of one name, nothing: "". */
static void compare_group(struct text_out *o, const struct config *a,
			  const struct config_group *ga, const struct config *b,
			  const struct config_group *gb)
{
	size_t came;

	if (ga->policy != gb->policy || ga->fixed_index != gb->fixed_index) {
		put_policy(o, ga);
		text_put(o, " -> ");
		put_policy(o, gb);
	}
	if (ga->on_all_dead != gb->on_all_dead)
		text_put(o, "%son_all_dead", o->len ? ", " : "");
	if (ga->check_interval_ns != gb->check_interval_ns)
		text_put(o, "%scheck_interval", o->len ? ", " : "");
	if (ga->check_tolerance_ns != gb->check_tolerance_ns ||
	    ga->has_tolerance != gb->has_tolerance)
		text_put(o, "%scheck_tolerance", o->len ? ", " : "");
	came = list_missing(o, '+', b, gb, a, ga);
	if (came + list_missing(o, '-', a, ga, b, gb) == 0 &&
	    !same_members(a, ga, b, gb))
		text_put(o, "%sorder or latency of its nodes",
			 o->len ? ", " : "");
}

static void diff_groups(struct config_diff *d, const struct config *old,
			const struct config *new)
{
	char detail[DETAIL_MAX];

	for (size_t i = 0; i < new->group_count; i++) {
		const struct config_group *g = &new->groups[i];
		const struct config_group *was = config_find_group(old,
								   g->name);
		struct text_out o = { .buf = detail, .cap = sizeof(detail) };
		struct diff_entry e = { DIFF_GROUP, DIFF_ADDED, g->name,
					detail,	    NULL,	0 };

		if (was) {
			e.how = DIFF_CHANGED;
			compare_group(&o, old, was, new, g);
			if (o.len == 0)
				continue;
		} else {
			put_policy(&o, g);
			text_put(&o, ", %zu nodes", g->member_count);
		}
		config_diff_add(d, &e, new, &g->pos);
	}
	for (size_t i = 0; i < old->group_count; i++) {
		const struct config_group *g = &old->groups[i];
		struct diff_entry e = { DIFF_GROUP, DIFF_REMOVED, g->name,
					NULL,	    NULL,	  0 };

		if (!config_find_group(new, g->name))
			config_diff_add(d, &e, old, &g->pos);
	}
}

int config_diff_make(struct config_diff *ret, const struct config *old,
		     const struct config *new)
{
	*ret = (struct config_diff){ .count = 0 };
	config_diff_rules(ret, old, new);
	diff_groups(ret, old, new);
	diff_nodes(ret, old, new);
	config_diff_keys(ret, old, new);
	return ret->has_failed ? -ENOMEM : 0;
}
