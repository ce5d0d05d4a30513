/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How messages look: place, line, caret, hint; and what they never show. */
#include "config_helper.h"

/* A text, and its first message in full. */
static const struct {
	const char *text, *want;
} formats[] = {
	{ "group { g {\n   policy: min_avg\n} }",
	  "config:2:12: error: unknown policy 'min_avg'\n"
	  "     policy: min_avg\n"
	  "             ^~~~~~~  did you mean 'min_avg10'?\n" },
	{ "global {\n\tlog_level:\tinf # x\n}",
	  "config:2:13: error: 'log_level' cannot be 'inf'\n"
	  "          log_level:      inf # x\n"
	  "                          ^~~  did you mean 'info'?\n" },
	{ "global { a: b }\r\n", "config:1:10: error: unknown key 'a'\n"
				 "  global { a: b }\n"
				 "           ^\n" },
	/* columns count characters, carets cells */
	{ "node { '\xe4\xb8\xad': x }",
	  "config:1:11: error: expected a key, a rule or '}', got ':'\n"
	  "  node { '\xe4\xb8\xad': x }\n"
	  "             ^  text that contains ':' must be quoted\n" },
	{ "node { 'e\xcc\x81' ? }",
	  "config:1:13: error: unexpected '?' outside of quotes\n"
	  "  node { 'e\xcc\x81' ? }\n"
	  "             ^  text with such characters must be quoted\n" },
	/* what is no text does not reach the terminal */
	{ "global { \x1b[31m }",
	  "config:1:10: error: unexpected '\xef\xbf\xbd' outside of quotes\n"
	  "  global { \xef\xbf\xbd[31m }\n"
	  "           ^  text with such characters must be quoted\n" },
	{ "supervisor { mark: 3 mark_mask: 1 so_mark: 0 }",
	  "config: error: 'mark' 0x3 has bits outside of 'mark_mask' 0x1\n"
	  "  a packet is ours if 'packet & mark_mask' is 'mark'\n" },
	/* credentials */
	{ "node { 'sock5://user:secret@h:1' }",
	  "config:1:8: error: bad link: unknown scheme 'sock5': did you mean "
	  "'socks5'?\n"
	  "  node { 'sock5://***********@h:1' }\n"
	  "         ^~~~~~~~~~~~~~~~~~~~~~~~~\n" },
	{ "node { a: 'ss://YWVzOnB3QGg6MQ' b }",
	  "config:1:33: error: bad link: a link is SCHEME://...\n"
	  "  node { a: 'ss://**************' b }\n"
	  "                                  ^\n" },
	{ "subscription { 'https://h/p?token=x' b }",
	  "config:1:38: error: bad subscription: a link is SCHEME://...\n"
	  "  subscription { 'https://h/p?*******' b }\n"
	  "                                       ^\n" },
};

static void test_formats(void **state DAE_UNUSED)
{
	char got[4096];
	size_t i, k, len;

	for (i = 0; i < ARRAY_LEN(formats); i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;

		assert_int_equal(config_parse(&c, formats[i].text,
					      strlen(formats[i].text), &d),
				 -22);
		for (k = 0; d.items[k].severity != DIAG_ERROR; k++)
			;
		len = config_diag_format(&d.items[k], got, sizeof(got));
		assert_string_equal(got, formats[i].want);
		assert_int_equal(len, strlen(got));
	}
}

/* Long lines are cut around the caret, wherever it is. */
static void test_long_lines(void **state DAE_UNUSED)
{
	static const size_t lengths[] = {
		0, 40, 60, 99, 100, 101, 1000, 70000
	};
	static char text[150000];
	char got[4096];
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;
		const struct config_diag *e;

		n = (size_t)sprintf(text, "global { ");
		memset(text + n, ' ', lengths[i]);
		n += lengths[i];
		n += (size_t)sprintf(text + n, "wrong_key: x");
		memset(text + n, ' ', 300);
		sprintf(text + n + 300, "}");
		assert_int_equal(config_parse(&c, text, strlen(text), &d), -22);
		e = &d.items[0];
		assert_memory_equal(e->source + e->caret, "wrong_key", 9);
		assert_int_equal(e->caret_len, 9);
		assert_true(strlen(e->source) <= 110);
		assert_int_equal(e->column, MIN(lengths[i] + 10, 65535U));
		n = config_diag_format(e, got, sizeof(got));
		assert_true(n < 400);
	}
}

static void test_short_buffers(void **state DAE_UNUSED)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	char got[128] = "x";
	size_t cap;

	config_parse(&c, "global { a: b }", 15, &d);
	assert_int_equal(config_diag_format(&d.items[0], got, 0), 0);
	for (cap = 1; cap < 90; cap++) {
		assert_true(config_diag_format(&d.items[0], got, cap) < cap);
		assert_true(strlen(got) < cap);
	}
}

/* By place, and the whole file last, whatever was found first. */
static void test_order(void **state DAE_UNUSED)
{
	static const char text[] = "supervisor { x: y }\n"
				   "routing { dport(x) -> direct }\n"
				   "global { z: 1\n foo }";
	static const uint32_t lines[] = { 1, 2, 3, 4 };
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	size_t i;

	assert_int_equal(config_parse(&c, text, strlen(text), &d), -22);
	assert_int_equal(d.count, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(d.items[i].line, lines[i]);
	d.items[1].line = 0;
	config_diags_sort(&d, 0);
	assert_int_equal(d.items[3].line, 0);
	config_diags_clear(&d);
	assert_int_equal(d.count, 0);
}

/* Zero bytes and texts of any length are input like any other. */
static void test_raw_bytes(void **state DAE_UNUSED)
{
	static const struct {
		const char *s;
		size_t len;
	} texts[] = {
		{ "global {\0}", 10 },
		{ "node { 'a\0b' }", 14 },
		{ "node { x: 'a\0b' }", 17 },
		{ "routing { dip('1\0') -> block }", 30 },
		{ "routing { dport(1) -> direct('must\0') }", 39 },
		{ "include { 'a\0b' }", 17 },
		{ "supervisor { monitor { a: 'http://h' [iface: 'a\0b'] } }",
		  55 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;

		assert_int_equal(config_parse(&c, texts[i].s, texts[i].len, &d),
				 -22);
		assert_true(d.error_count > 0);
	}
}

static void test_too_long(void **state DAE_UNUSED)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;

	assert_int_equal(config_parse(&c, "", CONFIG_FILE_MAX + 1, &d), -22);
	assert_int_equal(d.items[0].line, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_short_buffers),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_raw_bytes),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
