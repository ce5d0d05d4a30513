/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/confirm_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"

#define RECORD_MAGIC 0x464e4344U
#define RECORD_VERSION 1
#define RECORD_HEAD 256 /* more than the fixed part takes */
#define RECORD_PATH_MAX 4096
#define FILE_OVERHEAD 16

int confirm_record_take(struct confirm_record *ret, const struct config *c)
{
	*ret = (struct confirm_record){ .file_count = 0 };
	ret->files = calloc(c->file_count + 1, sizeof(*ret->files));
	if (!ret->files)
		return -ENOMEM;
	for (size_t i = 0; i < c->file_count; i++) {
		struct confirm_file *f = &ret->files[ret->file_count++];

		f->path = strdup(c->files[i].path);
		f->text = malloc(c->files[i].len + 1);
		if (!f->path || !f->text) {
			confirm_record_clear(ret);
			return -ENOMEM;
		}
		memcpy(f->text, c->files[i].text, c->files[i].len);
		f->len = c->files[i].len;
		f->include = c->files[i].include;
	}
	return 0;
}

void confirm_record_clear(struct confirm_record *r)
{
	for (size_t i = 0; i < r->file_count; i++) {
		free(r->files[i].path);
		free(r->files[i].text);
	}
	free(r->files);
	*r = (struct confirm_record){ .file_count = 0 };
}

static size_t room_for(const struct confirm_record *r)
{
	size_t n = RECORD_HEAD;

	for (size_t i = 0; i < r->file_count; i++)
		n += r->files[i].len + strlen(r->files[i].path) + FILE_OVERHEAD;
	return n;
}

int confirm_record_encode(const struct confirm_record *r, uint8_t **ret,
			  size_t *ret_len)
{
	size_t cap = room_for(r);
	auto_free uint8_t *buf = cap <= CONFIRM_IMAGE_MAX ? malloc(cap) : NULL;
	struct wcur w;

	if (!buf)
		return cap <= CONFIRM_IMAGE_MAX ? -ENOMEM : -EMSGSIZE;
	wcur_init(&w, buf, cap);
	wcur_u32(&w, RECORD_MAGIC);
	wcur_u32(&w, RECORD_VERSION);
	wcur_u8(&w, r->has_gone_back);
	wcur_u64(&w, r->timeout_ms);
	wcur_u64(&w, r->deadline.wall_ms);
	wcur_u64(&w, r->deadline.boot_ms);
	wcur_str(&w, r->deadline.boot_id, CONFIRM_BOOT_ID - 1);
	wcur_u64(&w, r->refused);
	wcur_u32(&w, (uint32_t)r->file_count);
	for (size_t i = 0; i < r->file_count; i++) {
		wcur_str(&w, r->files[i].path, RECORD_PATH_MAX - 1);
		wcur_u32(&w, r->files[i].include);
		wcur_u32(&w, (uint32_t)r->files[i].len);
		wcur_bytes(&w, r->files[i].text, r->files[i].len);
	}
	if (wcur_finish(&w) < 0)
		return -EMSGSIZE;
	*ret_len = w.len;
	*ret = TAKE_PTR(buf);
	return 0;
}

static int decode_file(struct rcur *c, struct confirm_file *f)
{
	char path[RECORD_PATH_MAX];
	const uint8_t *text;
	uint32_t len;

	rcur_str(c, path, sizeof(path), sizeof(path) - 1);
	f->include = rcur_u32(c);
	len = rcur_u32(c);
	text = len <= CONFIG_FILE_MAX ? rcur_view(c, len) : NULL;
	if (c->failed || !text || !path[0])
		return -EBADMSG;
	f->path = strdup(path);
	f->text = malloc((size_t)len + 1);
	if (!f->path || !f->text)
		return -ENOMEM;
	memcpy(f->text, text, len);
	f->len = len;
	return 0;
}

