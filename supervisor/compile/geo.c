/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/geo.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/compile/geo_wire.h"

#include "supervisor/compile/geo.pb-c.h"

#define HEAD 256 /* bytes in which an entry's code is looked for first */
#define POOL (16U << 10) /* for one item; larger ones are damage */

enum { LIST_ENTRY = 1 };				    /* of a list */
enum { ENTRY_CODE = 1, ENTRY_ITEM = 2, ENTRY_INVERSE = 3 }; /* of an entry */

struct entry {
	uint64_t at; /* of its first byte in the file */
	uint32_t len;
	char code[GEO_CODE_MAX + 1];
};

struct geo_file {
	int fd;
	uint64_t size;
	struct entry *entries;
	size_t count, capacity;
	uint8_t *buf; /* one entry */
	size_t buf_size;
	size_t used; /* of the pool */
	union {
		max_align_t align;
		uint8_t bytes[POOL];
	} pool;
};

static int DAE_PRINTF(3, 4)
	fail(struct geo_error *e, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return r;
}

static int damaged(struct geo_error *e, uint64_t at)
{
	return fail(e, -EBADMSG, "the file is damaged at byte %llu",
		    (unsigned long long)at);
}

/* All of the bytes, or an error. */
static int read_at(const struct geo_file *g, void *buf, size_t len, uint64_t at,
		   struct geo_error *e)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = pread(g->fd, (uint8_t *)buf + have, len - have,
			  (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, -errno, "the file cannot be read: %s",
				    strerror(errno));
		if (n == 0)
			return fail(
				e, -EBADMSG,
				"the file became shorter while it was read");
		have += (size_t)n;
	}
	return 0;
}

static int load_entry(struct geo_file *g, const struct entry *x,
		      struct geo_error *e)
{
	uint8_t *p;

	if (x->len > g->buf_size) {
		p = realloc(g->buf, x->len);
		if (!p)
			return fail(e, -ENOMEM, "out of memory");
		g->buf = p;
		g->buf_size = x->len;
	}
	return read_at(g, g->buf, x->len, x->at, e);
}

static bool set_code(struct entry *x, const uint8_t *data, uint64_t len)
{
	if (len == 0 || len > GEO_CODE_MAX || memchr(data, '\0', len))
		return false;
	memcpy(x->code, data, len);
	x->code[len] = '\0';
	return true;
}

/* All generators write the code first; one that did not is searched whole. */
static int read_code(struct geo_file *g, struct entry *x, struct geo_error *e)
{
	struct geo_cursor c;
	struct geo_field f;
	uint8_t head[HEAD];
	size_t n = MIN(x->len, (uint32_t)sizeof(head));
	int r;

	if (n == 0)
		return 0;
	r = read_at(g, head, n, x->at, e);
	if (r < 0)
		return r;
	c = (struct geo_cursor){ head, head + n };
	if (geo_next(&c, &f) == 1 && f.number == ENTRY_CODE &&
	    f.type == GEO_LEN)
		return set_code(x, f.data, f.value) ? 0 : damaged(e, x->at);
	r = load_entry(g, x, e);
	if (r < 0)
		return r;
	c = (struct geo_cursor){ g->buf, g->buf + x->len };
	while ((r = geo_next(&c, &f)) > 0)
		if (f.number == ENTRY_CODE && f.type == GEO_LEN)
			return set_code(x, f.data, f.value) ? 0
							    : damaged(e, x->at);
	return r < 0 ? damaged(e, x->at) : 0; /* without a code: not meant */
}

static int add_entry(struct geo_file *g, uint64_t at, uint64_t len,
		     struct geo_error *e)
{
	struct entry *p;
	size_t want;
	int r;

	if (len > GEO_ENTRY_MAX)
		return fail(e, -EFBIG, "a list has more than %u MiB",
			    GEO_ENTRY_MAX >> 20);
	if (g->count == GEO_ENTRIES_MAX)
		return fail(e, -EFBIG, "the file has more than %u lists",
			    GEO_ENTRIES_MAX);
	if (g->count == g->capacity) {
		want = g->capacity ? g->capacity * 2 : 64;
		p = reallocarray(g->entries, want, sizeof(*p));
		if (!p)
			return fail(e, -ENOMEM, "out of memory");
		g->entries = p;
		g->capacity = want;
	}
	p = &g->entries[g->count];
	*p = (struct entry){ .at = at, .len = (uint32_t)len };
	r = read_code(g, p, e);
	if (r == 0 && p->code[0])
		g->count++;
	return r;
}

/* The tag and length in front of the entry at @at; *ret_next is behind it. */
static int scan_one(struct geo_file *g, uint64_t at, uint64_t *ret_next,
		    struct geo_error *e)
{
	uint8_t head[32];
	size_t n = (size_t)MIN((uint64_t)sizeof(head), g->size - at), used;
	const uint8_t *end = head + n;
	uint64_t tag, len;
	int r;

