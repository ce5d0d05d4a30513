/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dae's grammar: every vector of data/grammar_vectors.txt, tokens and outcome. */
#include "config_helper.h"

#include <stdlib.h>

#include "supervisor/config/config_ctx.h"
#include "supervisor/config/lexer.h"
#include "supervisor/config/parser.h"

#define VECTORS_MIN 81
#define TOKENS_MAX 64

struct vector {
	char input[512];
	char tokens[TOKENS_MAX][96]; /* "TYPE text" */
	size_t token_count;
};

static void decode(char *dst, size_t cap, const char *s)
{
	unsigned int byte;
	size_t n = 0;

	for (; *s && *s != '\n'; s++) {
		assert_true(n + 1 < cap);
		if (*s == '%') {
			assert_int_equal(sscanf(s, "%%%2x", &byte), 1);
			dst[n++] = (char)byte;
			s += 2;
		} else {
			dst[n++] = *s;
		}
	}
	dst[n] = '\0';
}

static void check_tokens(const struct vector *v)
{
	struct lexer l;
	struct token t;
	char got[128];
	size_t n = 0;

	lexer_init(&l, v->input, strlen(v->input), 0);
	for (;;) {
		lexer_next(&l, &t);
		if (t.type == TOKEN_EOF)
			break;
		if (t.type == TOKEN_BAD || t.type == TOKEN_BAD_QUOTE)
			continue;
		snprintf(got, sizeof(got), "%s %.*s", token_type_name(t.type),
			 (int)t.len, t.s);
		if (n == v->token_count || strcmp(v->tokens[n], got) != 0)
			fail_msg("%s: token %zu is %s, not %s", v->input, n,
				 got, n < v->token_count ? v->tokens[n] : "-");
		n++;
	}
	assert_int_equal(n, v->token_count);
}

/* @want: "ok", or "error LINE:COLUMN" of the first one. */
static void check_outcome(const struct vector *v, const char *want)
{
	auto_arena struct arena *a = arena_new();
	auto_diags struct config_diags d = { 0 };
	char path[] = "vector", text[sizeof(v->input)], got[64] = "ok";
	struct config_file f = { .path = path,
				 .text = text,
				 .len = strlen(v->input) };
	struct config config = { .arena = a, .files = &f, .file_count = 1 };
	struct config_ctx c = {
		.config = &config, .arena = a, .scratch = a, .diags = &d
	};
	struct ast_item *sections = NULL;
	size_t count = 0;

	memcpy(text, v->input, sizeof(text));
	parser_run(&c, 0, &sections, &count);
	if (d.count > 0)
		snprintf(got, sizeof(got), "error %u:%u", d.items[0].line,
			 d.items[0].column);
	if (strcmp(got, want) != 0) {
		config_print(&d);
		fail_msg("%s: %s instead of %s", v->input, got, want);
	}
	assert_int_equal(c.has_syntax_errors, d.count > 0);
}

static void test_vectors(void **state DAE_UNUSED)
{
	FILE *f = fopen(DAE_SOURCE_DIR "/tests/unit/data/grammar_vectors.txt",
			"re");
	static struct vector v;
	char line[1024];
	size_t count = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "input ", 6) == 0) {
			v = (struct vector){ 0 };
			decode(v.input, sizeof(v.input), line + 6);
		} else if (strncmp(line, "token ", 6) == 0) {
			assert_true(v.token_count < TOKENS_MAX);
			decode(v.tokens[v.token_count++], sizeof(v.tokens[0]),
			       line + 6);
		} else if (line[0] != '#' && line[0] != '\0') {
			check_tokens(&v);
			check_outcome(&v, line);
			count++;
		}
	}
	fclose(f);
	assert_true(count >= VECTORS_MIN);
}

