/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"
#include "supervisor/compile/task_private.h"

#define BUFFER_FIRST (64U << 10)

bool task_value_file(const struct rule_value *v, char *file,
		     const char **ret_code)
{
	const char *colon;

	if (v->key == RULE_KEY_GEOSITE || v->key == RULE_KEY_GEOIP) {
		strcpy(file, v->key == RULE_KEY_GEOSITE ? "geosite.dat"
							: "geoip.dat");
		*ret_code = v->text;
		return true;
	}
	if (v->key != RULE_KEY_EXT)
		return false;
	file[0] = '\0';
	*ret_code = "";
	colon = strrchr(v->text, ':');
	if (!colon || colon == v->text || v->text[0] == '.' ||
	    colon - v->text > (ptrdiff_t)TASK_FILE_NAME_MAX ||
	    memchr(v->text, '/', (size_t)(colon - v->text)))
		return true;
	memcpy(file, v->text, (size_t)(colon - v->text));
	file[colon - v->text] = '\0';
	*ret_code = colon + 1;
	return true;
}

bool task_has_text(enum rule_fn fn, enum rule_key key)
{
	return fn == RULE_DOMAIN || fn == RULE_PNAME || key == RULE_KEY_GEOIP ||
	       key == RULE_KEY_EXT;
}

static void put_pos(struct wcur *w, const struct config_pos *p)
{
	wcur_u16(w, p->file);
	wcur_u16(w, p->column);
	wcur_u32(w, p->line);
}

static void put_value(struct wcur *w, enum rule_fn fn,
		      const struct rule_value *v)
{
	wcur_u8(w, (uint8_t)v->key);
	put_pos(w, &v->pos);
	if (task_has_text(fn, v->key)) {
		wcur_str(w, v->text, TASK_TEXT_MAX);
		return;
	}
	switch (fn) {
	case RULE_DIP:
	case RULE_SIP:
		wcur_u8(w, v->prefix.addr.family);
		wcur_bytes(w, v->prefix.addr.b, 16);
		wcur_u8(w, v->prefix.len);
		break;
	case RULE_DPORT:
	case RULE_SPORT:
		wcur_u16(w, v->range.lo);
		wcur_u16(w, v->range.hi);
		break;
	case RULE_MAC:
		wcur_bytes(w, v->mac, 6);
		break;
	default:
		wcur_u8(w, v->number);
	}
}

static void put_cond(struct wcur *w, const struct rule_cond *c)
{
	wcur_u8(w, (uint8_t)c->fn);
	wcur_u8(w, c->negate);
	put_pos(w, &c->pos);
	wcur_u32(w, (uint32_t)c->value_count);
	for (size_t i = 0; i < c->value_count; i++)
		put_value(w, c->fn, &c->values[i]);
}

static void put_outbound(struct wcur *w, const struct rule_outbound *o)
{
	wcur_u8(w, (uint8_t)o->action);
	wcur_u8(w, o->must);
	wcur_u8(w, o->has_mark);
	wcur_u32(w, o->mark);
	wcur_u32(w, (uint32_t)o->group);
	put_pos(w, &o->pos);
}

static void put_routing(struct wcur *w, const struct config_routing *r)
{
	wcur_u32(w, (uint32_t)r->rule_count);
	for (size_t i = 0; i < r->rule_count; i++) {
		const struct config_rule *rule = &r->rules[i];

		put_pos(w, &rule->pos);
		put_outbound(w, &rule->out);
		wcur_u32(w, (uint32_t)rule->cond_count);
		for (size_t k = 0; k < rule->cond_count; k++)
			put_cond(w, &rule->conds[k]);
	}
	put_outbound(w, &r->fallback);
}

static void put_texts(struct wcur *w, const char *const *texts, size_t count,
		      size_t max)
{
	wcur_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		wcur_str(w, texts[i], max);
}

static void put_request(struct wcur *w, const struct task_request *q)
{
	wcur_u64(w, TASK_REQUEST_MAGIC);
	wcur_u32(w, TASK_VERSION);
	wcur_u32(w, q->kind);
	wcur_u64(w, q->seed);
	wcur_u32(w, (uint32_t)q->group_count);
	for (size_t i = 0; i < q->group_count; i++)
		wcur_u16(w, q->group_ids[i]);
	put_texts(w, q->files, q->file_count, TASK_FILE_NAME_MAX);
	if (q->kind == TASK_COMPILE)
		put_routing(w, q->routing);
	put_texts(w, q->names, q->name_count, NAMESET_NAME_MAX);
}

static int too_long(struct task_error *e, const struct config_pos *pos,
		    const char *text)
{
	e->pos = *pos;
	snprintf(e->text, sizeof(e->text), "%s", text);
	return -E2BIG;
}

/* What the format does not hold is said at its place. */
static int check_texts(const struct config_routing *r, struct task_error *e)
{
	for (size_t i = 0; i < r->rule_count; i++) {
		for (size_t k = 0; k < r->rules[i].cond_count; k++) {
			const struct rule_cond *c = &r->rules[i].conds[k];

			for (size_t n = 0; n < c->value_count; n++)
				if (task_has_text(c->fn, c->values[n].key) &&
				    strlen(c->values[n].text) > TASK_TEXT_MAX)
					return too_long(e, &c->values[n].pos,
							"the value has more "
							"than 4096 bytes");
		}
	}
	return 0;
}

int task_request_encode(const struct task_request *q, void **ret,
			size_t *ret_len, struct task_error *e)
{
	size_t cap = BUFFER_FIRST;
	auto_free void *buf = NULL;
	struct wcur w;
	void *p;
	int r = q->kind == TASK_COMPILE ? check_texts(q->routing, e) : 0;

	if (r < 0)
		return r;
	for (; cap <= TASK_REQUEST_MAX; cap *= 2) {
		p = realloc(buf, cap);
		if (!p)
			return -ENOMEM;
		buf = p;
		wcur_init(&w, buf, cap);
		put_request(&w, q);
		if (wcur_finish(&w) == 0) {
			*ret_len = w.len;
			*ret = TAKE_PTR(buf);
			return 0;
		}
	}
	return too_long(e, &(struct config_pos){ 0 },
			"the rules are larger than 64 MiB");
}