static int decode_files(struct rcur *c, struct confirm_record *r)
{
	uint32_t count = rcur_u32(c);
	int e = 0;

	if (c->failed || count == 0 || count > CONFIG_FILES_MAX)
		return -EBADMSG;
	r->files = calloc(count, sizeof(*r->files));
	if (!r->files)
		return -ENOMEM;
	while (e == 0 && r->file_count < count) {
		e = decode_file(c, &r->files[r->file_count]);
		r->file_count++;
	}
	return e < 0 ? e : rcur_finish(c);
}

int confirm_record_decode(struct confirm_record *ret, const void *buf,
			  size_t len)
{
	struct confirm_record r = { .file_count = 0 };
	struct rcur c;
	uint8_t flag;
	int e;

	rcur_init(&c, buf, len);
	if (rcur_u32(&c) != RECORD_MAGIC || rcur_u32(&c) != RECORD_VERSION)
		return -EBADMSG;
	flag = rcur_u8(&c);
	r.has_gone_back = flag;
	r.timeout_ms = rcur_u64(&c);
	r.deadline.wall_ms = rcur_u64(&c);
	r.deadline.boot_ms = rcur_u64(&c);
	rcur_str(&c, r.deadline.boot_id, sizeof(r.deadline.boot_id),
		 sizeof(r.deadline.boot_id) - 1);
	r.refused = rcur_u64(&c);
	e = flag > 1 ? -EBADMSG : decode_files(&c, &r);
	if (e < 0)
		confirm_record_clear(&r);
	else
		*ret = r;
	return e;
}

uint64_t confirm_record_left_ms(const struct confirm_record *r,
				const struct confirm_clock *now)
{
	bool same = strcmp(r->deadline.boot_id, now->boot_id) == 0;
	uint64_t end = same ? r->deadline.boot_ms : r->deadline.wall_ms;
	uint64_t at = same ? now->boot_ms : now->wall_ms;

	/* a wall clock that was set back must not prolong it */
	return end > at ? MIN(end - at, r->timeout_ms) : 0;
}

/* The files as a source for the parser, which asks in the order of then. */
struct replay {
	const struct confirm_record *r;
	uint32_t includes;
};

static int replay_read(void *ctx, const char *path, char **ret_text,
		       size_t *ret_len, char *why DAE_UNUSED,
		       size_t cap DAE_UNUSED)
{
	const struct replay *p = ctx;
	const struct confirm_file *f;
	char *text;

	for (size_t i = 0; i < p->r->file_count; i++) {
		f = &p->r->files[i];
		if (strcmp(f->path, path) != 0)
			continue;
		text = malloc(f->len + 1);
		if (!text)
			return -ENOMEM;
		memcpy(text, f->text, f->len);
		text[f->len] = '\0';
		*ret_text = text;
		*ret_len = f->len;
		return 0;
	}
	return -ENOENT;
}

static int replay_glob(void *ctx, const char *pattern DAE_UNUSED,
		       char ***ret_paths, size_t *ret_count)
{
	struct replay *p = ctx;
	char **paths = calloc(p->r->file_count + 1, sizeof(*paths));
	size_t n = 0;

	if (!paths)
		return -ENOMEM;
	p->includes++;
	for (size_t i = 0; i < p->r->file_count; i++) {
		if (p->r->files[i].include != p->includes)
			continue;
		paths[n] = strdup(p->r->files[i].path);
		if (!paths[n]) {
			while (n > 0)
				free(paths[--n]);
			free(paths);
			return -ENOMEM;
		}
		n++;
	}
	*ret_paths = paths;
	*ret_count = n;
	return 0;
}

int confirm_record_parse(const struct confirm_record *r, struct config **ret,
			 struct config_diags *diags)
{
	struct replay p = { .r = r };
	const struct config_source src = { .read_file = replay_read,
					   .glob = replay_glob,
					   .ctx = &p };

	if (r->file_count == 0)
		return -ENOENT;
	return config_parse_files(ret, r->files[0].path, &src, diags);
}

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return (h ^ len) * 0x100000001b3ULL;
}

uint64_t confirm_fingerprint(const struct config *c)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < c->file_count; i++) {
		h = mix(h, c->files[i].path, strlen(c->files[i].path));
		h = mix(h, c->files[i].text, c->files[i].len);
	}
	return h ? h : 1;
}
