/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request, read: each count is held against the bytes that are left. */
#include "supervisor/compile/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "common/wire.h"
#include "supervisor/compile/task_private.h"
#include "supervisor/config/arena.h"

/* Least bytes of one of them. */
#define RULE_BYTES 31U
#define COND_BYTES 14U
#define VALUE_BYTES 10U

struct decoder {
	struct rcur c;
	struct arena *arena;
	bool no_memory;
};

/* Room for as many elements as the bytes can hold. */
static void *alloc(struct decoder *d, size_t count, size_t least, size_t size)
{
	void *p;

	if (d->c.failed || count > d->c.left / least) {
		d->c.failed = true;
		return NULL;
	}
	p = arena_alloc(d->arena, count, size);
	if (!p)
		d->no_memory = d->c.failed = true;
	return p;
}

static char *get_text(struct decoder *d, size_t max)
{
	size_t len = rcur_u16(&d->c);
	const uint8_t *p = rcur_view(&d->c, len);
	char *s;

	if (!p || len > max || memchr(p, '\0', len)) {
		d->c.failed = true;
		return NULL;
	}
	s = arena_strndup(d->arena, (const char *)p, len);
	if (!s)
		d->no_memory = d->c.failed = true;
	return s;
}

static bool get_bool(struct decoder *d)
{
	uint8_t v = rcur_u8(&d->c);

	d->c.failed |= v > 1;
	return v;
}

static struct config_pos get_pos(struct decoder *d)
{
	struct config_pos p;

	p.file = rcur_u16(&d->c);
	p.column = rcur_u16(&d->c);
	p.line = rcur_u32(&d->c);
	return p;
}

static void get_prefix(struct decoder *d, struct prefix *p)
{
	p->addr.family = rcur_u8(&d->c);
	rcur_bytes(&d->c, p->addr.b, 16);
	p->len = rcur_u8(&d->c);
	d->c.failed |= (p->addr.family != 4 || p->len > 32) &&
		       (p->addr.family != 6 || p->len > 128);
}

static bool key_fits(enum rule_fn fn, unsigned int key)
{
	if (fn == RULE_DOMAIN)
		return key == RULE_KEY_SUFFIX || key == RULE_KEY_KEYWORD ||
		       key == RULE_KEY_FULL || key == RULE_KEY_REGEX ||
		       key == RULE_KEY_GEOSITE || key == RULE_KEY_EXT;
	if (fn == RULE_DIP || fn == RULE_SIP)
		return key == RULE_KEY_LITERAL || key == RULE_KEY_GEOIP ||
		       key == RULE_KEY_EXT;
	return key == RULE_KEY_LITERAL;
}

static void get_value(struct decoder *d, enum rule_fn fn, struct rule_value *v)
{
	unsigned int key = rcur_u8(&d->c);

	v->pos = get_pos(d);
	if (!key_fits(fn, key)) {
		d->c.failed = true;
		return;
	}
	v->key = key;
	if (task_has_text(fn, v->key)) {
		v->text = get_text(d, TASK_TEXT_MAX);
		return;
	}
	switch (fn) {
	case RULE_DIP:
	case RULE_SIP:
		get_prefix(d, &v->prefix);
		break;
	case RULE_DPORT:
	case RULE_SPORT:
		v->range.lo = rcur_u16(&d->c);
		v->range.hi = rcur_u16(&d->c);
		break;
	case RULE_MAC:
		rcur_bytes(&d->c, v->mac, 6);
		break;
	default:
		v->number = rcur_u8(&d->c);
	}
}

static void get_cond(struct decoder *d, struct rule_cond *c)
{
	unsigned int fn = rcur_u8(&d->c);

	if (fn >= RULE_FN_COUNT) {
		d->c.failed = true;
		return;
	}
	c->fn = fn;
	c->negate = get_bool(d);
	c->pos = get_pos(d);
	c->value_count = rcur_u32(&d->c);
	c->values = alloc(d, c->value_count, VALUE_BYTES, sizeof(*c->values));
	for (size_t i = 0; !d->c.failed && i < c->value_count; i++)
		get_value(d, c->fn, &c->values[i]);
}

