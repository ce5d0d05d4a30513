/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration of any bytes. The input is its own included file, too: what
 * follows the first byte 0xff is the text of "a.dae".
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config/config_parse.h"

struct second_file {
	const char *text;
	size_t len;
};

static int read_file(void *ctx, const char *path, char **ret_text,
		     size_t *ret_len, char *why, size_t cap)
{
	const struct second_file *f = ctx;

	(void)why;
	(void)cap;
	if (strcmp(path, "a.dae") != 0)
		return -ENOENT;
	*ret_text = malloc(f->len + 1);
	if (!*ret_text)
		return -ENOMEM;
	memcpy(*ret_text, f->text, f->len);
	*ret_len = f->len;
	return 0;
}

static int find_files(void *ctx, const char *pattern, char ***ret_paths,
		      size_t *ret_count)
{
	char **paths = calloc(1, sizeof(*paths));

	(void)ctx;
	if (!paths)
		return -ENOMEM;
	paths[0] = strdup(pattern);
	*ret_paths = paths;
	*ret_count = paths[0] ? 1 : 0;
	return 0;
}

/* What every reader of a configuration does with it. */
static void use(const struct config *c, const struct config_diags *d)
{
	char text[600];
	size_t i;

	for (i = 0; i < d->count; i++)
		config_diag_format(&d->items[i], text, sizeof(text));
	if (!c)
		return;
	config_summary(c, text, sizeof(text));
	for (i = 0; i < c->routing.rule_count; i++) {
		config_outbound_format(c, &c->routing.rules[i].out, text,
				       sizeof(text));
		if (strlen(c->routing.rules[i].text) > 4096)
			abort();
	}
	for (i = 0; i < c->group_count; i++)
		config_group_can_carry(c, &c->groups[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *split = len > 0 ? memchr(data, 0xff, len) : NULL;
	auto_config struct config *one = NULL, *two = NULL;
	auto_diags struct config_diags d = { 0 }, d2 = { 0 };
	struct second_file second = { .text = "" };
	const struct config_source src = { read_file, find_files, &second };
	char entry[] = "a.dae";
	int r;

	if (split) {
		second.text = (const char *)split + 1;
		second.len = len - (size_t)(split + 1 - data);
		config_parse_files(&two, entry, &src, &d2);
		use(two, &d2);
		len = (size_t)(split - data);
	}
	r = config_parse(&one, (const char *)data, len, &d);
	if ((r == 0) != (d.error_count == 0) || (r == 0) != !!one)
		abort();
	use(one, &d);
	return 0;
}
