/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "common/wire.h"
#include "supervisor/compile/task_private.h"

#define NOTE_BYTES (10 + sizeof(((struct task_error *)0)->text))

static void put_note(struct wcur *w, const struct task_error *e)
{
	wcur_u16(w, e->pos.file);
	wcur_u16(w, e->pos.column);
	wcur_u32(w, e->pos.line);
	wcur_str(w, e->text, sizeof(e->text) - 1);
}

int task_report_encode(const struct task_report *r, void **ret, size_t *ret_len)
{
	size_t cap = 64 + (1 + r->warning_count) * NOTE_BYTES +
		     r->set_count * sizeof(*r->sets);
	auto_free void *buf = malloc(cap);
	struct wcur w;

	if (!buf)
		return -ENOMEM;
	wcur_init(&w, buf, cap);
	wcur_u64(&w, TASK_REPORT_MAGIC);
	wcur_u32(&w, TASK_VERSION);
	wcur_u32(&w, r->is_error);
	if (r->is_error)
		put_note(&w, &r->error);
	wcur_u32(&w, (uint32_t)r->warning_count);
	for (size_t i = 0; i < r->warning_count; i++)
		put_note(&w, &r->warnings[i]);
	wcur_u32(&w, r->given_up);
	wcur_u32(&w, (uint32_t)r->set_count);
	for (size_t i = 0; i < r->set_count; i++)
		for (size_t k = 0; k < DAE_BITMAP_WORDS; k++)
			wcur_u64(&w, r->sets[i].w[k]);
	if (wcur_finish(&w) < 0)
		return -E2BIG;
	*ret_len = w.len;
	*ret = TAKE_PTR(buf);
	return 0;
}

static void get_note(struct rcur *c, struct task_error *e)
{
	char raw[sizeof(e->text)];
	size_t len;

	e->pos.file = rcur_u16(c);
	e->pos.column = rcur_u16(c);
	e->pos.line = rcur_u32(c);
	len = rcur_str(c, raw, sizeof(raw), sizeof(raw) - 1);
	text_clean(e->text, sizeof(e->text), raw, len);
}

static int get_sets(struct rcur *c, struct task_report *r)
{
	size_t count = rcur_u32(c);

	if (c->failed || count > TASK_NAMES_MAX ||
	    count != c->left / sizeof(*r->sets))
		return -EBADMSG;
	r->sets = calloc(count + 1, sizeof(*r->sets));
	if (!r->sets)
		return -ENOMEM;
	r->set_count = count;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < DAE_BITMAP_WORDS; k++)
			r->sets[i].w[k] = rcur_u64(c);
	return rcur_finish(c);
}

int task_report_decode(const void *data, size_t len, struct task_report *ret)
{
	struct task_report out = { .is_error = false };
	struct rcur c;
	uint32_t n;
	int r;

	rcur_init(&c, data, len);
	if (rcur_u64(&c) != TASK_REPORT_MAGIC || rcur_u32(&c) != TASK_VERSION)
		return -EBADMSG;
	n = rcur_u32(&c);
	out.is_error = n == 1;
	if (n > 1)
		return -EBADMSG;
	if (out.is_error)
		get_note(&c, &out.error);
	n = rcur_u32(&c);
	if (c.failed || n > TASK_WARNINGS_MAX)
		return -EBADMSG;
	out.warnings = calloc(n + 1, sizeof(*out.warnings));
	if (!out.warnings)
		return -ENOMEM;
	out.warning_count = n;
	for (size_t i = 0; i < n; i++)
		get_note(&c, &out.warnings[i]);
	out.given_up = rcur_u32(&c);
	r = get_sets(&c, &out);
	if (r < 0) {
		task_report_clear(&out);
		return r;
	}
	*ret = out;
	return 0;
}

void task_report_clear(struct task_report *r)
{
	free(r->warnings);
	free(r->sets);
	*r = (struct task_report){ .is_error = false };
}