static void get_outbound(struct decoder *d, struct rule_outbound *o,
			 size_t groups)
{
	unsigned int action = rcur_u8(&d->c);

	o->must = get_bool(d);
	o->has_mark = get_bool(d);
	o->mark = rcur_u32(&d->c);
	o->group = rcur_u32(&d->c);
	o->pos = get_pos(d);
	d->c.failed |= action > RULE_MUST_RULES ||
		       (action == RULE_GROUP && o->group >= groups);
	o->action = action;
}

static void get_routing(struct decoder *d, struct config_routing *r,
			size_t groups)
{
	struct config_rule *rule;

	r->rule_count = rcur_u32(&d->c);
	r->rules = alloc(d, r->rule_count, RULE_BYTES, sizeof(*r->rules));
	for (size_t i = 0; !d->c.failed && i < r->rule_count; i++) {
		rule = &r->rules[i];
		rule->pos = get_pos(d);
		get_outbound(d, &rule->out, groups);
		rule->cond_count = rcur_u32(&d->c);
		rule->conds = alloc(d, rule->cond_count, COND_BYTES,
				    sizeof(*rule->conds));
		for (size_t k = 0; !d->c.failed && k < rule->cond_count; k++)
			get_cond(d, &rule->conds[k]);
	}
	get_outbound(d, &r->fallback, groups);
}

static const char *const *get_texts(struct decoder *d, size_t max_count,
				    size_t max, size_t *ret_count)
{
	size_t count = rcur_u32(&d->c);
	const char **list;

	d->c.failed |= count > max_count;
	list = alloc(d, count, 2, sizeof(*list));
	for (size_t i = 0; !d->c.failed && i < count; i++)
		list[i] = get_text(d, max);
	*ret_count = d->c.failed ? 0 : count;
	return list;
}

static void get_groups(struct decoder *d, struct task_request *q)
{
	size_t count = rcur_u32(&d->c);
	uint16_t *ids;

	d->c.failed |= count > RULESET_GROUPS_MAX;
	ids = alloc(d, count, 2, sizeof(*ids));
	for (size_t i = 0; !d->c.failed && i < count; i++) {
		ids[i] = rcur_u16(&d->c);
		d->c.failed |= ids[i] >= RULESET_GROUPS_MAX;
	}
	q->group_ids = ids;
	q->group_count = count;
}

static void get_request(struct decoder *d, struct task_decoded *out)
{
	struct task_request *q = &out->q;
	unsigned int kind;

	d->c.failed |= rcur_u64(&d->c) != TASK_REQUEST_MAGIC;
	d->c.failed |= rcur_u32(&d->c) != TASK_VERSION;
	kind = rcur_u32(&d->c);
	d->c.failed |= kind != TASK_COMPILE && kind != TASK_MATCH;
	q->kind = kind;
	q->seed = rcur_u64(&d->c);
	get_groups(d, q);
	q->files = get_texts(d, TASK_FILES_MAX, TASK_FILE_NAME_MAX,
			     &q->file_count);
	if (!d->c.failed && q->kind == TASK_COMPILE)
		get_routing(d, &out->routing, q->group_count);
	q->names = get_texts(d, TASK_NAMES_MAX, NAMESET_NAME_MAX,
			     &q->name_count);
}

int task_request_decode(const void *data, size_t len, struct task_decoded *ret)
{
	struct decoder d = { .no_memory = false };
	struct task_decoded out = { .arena = arena_new() };

	if (!out.arena)
		return -ENOMEM;
	d.arena = out.arena;
	rcur_init(&d.c, data, len);
	get_request(&d, &out);
	if (rcur_finish(&d.c) < 0) {
		task_decoded_clear(&out);
		return d.no_memory ? -ENOMEM : -EBADMSG;
	}
	*ret = out;
	ret->q.routing = &ret->routing;
	return 0;
}

void task_decoded_clear(struct task_decoded *d)
{
	arena_free(&d->arena);
	*d = (struct task_decoded){ .arena = NULL };
}
