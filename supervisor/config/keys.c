/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

const struct ast_text *keys_value(const struct ast_item *item)
{
	if (item->literal_count > 0)
		return &item->literals[0];
	return item->func_count > 0 ? &item->funcs[0].name : &item->name;
}

const char *keys_text(struct config_ctx *c, const struct ast_item *item)
{
	size_t i, len = 1;
	char *text, *p;

	if (item->literal_count == 0) {
		ctx_error(c, keys_value(item), NULL,
			  "'%.*s' expects a value, not a function",
			  (int)item->name.len, item->name.s);
		return NULL;
	}
	for (i = 0; i < item->literal_count; i++)
		len += item->literals[i].len + 1;
	text = ctx_mem(c, arena_alloc(c->scratch, len, 1));
	if (!text)
		return NULL;
	for (p = text, i = 0; i < item->literal_count; i++) {
		if (i > 0)
			*p++ = ',';
		memcpy(p, item->literals[i].s, item->literals[i].len);
		p += item->literals[i].len;
	}
	if (memchr(text, '\0', (size_t)(p - text))) {
		ctx_error(c, keys_value(item), NULL,
			  "the value has a byte of zero in it");
		return NULL;
	}
	return text;
}

void keys_no_notes(struct config_ctx *c, const struct ast_item *item)
{
	if (item->note_count > 0)
		ctx_warn(c, &item->notes[0].value,
			 "annotations belong to filters and monitors",
			 "this annotation has no meaning here");
}

/* Names of the rows that may stand where a section or a value does. */
static void list_names(const struct key *keys, const char **names)
{
	size_t n = 0;

	for (; keys->name && n < KEYS_MAX; keys++)
		names[n++] = keys->name;
	names[n] = NULL;
}

const struct key *keys_find(struct config_ctx *c, const struct key *keys,
			    const struct ast_text *name, const char *what)
{
	const char *names[KEYS_MAX + 1];
	const struct key *k;
	char hint[96];

	for (k = keys; k->name; k++)
		if (ast_is(name, k->name))
			return k;
	list_names(keys, names);
	ctx_error(c, name, ctx_suggest(name, names, hint, sizeof(hint)),
		  "unknown %s '%.*s'", what, (int)name->len, name->s);
	return NULL;
}

static void report_stray(struct config_ctx *c, const struct ast_item *item)
{
	const struct ast_text *t = &item->name;
	const char *hint =
		"a value needs its key before it, as in 'key: value'";

	if (t->len >= 2 && t->s[0] == '/' && t->s[1] == '/')
		hint = "comments begin with '#'";
	else if (t->len >= 2 && t->s[0] == '/' && t->s[1] == '*')
		hint = "this comment is never closed by '*/'";
	else if (!t->quote)
		hint = "a '#' glued to a word belongs to the word: put a blank "
		       "before a comment, and commas between values";
	ctx_error(c, t, hint, "text without a key");
}

static void decode_known(struct config_ctx *c, const struct ast_item *item,
			 const struct key *k, void *base)
{
	void *out = k->offset == KEY_NOWHERE ? NULL : (char *)base + k->offset;

	if (k->is_section != (item->kind == AST_SECTION)) {
		ctx_error(c, &item->name, NULL,
			  k->is_section ? "'%s' is a section: '%s { ... }'"
					: "'%s' is a key: '%s: VALUE'",
			  k->name, k->name);
		return;
	}
	if (!k->takes_notes && item->has_notes)
		keys_no_notes(c, item);
	if (k->later && ctx_once(c, k))
		ctx_warn(c, &item->name, NULL, "'%s' has no effect: %s",
			 k->name, k->later);
	k->read(c, k, item, out);
}

void keys_decode(struct config_ctx *c, const struct ast_item *section,
		 const struct key *keys, void *base)
{
	const struct ast_item *item;
	const struct key *k;
	size_t i;

	for (i = 0; i < section->item_count; i++) {
		item = &section->items[i];
		if (item->kind == AST_RULE) {
			ctx_error(c, &item->name, "rules stand in routing { }",
				  "a rule cannot stand in '%.*s'",
				  (int)section->name.len, section->name.s);
			continue;
		}
		if (item->kind == AST_LITERAL) {
			report_stray(c, item);
			continue;
		}
		k = keys_find(c, keys, &item->name,
			      item->kind == AST_SECTION ? "section" : "key");
		if (k)
			decode_known(c, item, k, base);
	}
}

void key_bool(struct config_ctx *c, const struct key *k,
	      const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);
	bool value;

	if (!text)
		return;
	if (text_parse_bool(text, &value) < 0)
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects true or false, got '%s'", k->name,
			  text);
	else if (out)
		*(bool *)out = value;
}

