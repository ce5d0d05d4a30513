/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/resolver.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

#define DNS_PORT 53
#define SERVER_TEXT_MAX 64

/* ADDR, ADDR:PORT (IPv4) or [ADDR]:PORT. */
static int parse_server(const char *text, struct addr *ret, uint16_t *ret_port)
{
	char host[SERVER_TEXT_MAX];
	const char *end = NULL, *port = NULL;
	uint64_t n = DNS_PORT;

	if (text[0] == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
	} else if (addr_parse(text, ret) < 0) {
		end = strchr(text, ':');
		if (!end)
			return -EINVAL;
		port = end + 1;
	}
	if (!end)
		end = text + strlen(text);
	if ((size_t)(end - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	if (addr_parse(host, ret) < 0)
		return -EINVAL;
	if (port && (text_parse_uint(port, UINT16_MAX, &n) < 0 || n == 0))
		return -EINVAL;
	*ret_port = (uint16_t)n;
	return 0;
}

static void add_server(struct resolvers *r, const char *text)
{
	struct addr a;
	uint16_t port;

	if (r->count == RESOLVERS_MAX || parse_server(text, &a, &port) < 0)
		return;
	r->servers[r->count].addr = a;
	r->servers[r->count].port = port;
	r->count++;
}

/* The words of @text[0..len) between any of @seps, one after another. */
static size_t next_word(const char **text, size_t *len, const char *seps,
			char word[SERVER_TEXT_MAX])
{
	size_t n = 0;

	while (*len && strchr(seps, **text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && !strchr(seps, **text)) {
		if (n < SERVER_TEXT_MAX - 1)
			word[n++] = **text;
		(*text)++;
		(*len)--;
	}
	word[n] = '\0';
	return n;
}

static void add_list(struct resolvers *r, const char *list)
{
	size_t len = strlen(list);
	char word[SERVER_TEXT_MAX];

	while (next_word(&list, &len, ", \t", word))
		add_server(r, word);
}

static void add_resolv_line(struct resolvers *r, const char *line, size_t len)
{
	char word[SERVER_TEXT_MAX];
	struct addr a;

	if (!next_word(&line, &len, " \t", word) ||
	    strcmp(word, "nameserver") != 0 ||
	    !next_word(&line, &len, " \t\r", word))
		return;
	/* a stub on loopback may be the very thing that waits for us */
	if (addr_parse(word, &a) < 0 || addr_is_special(&a))
		return;
	add_server(r, word);
}

static void add_resolv_conf(struct resolvers *r, const char *text, size_t len)
{
	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) + 1 : len;

		add_resolv_line(r, text, nl ? n - 1 : n);
		text += n;
		len -= n;
	}
}

int resolvers_choose(struct resolvers *ret, const char *bootstrap,
		     const char *fallback, const char *resolv_conf, size_t len)
{
	struct resolvers r = { .count = 0 };

	if (bootstrap)
		add_list(&r, bootstrap);
	if (!r.count && resolv_conf)
		add_resolv_conf(&r, resolv_conf, len);
	if (!r.count && fallback)
		add_list(&r, fallback);
	if (!r.count)
		return -ENOENT;
	*ret = r;
	return 0;
}
