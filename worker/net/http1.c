/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/http1.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base.h"

#define LINE_MAX_CHUNK 1024 /* a chunk's size line with its extensions */
#define GROW_FIRST 512

enum state {
	IN_HEAD,
	IN_LENGTH, /* body of known length */
	IN_CHUNK_SIZE,
	IN_CHUNK,
	IN_CHUNK_END,
	IN_TRAILER,
	IN_REST, /* body until the stream ends */
	IS_DONE,
};

struct buffer {
	char *p;
	size_t len, cap;
};

struct http1 {
	enum state state;
	bool has_body, has_head;
	uint8_t informational;
	uint16_t status;
	struct buffer head, body;
	size_t line_len; /* bytes of the line we are in */
	uint64_t left;	 /* of the body or the chunk */
	bool size_ended; /* behind the digits of a chunk's size */
	bool has_digit;
	size_t trailer_len;
};

int http1_new(struct http1 **ret, bool has_body)
{
	struct http1 *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->has_body = has_body;
	*ret = h;
	return 0;
}

void http1_free(struct http1 **h)
{
	if (!*h)
		return;
	free((*h)->head.p);
	free((*h)->body.p);
	free(*h);
	*h = NULL;
}

static int buffer_append(struct buffer *b, const char *from, size_t len,
			 size_t max)
{
	size_t cap = MAX(b->cap, (size_t)GROW_FIRST);
	char *p;

	if (len > max || b->len > max - len)
		return -EBADMSG;
	while (cap < b->len + len)
		cap *= 2;
	if (cap != b->cap) {
		p = realloc(b->p, cap);
		if (!p)
			return -ENOMEM;
		b->p = p;
		b->cap = cap;
	}
	memcpy(b->p + b->len, from, len);
	b->len += len;
	return 0;
}

/* "HTTP/1.x NNN" and then nothing, or a space and whatever. */
static int status_parse(const char *line, uint16_t *ret)
{
	const char *d = line + strlen("HTTP/1.x ");

	if (strncmp(line, "HTTP/1.", strlen("HTTP/1.")) != 0 ||
	    (line[7] != '0' && line[7] != '1') || line[8] != ' ')
		return -EBADMSG;
	if (!isdigit((unsigned char)d[0]) || !isdigit((unsigned char)d[1]) ||
	    !isdigit((unsigned char)d[2]) || (d[3] != ' ' && d[3] != '\0'))
		return -EBADMSG;
	*ret = (uint16_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + d[2] - '0');
	return *ret >= 100 ? 0 : -EBADMSG;
}

/* The head's lines become strings, one after the other. */
static int head_split(struct http1 *h)
{
	char *line = h->head.p, *end = h->head.p + h->head.len, *nl, *colon;
	bool is_first = true;

	if (memchr(h->head.p, '\0', h->head.len))
		return -EBADMSG;
	for (; line < end; line = nl + 1, is_first = false) {
		nl = memchr(line, '\n', (size_t)(end - line));
		*nl = '\0';
		if (nl > line && nl[-1] == '\r')
			nl[-1] = '\0';
		if (is_first) {
			if (status_parse(line, &h->status) < 0)
				return -EBADMSG;
			continue;
		}
		if (*line == '\0')
			continue;
		colon = strchr(line, ':');
		if (!colon || colon == line || isspace((unsigned char)*line))
			return -EBADMSG;
	}
	return 0;
}

static const char *header_after(const struct http1 *h, const char *name,
				const char *after)
{
	size_t n = strlen(name);
	const char *p, *end;

	if (!h->has_head)
		return NULL;
	p = after ? after : h->head.p;
	end = h->head.p + h->head.len;
	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		return p + strspn(p, " \t");
	}
	return NULL;
}

const char *http1_header(const struct http1 *h, const char *name)
{
	return header_after(h, name, NULL);
}

/* Several equal lengths are one, others are an attack. -EBADMSG, 0 none, 1. */
static int length_parse(const struct http1 *h, uint64_t *ret)
{
	const char *v = NULL, *p;
	uint64_t n;
	int found = 0;

	while ((v = header_after(h, "content-length", v))) {
		for (n = 0, p = v; isdigit((unsigned char)*p); p++) {
			if (n > (UINT64_MAX - 9) / 10)
				return -EBADMSG;
			n = n * 10 + (uint64_t)(*p - '0');
		}
		if (p == v || p[strspn(p, " \t")] != '\0' ||
		    (found && n != *ret))
			return -EBADMSG;
		*ret = n;
		found = 1;
	}
	return found;
}

static int body_begin(struct http1 *h)
{
	const char *te = http1_header(h, "transfer-encoding");
	size_t n = te ? strlen(te) : 0;
	int r;

	if (!h->has_body || h->status == 204 || h->status == 304) {
		h->state = IS_DONE;
		return 0;
	}
	if (te) {
		while (n && (te[n - 1] == ' ' || te[n - 1] == '\t'))
			n--;
		h->state = n >= 7 && strncasecmp(te + n - 7, "chunked", 7) == 0
				   ? IN_CHUNK_SIZE
				   : IN_REST;
		return 0;
	}
	r = length_parse(h, &h->left);
	if (r < 0)
		return r;
	h->state = !r ? IN_REST : h->left ? IN_LENGTH : IS_DONE;
	return 0;
}

static int head_end(struct http1 *h)
{
	int r = head_split(h);

	if (r < 0)
		return r;
	h->line_len = 0;
	if (h->status < 200 && h->status != 101) {
		if (++h->informational > HTTP1_INFORMATIONAL_MAX)
			return -EBADMSG;
		h->head.len = 0;
		h->status = 0;
		return 0;
	}
	h->has_head = true;
	return body_begin(h);
}