static bool read_number(struct config_ctx *c, const struct key *k,
			const struct ast_item *item, uint64_t *ret)
{
	const char *text = keys_text(c, item), *hint = NULL;

	if (!text)
		return false;
	if (text_parse_uint(text, k->max, ret) == 0 && *ret >= k->min)
		return true;
	if (strchr(text, '#'))
		hint = "a '#' glued to a word belongs to the word: put a blank "
		       "before a comment";
	ctx_error(c, keys_value(item), hint,
		  "'%s' expects a number from %" PRIu64 " to %" PRIu64
		  ", got '%s'",
		  k->name, k->min, k->max, text);
	return false;
}

void key_u16(struct config_ctx *c, const struct key *k,
	     const struct ast_item *item, void *out)
{
	uint64_t v;

	if (read_number(c, k, item, &v) && out)
		*(uint16_t *)out = (uint16_t)v;
}

void key_u32(struct config_ctx *c, const struct key *k,
	     const struct ast_item *item, void *out)
{
	uint64_t v;

	if (read_number(c, k, item, &v) && out)
		*(uint32_t *)out = (uint32_t)v;
}

void key_u64(struct config_ctx *c, const struct key *k,
	     const struct ast_item *item, void *out)
{
	uint64_t v;

	if (read_number(c, k, item, &v) && out)
		*(uint64_t *)out = v;
}

void key_duration(struct config_ctx *c, const struct key *k,
		  const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);
	char lo[32], hi[32];
	uint64_t value, max = k->max > 0 ? k->max : INT64_MAX;
	int64_t ns;

	if (!text)
		return;
	if (text_parse_duration(text, &ns) < 0) {
		ctx_error(c, keys_value(item),
			  "a duration has a unit: 500ms, 30s, 1m30s, 2h",
			  "'%s' expects a duration, got '%s'", k->name, text);
		return;
	}
	value = ns < 0 ? 0 : (uint64_t)ns;
	if (ns < 0 || value < k->min || value > max) {
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects a duration from %s to %s, got '%s'",
			  k->name, text_format_duration(k->min, lo),
			  text_format_duration(max, hi), text);
		return;
	}
	if (out)
		*(uint64_t *)out = value;
}

void key_size(struct config_ctx *c, const struct key *k,
	      const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);
	uint64_t value, max = k->max > 0 ? k->max : INT64_MAX;

	if (!text)
		return;
	if (text_parse_size(text, &value) < 0) {
		ctx_error(c, keys_value(item), "sizes: 65536, 512K, 64M, 1G",
			  "'%s' expects a size, got '%s'", k->name, text);
		return;
	}
	if (value < k->min || value > max) {
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects a size from %" PRIu64 " to %" PRIu64
			  " bytes, got '%s'",
			  k->name, k->min, max, text);
		return;
	}
	if (out)
		*(uint64_t *)out = value;
}

void key_string(struct config_ctx *c, const struct key *k,
		const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item);

	if (!text)
		return;
	if (text[0] == '\0') {
		ctx_error(c, keys_value(item), NULL, "'%s' is empty", k->name);
		return;
	}
	if (out)
		*(char **)out = ctx_mem(c, arena_strndup(c->arena, text,
							 strlen(text)));
}

/* Quoted or not, a comma separates: dae joins the values and splits again. */
void key_list(struct config_ctx *c, const struct key *k DAE_UNUSED,
	      const struct ast_item *item, void *out)
{
	const char *text = keys_text(c, item), *end;
	struct config_list *list = out;
	char **slot;

	for (; text; text = *end ? end + 1 : NULL) {
		end = strchrnul(text, ',');
		slot = list ? ctx_mem(c,
				      arena_push(c->arena, &list->items,
						 &list->count, sizeof(*slot)))
			    : NULL;
		if (!slot)
			return;
		*slot = ctx_mem(c, arena_strndup(c->arena, text,
						 (size_t)(end - text)));
		if (!*slot) {
			list->count--;
			return;
		}
	}
}

static int find_word(struct config_ctx *c, const struct key *k,
		     const struct ast_item *item)
{
	const char *text = keys_text(c, item);
	struct ast_text word;
	char hint[96];
	int i;

	if (!text)
		return -1;
	for (i = 0; k->words[i]; i++)
		if (strcmp(text, k->words[i]) == 0)
			return i;
	word = *keys_value(item);
	ctx_error(c, &word, ctx_suggest(&word, k->words, hint, sizeof(hint)),
		  "'%s' cannot be '%s'", k->name, text);
	return -1;
}

void key_word(struct config_ctx *c, const struct key *k,
	      const struct ast_item *item, void *out)
{
	int i = find_word(c, k, item);

	if (i >= 0 && out)
		*(int *)out = i;
}

void key_word_text(struct config_ctx *c, const struct key *k,
		   const struct ast_item *item, void *out)
{
	int i = find_word(c, k, item);

	if (i >= 0 && out)
		*(char **)out = ctx_mem(c, arena_strndup(c->arena, k->words[i],
							 strlen(k->words[i])));
}
