/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two configurations compared: what people are told of it. */
#include "supervisor/core/config_diff.h"
#include "tests/unit/config_helper.h"

static const char base[] = "global { lan_interface: eth0 }\n"
			   "node {\n"
			   "	a: 'socks5://u:secret@192.0.2.1:1080'\n"
			   "	b: 'http://192.0.2.2:8080'\n"
			   "}\n"
			   "group {\n"
			   "	g { policy: fallback }\n"
			   "}\n"
			   "routing {\n"
			   "	dip(10.0.0.0/8) -> direct\n"
			   "	dport(25) -> block\n"
			   "	dport(80) -> g\n"
			   "	fallback: direct\n"
			   "}\n"
			   "supervisor { workers: 2 }\n";

/* What is put in whose place, and the lines that are told of it. */
static const struct {
	const char *from, *to;
	const char *want;
} cases[] = {
	{ "direct", "direct", "" },
	{ "	dport(25) -> block\n", "",
	  "rule removed 11 dport(25) -> block\n" },
	{ "	dport(25) -> block\n",
	  "	dport(25) -> block\n	dport(26) -> block\n",
	  "rule added 12 dport(26) -> block\n" },
	{ "dport(25) -> block", "dport(25) -> direct",
	  "rule added 11 dport(25) -> direct\n"
	  "rule removed 11 dport(25) -> block\n" },
	{ "	dip(10.0.0.0/8) -> direct\n	dport(25) -> block\n"
	  "	dport(80) -> g\n",
	  "	dport(80) -> g\n	dip(10.0.0.0/8) -> direct\n"
	  "	dport(25) -> block\n",
	  "rule moved 10 dport(80) -> g: 3 -> 1\n" },
	/* a comment moves lines, not rules */
	{ "	dport(25)", "	# mail\n	dport(25)", "" },
	{ "fallback: direct", "fallback: g(mark: 0x9)",
	  "fallback changed 13 fallback: direct -> g(mark: 0x9)\n" },
	{ "policy: fallback", "policy: fixed(1)",
	  "group changed 7 g: fallback -> fixed(1)\n" },
	{ "	g { policy: fallback }\n",
	  "	g { policy: fallback \n filter: name(b) }\n",
	  "group changed 7 g: - a\n" },
	{ "	g { policy: fallback }\n",
	  "	g { policy: fallback }\n	h { policy: min }\n",
	  "group added 8 h: min, 2 nodes\n" },
	{ "u:secret@192.0.2.1", "u:other@192.0.2.1",
	  "node changed 3 a: another link: socks5\n" },
	{ "	b: 'http", "	c: 'https",
	  "group changed 7 g: + c, - b\n"
	  "node added 4 c: https\n"
	  "node removed 4 b\n" },
	{ "workers: 2", "workers: 4",
	  "key changed 0 supervisor.workers: 2 -> 4\n" },
	{ "workers: 2", "workers: 2 \n recycle { max_age: 1h }",
	  "key changed 0 supervisor.recycle.max_age: 24h -> 1h\n" },
	{ "lan_interface: eth0", "lan_interface: eth0, eth1",
	  "key changed 0 global.lan_interface: eth0 -> eth0, eth1\n" },
	{ "workers: 2", "monitor { m: 'https://example.org/?key=secret' }",
	  "monitor added 15 m\n"
	  "key changed 0 supervisor.workers: 2 -> 0\n" },
	{ "global {",
	  "subscription { 'https://s.example/?key=secret' }\n"
	  "global {",
	  "subscription added 0 a subscription\n" },
};

static void parse(struct config **ret, const char *text)
{
	auto_diags struct config_diags diags = { .count = 0 };

	if (config_parse(ret, text, strlen(text), &diags) < 0) {
		config_print(&diags);
		fail();
	}
}

/* @text with the first @from as @to. */
static void put_in(char *buf, size_t cap, const char *from, const char *to)
{
	const char *at = strstr(base, from);

	assert_non_null(at);
	snprintf(buf, cap, "%.*s%s%s", (int)(at - base), base, to,
		 at + strlen(from));
}

static void tell(const struct config_diff *d, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < d->count; i++) {
		const struct diff_entry *e = &d->entries[i];

		len += (size_t)snprintf(buf + len, cap - len,
					"%s %s %u %s%s%s\n",
					diff_what_name(e->what),
					diff_how_name(e->how), e->line, e->name,
					e->detail ? ": " : "",
					e->detail ? e->detail : "");
		assert_true(len < cap);
	}
}

static void changes_are_told(void **state DAE_UNUSED)
{
	char text[4096], got[4096];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_config struct config *old = NULL, *new = NULL;
		struct config_diff d;

		parse(&old, base);
		put_in(text, sizeof(text), cases[i].from, cases[i].to);
		parse(&new, text);
		assert_int_equal(config_diff_make(&d, old, new), 0);
		tell(&d, got, sizeof(got));
		assert_string_equal(got, cases[i].want);
		assert_null(strstr(got, "secret"));
		config_diff_clear(&d);
	}
}

/* Lists too long to be shown differ, too. */
static void contents_of_long_lists_count(void **state DAE_UNUSED)
{
	auto_config struct config *old = NULL, *new = NULL;
	char text[2][16384], got[8192];
	struct config_diff d;

	for (int k = 0; k < 2; k++) {
		size_t len = (size_t)sprintf(text[k], "routing { dip(");

		for (int i = 0; i < 900; i++)
			len += (size_t)sprintf(text[k] + len, "10.%d.%d.0/24, ",
					       i / 250, i % 250);
		sprintf(text[k] + len,
			"192.0.2.%d) -> block\n fallback: direct }", k);
	}
	parse(&old, text[0]);
	parse(&new, text[1]);
	assert_string_equal(old->routing.rules[0].text,
			    new->routing.rules[0].text);
	assert_int_equal(config_diff_make(&d, old, new), 0);
	assert_int_equal(d.count, 1);
	assert_int_equal(d.entries[0].how, DIFF_CHANGED);
	tell(&d, got, sizeof(got));
	assert_non_null(strstr(got, "other values in its lists"));
	config_diff_clear(&d);
}

/* Any order of any rules: what has not moved is the longest run. */
static void moved_rules_are_few(void **state DAE_UNUSED)
{
	auto_config struct config *old = NULL, *new = NULL;
	char text[2][65536];
	size_t len[2] = { 0 }, moved = 0;
	struct config_diff d;

	for (int k = 0; k < 2; k++) {
		len[k] = (size_t)sprintf(text[k], "routing {\n");
		for (int i = 0; i < 1000; i++) {
			/* on the second side, the first ten come last */
			int port = (k ? (i + 10) % 1000 : i) + 1;

			len[k] += (size_t)sprintf(text[k] + len[k],
						  "dport(%d) -> block\n", port);
		}
		sprintf(text[k] + len[k], "fallback: direct }");
	}
	parse(&old, text[0]);
	parse(&new, text[1]);
	assert_int_equal(config_diff_make(&d, old, new), 0);
	for (size_t i = 0; i < d.count; i++)
		moved += d.entries[i].how == DIFF_MOVED;
	assert_int_equal(d.count, 10);
	assert_int_equal(moved, 10);
	config_diff_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(contents_of_long_lists_count),
		cmocka_unit_test(moved_rules_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