	r = read_at(g, head, n, at, e);
	if (r < 0)
		return r;
	used = geo_varint(head, end, &tag);
	if (!used || tag >> 3 == 0)
		return damaged(e, at);
	n = geo_varint(head + used, end, &len);
	if ((tag & 7) == GEO_VARINT && n) {
		*ret_next = at + used + n;
		return 0;
	}
	if ((tag & 7) != GEO_LEN || !n || len > g->size - at - used - n)
		return damaged(e, at);
	at += used + n;
	*ret_next = at + len;
	return tag >> 3 == LIST_ENTRY ? add_entry(g, at, len, e) : 0;
}

static int scan(struct geo_file *g, struct geo_error *e)
{
	uint64_t at = 0;
	int r = 0;

	while (r == 0 && at < g->size)
		r = scan_one(g, at, &at, e);
	if (r == 0 && !g->count)
		r = fail(e, -EBADMSG, "the file holds no list");
	return r;
}

int geo_open(struct geo_file **ret, int fd, struct geo_error *e)
{
	struct geo_file *g = calloc(1, sizeof(*g));
	off_t size;
	int r = 0;

	if (!g)
		return fail(e, -ENOMEM, "out of memory");
	g->fd = fd;
	size = lseek(fd, 0, SEEK_END); /* a call less than asking for more */
	if (size < 0)
		r = fail(e, -EINVAL, "it is no file: %s", strerror(errno));
	else if (size > (off_t)GEO_FILE_MAX)
		r = fail(e, -EFBIG, "the file has more than %u MiB",
			 GEO_FILE_MAX >> 20);
	if (r == 0) {
		g->size = (uint64_t)size;
		r = scan(g, e);
	}
	if (r < 0)
		geo_free(&g);
	*ret = g;
	return r;
}

void geo_free(struct geo_file **gp)
{
	struct geo_file *g = TAKE_PTR(*gp);

	if (!g)
		return;
	free(g->entries);
	free(g->buf);
	free(g);
}

/* Memory for one item, all given back at once; more than it has is damage. */
static void *pool_alloc(void *ctx, size_t size)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	struct geo_file *g = ctx;
	void *p;

	if (size > POOL || rounded > POOL - g->used)
		return NULL;
	p = g->pool.bytes + g->used;
	g->used += rounded;
	return p;
}

static void pool_free(void *ctx DAE_UNUSED, void *p DAE_UNUSED)
{
}

static int no_code(const struct geo_file *g, const char *code,
		   struct geo_error *e)
{
	auto_free const char **names = calloc(g->count + 1, sizeof(*names));
	auto_free char *lower = calloc(g->count + 1, GEO_CODE_MAX + 1);
	char want[GEO_CODE_MAX + 1];
	const char *near = NULL;
	size_t i, k;

	snprintf(want, sizeof(want), "%s", code);
	for (k = 0; want[k]; k++)
		want[k] = (char)tolower((unsigned char)want[k]);
	for (i = 0; names && lower && i < g->count; i++) {
		names[i] = lower + i * (GEO_CODE_MAX + 1);
		for (k = 0; g->entries[i].code[k]; k++)
			lower[i * (GEO_CODE_MAX + 1) + k] = (char)tolower(
				(unsigned char)g->entries[i].code[k]);
	}
	if (names && lower)
		near = text_suggest(want, names);
	if (near)
		return fail(e, -ENOENT,
			    "it has no list '%.64s': did you mean '%s'?", code,
			    near);
	return fail(e, -ENOENT, "none of its %zu lists is called '%.64s'",
		    g->count, code);
}

/* What the two kinds of lists have in common. */
struct walk {
	struct geo_file *g;
	ProtobufCAllocator allocator;
	char code[GEO_CODE_MAX + 1];
	const char *attributes[GEO_ATTRIBUTES_MAX];
	size_t attribute_count;
	geo_domain_fn *on_domain;
	geo_prefix_fn *on_prefix;
	void *ctx;
	bool is_inverse;
};

static bool has_attribute(const Dae__Geo__Domain *d, const char *key)
{
	for (size_t i = 0; i < d->n_attribute; i++)
		if (strcasecmp(d->attribute[i]->key, key) == 0)
			return true;
	return false;
}

/* 1: the item is no message of its kind. */
static int take_domain(struct walk *w, const struct geo_field *f)
{
	struct geo_domain out;
	Dae__Geo__Domain *d;

	d = dae__geo__domain__unpack(&w->allocator, (size_t)f->value, f->data);
	if (!d || d->type > GEO_FULL)
		return 1;
	for (size_t i = 0; i < w->attribute_count; i++)
		if (!has_attribute(d, w->attributes[i]))
			return 0;
	out.type = (enum geo_domain_type)d->type;
	out.value = (const char *)d->value.data;
	out.len = d->value.len;
	return w->on_domain(w->ctx, &out);
}

