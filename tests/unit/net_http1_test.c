/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/http1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

enum verdict { OPEN, HEAD_ONLY, DONE, BAD }; /* how far the answer got */

struct row {
	const char *what;
	const char *in;
	bool has_body;
	enum verdict want;
	uint16_t status;
	const char *body;
	const char *rest; /* what does not belong to the answer */
};

/* clang-format off */
static const struct row rows[] = {
	{"no body", "HTTP/1.1 204 No Content\r\n\r\n", true, DONE, 204, "", ""},
	{"HTTP/1.0 and bare newlines", "HTTP/1.0 200 OK\nA: b\nContent-Length: 0"
	 "\n\n", true, DONE, 200, "", ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", true, DONE,
	 200, "", ""},
	{"length", "HTTP/1.1 200 OK\r\ncontent-LENGTH: 3 \r\n\r\nabcdef", true,
	 DONE, 200, "abc", "def"},
	{"length, not all there", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
	 "ab", true, HEAD_ONLY, 200, "ab", ""},
	{"HEAD has no body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz",
	 false, DONE, 200, "", "xyz"},
	{"to the end", "HTTP/1.1 200 OK\r\n\r\nabc", true, HEAD_ONLY, 200, "abc",
	 ""},
	{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: r\r\n\r\nnext", true, DONE,
	 200, "abc0123456789", "next"},
	{"chunked wins over length", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n"
	 "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", true,
	 DONE, 200, "x", ""},
	{"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
	 true, DONE, 204, "", ""},
	{"equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	 "Content-Length: 1\r\n\r\nx", true, DONE, 200, "x", ""},
	{"in the head", "HTTP/1.1 200 OK\r\nA: b\r\n", true, OPEN, 0, "", ""},
	{"different lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	 "Content-Length: 2\r\n\r\nx", true, BAD, 0, NULL, NULL},
	{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", true,
	 BAD, 0, NULL, NULL},
	{"length beyond 64 bits", "HTTP/1.1 200 OK\r\nContent-Length: "
	 "99999999999999999999999\r\n\r\n", true, BAD, 0, NULL, NULL},
	{"chunk size beyond 64 bits", "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	 "chunked\r\n\r\n11111111111111111\r\n", true, BAD, 0, NULL, NULL},
	{"chunk size is no number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	 "chunked\r\n\r\nxyz\r\n", true, BAD, 0, NULL, NULL},
	{"chunk size is missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	 "chunked\r\n\r\n\r\n", true, BAD, 0, NULL, NULL},
	{"chunk without its end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
	 "\r\n\r\n1\r\nxy", true, BAD, 0, NULL, NULL},
	{"not HTTP", "SSH-2.0-x\r\n", true, BAD, 0, NULL, NULL},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", true, BAD, 0, NULL, NULL},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", true, BAD, 0, NULL, NULL},
	{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", true, BAD, 0, NULL,
	 NULL},
	{"status below 100", "HTTP/1.1 099 OK\r\n\r\n", true, BAD, 0, NULL, NULL},
	{"header without a colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\n", true, BAD, 0,
	 NULL, NULL},
	{"folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n", true, BAD,
	 0, NULL, NULL},
	{"100 without end", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
	 "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
	 "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
	 "HTTP/1.1 100 C\r\n\r\n", true, BAD, 0, NULL, NULL},
};
/* clang-format on */

/* Feeds @row in pieces of @step bytes and compares. */
static void check(const struct row *row, size_t step)
{
	size_t len = strlen(row->in), at = 0, body_len, n;
	struct http1 *h = NULL;
	enum verdict got;
	ssize_t r = 0;

	assert_int_equal(http1_new(&h, row->has_body), 0);
	while (at < len && !http1_is_done(h)) {
		n = MIN(step, len - at);
		r = http1_feed(h, row->in + at, n);
		if (r < 0)
			break;
		at += (size_t)r;
		if ((size_t)r < n)
			break;
	}
	got = r < 0		  ? BAD
	      : http1_is_done(h)  ? DONE
	      : http1_has_head(h) ? HEAD_ONLY
				  : OPEN;
	if (got != row->want || (r < 0 && r != -EBADMSG))
		fail_msg("%s by %zu: %d (%zd)", row->what, step, got, r);
	if (got != BAD) {
		assert_int_equal(http1_status(h), row->status);
		assert_string_equal(row->in + at, row->rest);
		http1_body(h, &body_len);
		assert_int_equal(body_len, strlen(row->body));
		if (body_len)
			assert_memory_equal(http1_body(h, &body_len), row->body,
					    body_len);
	}
	http1_free(&h);
	assert_null(h);
}

static void answers(void **state DAE_UNUSED)
{
	size_t i, step;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (step = 1; step <= strlen(rows[i].in); step++)
			check(&rows[i], step);
}

static struct http1 *fed(const char *text)
{
	struct http1 *h = NULL;

	assert_int_equal(http1_new(&h, true), 0);
	assert_true(http1_feed(h, text, strlen(text)) > 0);
	return h;
}

static void headers(void **state DAE_UNUSED)
{
	struct http1 *h = fed("HTTP/1.1 302 Found\r\nLOCATION:  http://x/\r\n"
			      "Empty:\r\nLocation: second\r\n\r\n");

	assert_string_equal(http1_header(h, "location"), "http://x/");
	assert_string_equal(http1_header(h, "empty"), "");
	assert_null(http1_header(h, "loc"));
	assert_null(http1_header(h, "http/1.1 302 found"));
	http1_free(&h);
	h = fed("HTTP/1.1 200 OK\r\nA: b\r\n");
	assert_null(http1_header(h, "a"));
	http1_free(&h);
}

static void ends(void **state DAE_UNUSED)
{
	struct http1 *h = fed("HTTP/1.1 200 OK\r\n\r\nabc");

	assert_int_equal(http1_end(h), 0);
	http1_free(&h);
	h = fed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
	assert_int_equal(http1_end(h), -EBADMSG);
	http1_free(&h);
	h = fed("HTTP/1.1 200 OK\r\n");
	assert_int_equal(http1_end(h), -EBADMSG);
	http1_free(&h);
}

static void dates(void **state DAE_UNUSED)
{
	static const struct {
		const char *date;
		int64_t want;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Thu, 01 Jan 1970 00:00:01 GMT", 1 },
		{ "Sun, 06 Nox 1994 08:49:37 GMT", 0 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 0 },
		{ "Sun, 06 ovD 1994 08:49:37 GMT", 0 },
		{ "", 0 },
	};
	char text[128];
	struct http1 *h;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text),
			 "HTTP/1.1 204 X\r\nDate: %s\r\n\r\n", cases[i].date);
		h = fed(text);
		assert_int_equal(http1_date(h), cases[i].want);
		http1_free(&h);
	}
}

/* No server makes us keep more than the limits. */
static void endless(void **state DAE_UNUSED)
{
	static const char *const begins[] = {
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nA: ",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT:",
	};
	static const char line[] = "aaaa: bbbbbbbb\r\n";
	static const char letters[] = "aaaaaaaaaaaaaaaa";
	struct http1 *h;
	size_t i, k;
	ssize_t r;

	for (i = 0; i < ARRAY_LEN(begins); i++) {
		h = fed(begins[i]);
		for (r = 1, k = 0; r > 0 && k < 4096; k++)
			r = http1_feed(h, i ? letters : line, 16);
		assert_int_equal(r, -EBADMSG);
		http1_free(&h);
	}
	h = fed("HTTP/1.1 200 OK\r\n\r\n");
	for (k = 0; k < 8192 && !http1_is_done(h); k++)
		assert_int_equal(http1_feed(h, line, 16), 16);
	assert_true(http1_is_done(h));
	http1_body(h, &k);
	assert_int_equal(k, HTTP1_BODY_MAX);
	http1_free(&h);
}

static void nul_in_a_head(void **state DAE_UNUSED)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nA: \0b\r\n\r\n";
	struct http1 *h = NULL;

	assert_int_equal(http1_new(&h, true), 0);
	assert_int_equal(http1_feed(h, text, sizeof(text) - 1), -EBADMSG);
	http1_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers), cmocka_unit_test(headers),
		cmocka_unit_test(ends),	   cmocka_unit_test(dates),
		cmocka_unit_test(endless), cmocka_unit_test(nul_in_a_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