/* Where the vectors of the grammar stop. */
static const struct config_case edges[] = {
	{ "", NULL },
	{ "  \r\n\t# only a comment", NULL },
	{ "/* a * b ** / */", NULL },
	{ "/*/ x */", NULL },
	{ "/**/ global{}", NULL },
	{ "/**/global{}", "E got '/**/global'" }, /* the longer word */
	{ "/* never closed", "E 1:1: error: expected the name of a section" },
	{ "\xef\xbb\xbfglobal {}", "E byte order mark" },
	{ "global { log_level: info; }", "E 1:25: error: unexpected ';'" },
	{ "routing { dport(1) & dport(2) -> block }", "E joined by '&&'" },
	{ "routing { dport(1) || dport(2) -> block }", "E no 'or'" },
	{ "routing { dport(1) > block }", "E '->' with blanks" },
	{ "node { 'unclosed }", "E 1:8: error: this quote is never closed" },
	{ "node { \"unclosed }", "E 1:8: error: this quote is never closed" },
	{ "global { a: '\xe4\xb8\xad' }", "E unknown key 'a'" },
	{ "global {", "E 1:1: error: section 'global' is never closed" },
	{ "global { lan_interface: a", "E 'global' is never closed" },
	{ "global global {}", "E expected '{', got 'global'" },
	{ "}", "E one '}' too many?" },
	{ "routing { !dport(1) -> !block }", "E expected '('" },
	{ "routing { !dport(1) -> !block(must) }", "E cannot be negated" },
	{ "routing { dport(1, -> block }", "E expected a value, got '->'" },
	{ "routing { dport(1 -> block }", "E expected ',' or ')', got '->'" },
	{ "routing { dport(1) -> }", "E expected the name of an outbound" },
	{ "routing { dport() -> block }", "E 'dport()' has an empty list" },
	{ "routing { dport(1) -> direct() }", "E 'direct()' has an empty" },
	{ "global { log_level: info [] }",
	  "E annotation '[ ]' of 'log_level'" },
	{ "global { log_level: info [x: y }", "E expected ',' or ']'" },
	{ "global { log_level: info [x: y] }", "W no meaning here" },
	{ "a{b{c{d{e{f{g{h{i{j{k{l{m{n{o{p{q{r{s{}}}}}}}}}}}}}}}}}}}",
	  "E fewer sections" },
};

static void test_edges(void **state DAE_UNUSED)
{
	config_check_cases(edges, ARRAY_LEN(edges));
}

/* One line with an error does not hide the next one. */
static void test_all_errors_at_once(void **state DAE_UNUSED)
{
	static const char text[] = "global {\n"
				   " log_levl: info\n"
				   " udp_check_dns: 8.8.8.8:53\n"
				   " check_interval: 30\n"
				   "}\n"
				   "group { g {\n"
				   "  policy min\n"
				   "  check_interval: x\n"
				   "} }\n"
				   "rooting { }\n"
				   "routing { dport(90-80) -> block\n"
				   "  dport(x -> block\n"
				   "  sport(y) -> block }\n";
	static const uint32_t lines[] = { 2, 3, 4, 7, 8, 10, 11, 12, 13 };
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	size_t i, n = 0;

	assert_int_equal(config_parse(&c, text, strlen(text), &d), -22);
	for (i = 0; i < d.count; i++) {
		if (d.items[i].severity != DIAG_ERROR ||
		    (n > 0 && d.items[i].line == lines[n - 1]))
			continue;
		assert_true(n < ARRAY_LEN(lines));
		if (d.items[i].line != lines[n])
			config_print(&d);
		assert_int_equal(d.items[i].line, lines[n++]);
	}
	assert_int_equal(n, ARRAY_LEN(lines));
}

static void test_errors_are_bounded(void **state DAE_UNUSED)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	char text[4096] = "global {\n";
	size_t i;

	for (i = 0; i < 200; i++)
		strcat(text, "x: y\n");
	strcat(text, "}");
	assert_int_equal(config_parse(&c, text, strlen(text), &d), -22);
	assert_int_equal(d.count, CONFIG_DIAG_ERRORS_MAX);
	assert_int_equal(d.error_count, 200);
	assert_int_equal(d.dropped, 180);
}

/* Texts whose cost a careless lexer squares. */
static void test_hostile_sizes(void **state DAE_UNUSED)
{
	static const char *const units[] = {
		"/* ", "'\\' ", "\"", "a{", "(", "?", "a ", "a:b,", "!", "#\n"
	};
	enum { SIZE = 1 << 19 };
	char *text = malloc(SIZE);
	size_t i, at, n;

	assert_non_null(text);
	for (i = 0; i < ARRAY_LEN(units); i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;

		n = strlen(units[i]);
		memcpy(text, "node {", 6);
		for (at = 6; at + n <= SIZE; at += n)
			memcpy(text + at, units[i], n);
		assert_int_equal(config_parse(&c, text, at, &d), -22);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_errors_are_bounded),
		cmocka_unit_test(test_hostile_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