static void mask_host_bits(struct prefix *p)
{
	unsigned int from = p->len + (p->addr.family == 4 ? 96U : 0U);

	for (unsigned int i = 0; i < 16; i++) {
		if (from >= 8 * i + 8)
			continue;
		p->addr.b[i] &= (uint8_t)(from <= 8 * i
						  ? 0
						  : 0xff00 >> (from - 8 * i));
	}
}

static int take_prefix(struct walk *w, const struct geo_field *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct prefix p = { .addr.family = 6 };
	Dae__Geo__Cidr *c;
	uint32_t len;

	c = dae__geo__cidr__unpack(&w->allocator, (size_t)f->value, f->data);
	if (!c || (c->ip.len != 4 && c->ip.len != 16))
		return 1;
	memcpy(p.addr.b, mapped, sizeof(mapped));
	memcpy(p.addr.b + 16 - c->ip.len, c->ip.data, c->ip.len);
	len = c->prefix;
	if (c->ip.len == 16 && len >= 96 &&
	    memcmp(p.addr.b, mapped, sizeof(mapped)) == 0) {
		len -= 96;
		p.addr.family = 4;
	} else if (c->ip.len == 4) {
		p.addr.family = 4;
	}
	if (len > (p.addr.family == 4 ? 32U : 128U))
		return 0;
	p.len = (uint8_t)len;
	mask_host_bits(&p);
	return w->on_prefix(w->ctx, &p);
}

static int walk_entry(struct walk *w, const struct entry *x,
		      struct geo_error *e)
{
	struct geo_cursor c;
	struct geo_field f;
	int r, k;

	r = load_entry(w->g, x, e);
	if (r < 0)
		return r;
	c = (struct geo_cursor){ w->g->buf, w->g->buf + x->len };
	while ((k = geo_next(&c, &f)) > 0) {
		w->g->used = 0;
		if (f.number == ENTRY_INVERSE && f.type == GEO_VARINT)
			w->is_inverse = f.value != 0;
		if (f.number != ENTRY_ITEM)
			continue;
		r = f.type != GEO_LEN ? 1
		    : w->on_domain    ? take_domain(w, &f)
				      : take_prefix(w, &f);
		if (r < 0)
			return r;
		if (r > 0)
			break;
	}
	if (k != 0)
		return damaged(e, x->at + (uint64_t)(c.p - w->g->buf));
	return 0;
}

static int walk_code(struct walk *w, struct geo_error *e)
{
	bool found = false;
	int r = 0;

	w->allocator = (ProtobufCAllocator){ .alloc = pool_alloc,
					     .free = pool_free,
					     .allocator_data = w->g };
	e->text[0] = '\0';
	for (size_t i = 0; r == 0 && i < w->g->count; i++) {
		if (strcasecmp(w->g->entries[i].code, w->code) != 0)
			continue;
		found = true;
		r = walk_entry(w, &w->g->entries[i], e);
	}
	return r == 0 && !found ? no_code(w->g, w->code, e) : r;
}

/* "CODE@ONE@TWO", taken apart in w->code. */
static int split_attributes(struct walk *w, struct geo_error *e)
{
	char *at = strchr(w->code, '@');

	while (at) {
		*at++ = '\0';
		if (!*at || *at == '@')
			return fail(e, -EINVAL,
				    "an attribute is missing "
				    "behind '@'");
		if (w->attribute_count == GEO_ATTRIBUTES_MAX)
			return fail(e, -EINVAL, "more than %u attributes",
				    GEO_ATTRIBUTES_MAX);
		w->attributes[w->attribute_count++] = at;
		at = strchr(at, '@');
	}
	return 0;
}

static int walk_init(struct walk *w, const char *what, struct geo_error *e)
{
	if (!*what || strlen(what) > GEO_CODE_MAX)
		return fail(e, -ENOENT, "no list has a name of %zu characters",
			    strlen(what));
	strcpy(w->code, what);
	return 0;
}

int geo_domains(struct geo_file *g, const char *what, geo_domain_fn *fn,
		void *ctx, struct geo_error *e)
{
	struct walk w = { .g = g, .on_domain = fn, .ctx = ctx };
	int r = walk_init(&w, what, e);

	if (r == 0)
		r = split_attributes(&w, e);
	return r < 0 ? r : walk_code(&w, e);
}

int geo_prefixes(struct geo_file *g, const char *code, geo_prefix_fn *fn,
		 void *ctx, bool *ret_inverse, struct geo_error *e)
{
	struct walk w = { .g = g, .on_prefix = fn, .ctx = ctx };
	int r = walk_init(&w, code, e);

	if (r == 0)
		r = walk_code(&w, e);
	*ret_inverse = w.is_inverse;
	return r;
}