/* What is no HTTP at all is said to be so at once, not at the first newline. */
static bool starts_wrong(const struct buffer *b)
{
	static const char want[] = "HTTP/1.";

	return memcmp(b->p, want, MIN(b->len, sizeof(want) - 1)) != 0;
}

static ssize_t feed_head(struct http1 *h, const char *p, size_t len)
{
	const char *nl = memchr(p, '\n', len);
	size_t take = nl ? (size_t)(nl - p) + 1 : len;
	bool is_blank;
	int r;

	r = buffer_append(&h->head, p, take, HTTP1_HEAD_MAX);
	if (r < 0)
		return r;
	if (starts_wrong(&h->head))
		return -EBADMSG;
	h->line_len += take;
	if (!nl)
		return (ssize_t)take;
	is_blank = h->line_len == 1 ||
		   (h->line_len == 2 && h->head.p[h->head.len - 2] == '\r');
	h->line_len = 0;
	if (is_blank) {
		r = head_end(h);
		if (r < 0)
			return r;
	}
	return (ssize_t)take;
}

/* Keeps what fits; a body longer than that is done. */
static ssize_t body_take(struct http1 *h, const char *p, size_t len)
{
	size_t keep = MIN(len, HTTP1_BODY_MAX - h->body.len);
	int r = buffer_append(&h->body, p, keep, HTTP1_BODY_MAX);

	if (r < 0)
		return r;
	if (h->body.len == HTTP1_BODY_MAX)
		h->state = IS_DONE;
	return (ssize_t)len;
}

static ssize_t feed_counted(struct http1 *h, const char *p, size_t len)
{
	size_t take = (size_t)MIN((uint64_t)len, h->left);
	ssize_t r = body_take(h, p, take);

	if (r < 0)
		return r;
	h->left -= take;
	if (h->left == 0 && h->state != IS_DONE)
		h->state = h->state == IN_LENGTH ? IS_DONE : IN_CHUNK_END;
	return r;
}

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of "1a2b; extension\r\n". */
static ssize_t feed_chunk_size(struct http1 *h, char c)
{
	int digit = hex_digit(c);

	if (++h->line_len > LINE_MAX_CHUNK)
		return -EBADMSG;
	if (c == '\n') {
		if (!h->has_digit)
			return -EBADMSG;
		h->state = h->left ? IN_CHUNK : IN_TRAILER;
		h->line_len = 0;
		h->size_ended = h->has_digit = false;
		return 1;
	}
	if (h->size_ended)
		return 1;
	if (digit < 0) {
		if (!strchr(" \t;\r", c) || c == '\0')
			return -EBADMSG;
		h->size_ended = true;
		return 1;
	}
	if (h->left > UINT64_MAX >> 4)
		return -EBADMSG;
	h->left = h->left << 4 | (uint64_t)digit;
	h->has_digit = true;
	return 1;
}

static ssize_t feed_chunk_end(struct http1 *h, char c)
{
	if (c == '\r' && h->line_len == 0) {
		h->line_len = 1;
		return 1;
	}
	if (c != '\n')
		return -EBADMSG;
	h->line_len = 0;
	h->left = 0;
	h->state = IN_CHUNK_SIZE;
	return 1;
}

static ssize_t feed_trailer(struct http1 *h, char c)
{
	if (++h->trailer_len > HTTP1_HEAD_MAX)
		return -EBADMSG;
	if (c == '\n') {
		if (h->line_len == 0)
			h->state = IS_DONE;
		h->line_len = 0;
	} else if (c != '\r') {
		h->line_len++;
	}
	return 1;
}

static ssize_t feed_some(struct http1 *h, const char *p, size_t len)
{
	switch (h->state) {
	case IN_HEAD:
		return feed_head(h, p, len);
	case IN_LENGTH:
	case IN_CHUNK:
		return feed_counted(h, p, len);
	case IN_CHUNK_SIZE:
		return feed_chunk_size(h, *p);
	case IN_CHUNK_END:
		return feed_chunk_end(h, *p);
	case IN_TRAILER:
		return feed_trailer(h, *p);
	case IN_REST:
		return body_take(h, p, len);
	case IS_DONE:
		break;
	}
	return 0;
}

ssize_t http1_feed(struct http1 *h, const void *buf, size_t len)
{
	const char *p = buf;
	size_t done = 0;
	ssize_t r;

	while (done < len && h->state != IS_DONE) {
		r = feed_some(h, p + done, len - done);
		if (r < 0)
			return r;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int http1_end(struct http1 *h)
{
	if (h->state == IN_REST)
		h->state = IS_DONE;
	return h->state == IS_DONE ? 0 : -EBADMSG;
}

bool http1_has_head(const struct http1 *h)
{
	return h->has_head;
}

bool http1_is_done(const struct http1 *h)
{
	return h->state == IS_DONE;
}

uint16_t http1_status(const struct http1 *h)
{
	return h->has_head ? h->status : 0;
}

const uint8_t *http1_body(const struct http1 *h, size_t *ret_len)
{
	*ret_len = h->body.len;
	return (const uint8_t *)h->body.p;
}

int64_t http1_date(const struct http1 *h)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *v = http1_header(h, "date"), *at;
	struct tm tm = { 0 };
	char month[4];

	if (!v || sscanf(v, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT",
			 &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
			 &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	at = strstr(months, month);
	if (strlen(month) != 3 || !at || (at - months) % 3 != 0 ||
	    tm.tm_year < 1970)
		return 0;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	return timegm(&tm);
}
