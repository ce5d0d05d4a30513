/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups: which nodes they take, and how they choose. */
#include "config_helper.h"

#define NODES                                                                  \
	"node { HK-1: 'direct://' HK-02: 'direct://' jp-1: 'direct://' "       \
	"'\xe9\xa6\x99\xe6\xb8\xaf 3: direct://' 'us.1: direct://' }\n"

/* The lines of a group, and the numbers of its nodes with their latency in ms
 * where there is one. */
static const struct {
	const char *lines, *want;
} filters[] = {
	{ "", "0 1 2 3 4" },
	{ "filter: name(HK-1)", "0" },
	{ "filter: name(hk-1)", "" },
	{ "filter: name(HK-1, jp-1)", "0 2" },
	{ "filter: name(keyword: HK)", "0 1" },
	{ "filter: name(keyword: '-1', us.1)", "0 2 4" },
	{ "filter: !name(keyword: HK)", "2 3 4" },
	{ "filter: name(keyword: HK) && !name(keyword: 02)", "0" },
	{ "filter: subtag(x)", "" },
	{ "filter: !subtag(x)", "0 1 2 3 4" },
	{ "filter: name(HK-1) filter: name(jp-1)", "0 2" },
	{ "filter: name(HK-1) [add_latency: -5ms] filter: name(keyword: HK) "
	  "[add_latency: 0, add_latency: 7ms, add_latency: 9ms]",
	  "0-5 1+7" },
	{ "filter: name(regex: '^HK')", "0 1" },
	{ "filter: name(regex: '(?i)^hk-\\d{1,2}$')", "0 1" },
	{ "filter: name(regex: '^\\w+-\\d$')", "0 2" },
	{ "filter: name(regex: '(?:HK|jp)-0?1')", "0 2" },
	{ "filter: name(regex: 'H.*?1')", "0" },
	{ "filter: name(regex: '[\xe9\xa6\x99\xe5\x8f\xb0]|us')", "3 4" },
	{ "filter: name(regex: '^(\xe9\xa6\x99)?\xe6\xb8\xaf?\\s*\\d$')", "3" },
	{ "filter: name(regex: 's\\.1$')", "4" },
	{ "filter: name(regex: '[\\d.]{2,}')", "1 4" },
	{ "filter: name(regex: '[^\\-\\]A-Za-z0-9. ]')", "3" },
	{ "filter: name(regex: '\\AHK\\-1\\Z')", "0" },
	{ "filter: name(regex: '\\bjp\\b')", "2" },
	{ "filter: name(regex: '[\\^]|p[-]')", "2" },
	{ "filter: name(regex: '\\D\\W\\d\\s?$')", "0 2 3 4" },
	/* look-ahead at the very start, as subscriptions' users have it */
	{ "filter: name(regex: '^(?!HK)')", "2 3 4" },
	{ "filter: !name(regex: '^(?=HK)')", "2 3 4" },
	{ "filter: name(regex: '^(?!.*(02|us)).*$')", "0 2 3" },
	{ "filter: name(regex: '(?i)^(?!.*(hk|US)).*1$')", "2" },
	{ "filter: name(regex: '^(?=.*1$)(?!us)')", "0 2" },
	{ "filter: name(regex: '^(?![)(jHJ\\]]).*')", "3 4" },
	/* what no node is known to match, and not to match */
	{ "filter: name(regex: 'x(?!HK)')", "" },
	{ "filter: !name(regex: '^a(?=HK)')", "" },
	{ "filter: name(regex: '^(?!a)(?!b)(?!c)(?!d)(?!e)')", "" },
	{ "filter: name(regex: '(?<=x)', us.1)", "4" },
};

static void test_filters(void **state DAE_UNUSED)
{
	const struct group_member *m;
	char text[1024], got[128];
	size_t i, k, n;

	for (i = 0; i < ARRAY_LEN(filters); i++) {
		auto_config struct config *c = NULL;

		snprintf(text, sizeof(text),
			 NODES "group { g { %s\npolicy: min "
			       "} }",
			 filters[i].lines);
		c = config_of(text);
		got[0] = '\0';
		for (n = k = 0; k < c->groups[0].member_count; k++) {
			m = &c->groups[0].members[k];
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%zu",
					      k > 0 ? " " : "", m->node);
			if (m->add_latency_ns != 0)
				n += (size_t)snprintf(
					got + n, sizeof(got) - n, "%+d",
					(int)(m->add_latency_ns /
					      (int64_t)NS_PER_MS));
		}
		if (strcmp(got, filters[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", filters[i].lines,
				 got, filters[i].want);
	}
}

#define G(lines) NODES "group { g { " lines " } }"

static const struct config_case cases[] = {
	{ G("policy: random"), NULL },
	{ G("policy: fixed(0)"), NULL },
	{ G("policy: fixed(4)"), NULL },
	{ G("policy: min_avg10"), NULL },
	{ G("policy: min_moving_avg check_interval: 5s check_tolerance: 0"),
	  NULL },
	{ G("policy: fallback on_all_dead: direct"), NULL },
	{ G("policy: sticky on_all_dead: last"), NULL },
	{ G("policy: fixed(5)"), "E 0 to 4" },
	{ G("policy: fixed"), "E takes the number" },
	{ G("policy: fixed(x)"), "E takes the number" },
	{ G("policy: fixed(0, 1)"), "E takes the number" },
	{ G("policy: fixed(a: 1)"), "E takes the number" },
	{ G("policy: !fixed(0)"), "E cannot be negated" },
	{ G("policy: min(1)"), "E takes no parameters" },
	{ G("policy: min, random"), "E exactly one policy" },
	{ G("policy: min_avg"), "E did you mean 'min_avg10'?" },
	{ G("policy: qqqqqqqq"), "E unknown policy" },
	{ G("policy: min on_all_dead: lst"), "E did you mean 'last'?" },
	{ G("policy: min filtr: name(x)"), "E did you mean 'filter'?" },
	{ G("policy: min filter: x"), "E expects name(...)" },
	{ G("policy: min filter: nme(x)"), "E did you mean 'name'?" },
	{ G("policy: min filter: name(keywrd: x)"), "E mean 'keyword'?" },
	{ G("policy: min filter: subtag(keyword: x)"), "E subtag() does not" },
	{ G("policy: min filter: name(HK-1) [add_latncy: 1s]"),
	  "E did you mean 'add_latency'?" },
	{ G("policy: min filter: name(HK-1) [1s]"), "E [add_latency: DUR" },
	{ G("policy: min filter: name(HK-1) [add_latency: 1]"),
	  "E expects a duration" },
	{ G("policy: min filter: name(regex: '(')"), "E bad regular" },
	{ G("policy: min filter: name(regex: '[a')"), "E without ']'" },
	{ G("policy: min filter: name(regex: '[]')"), "E empty brackets" },
	{ G("policy: min filter: name(regex: '')"), "E it is empty" },
	{ G("policy: min filter: name(regex: 'a{3,2}')"), "E from more" },
	{ G("policy: min filter: name(regex: 'a{9999}')"), "W repetitions" },
	{ G("policy: min filter: name(regex: '((a{50}){50}){50}')"),
	  "W so many repetitions" },
	{ G("policy: min filter: name(regex: '(a)\\1')"), "W back ref" },
	{ G("policy: min filter: name(regex: '\\p{Han}')"), "W this escape" },
	{ G("policy: min filter: name(regex: '[[:alpha:]]')"), "W such a" },
	{ G("policy: min filter: name(regex: '(?<n>x)')"), "W named groups" },
	{ G("policy: min filter: name(regex: '[^\xe9\xa6\x99]')"),
	  "W negated" },
	{ G("policy: min filter: name(regex: 'a{x}b{2')"), "W has no nodes" },
	{ G("policy: min tcp_check_url: 'http://h'"), "W has no effect" },
	{ G("policy: min x { }"), "E unknown section 'x'" },
	{ G("policy: min filter { }"), "E 'filter' is a key" },
	{ G("policy: min dport(1) -> x"), "E a rule cannot stand" },
	{ G("filter: name(HK-1)"), "E group 'g' has no policy" },
	{ "group { g { policy: min } }", "W group 'g' has no nodes" },
	{ "group { policy: min }", "E holds groups only" },
	{ "group { direct { policy: min } }", "E no name for a group" },
	{ "group { block { policy: min } }", "E no name for a group" },
	{ "group { must_x { policy: min } }", "E no name for a group" },
	{ "group { a { policy: min } a { policy: min } }", "E exists already" },
};

static void test_cases(void **state DAE_UNUSED)
{
	config_check_cases(cases, ARRAY_LEN(cases));
}

static void test_typed(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		NODES
		"group { a { policy: fixed(2) check_interval: 5s }\n"
		"b { policy: sticky on_all_dead: block check_tolerance: 50ms }\n"
		"c { policy: min } }\n"
		"routing { dport(1) -> b } supervisor { on_all_dead: last }");

	assert_int_equal(c->group_count, 3);
	assert_int_equal(c->groups[0].fixed_index, 2);
	assert_int_equal(c->groups[0].check_interval_ns, 5 * NS_PER_S);
	assert_false(c->groups[0].has_tolerance);
	assert_int_equal(c->groups[0].on_all_dead, ALL_DEAD_LAST);
	assert_string_equal(group_policy_name(c->groups[1].policy), "sticky");
	assert_string_equal(group_policy_name(POLICY_COUNT), "?");
	assert_int_equal(c->groups[1].on_all_dead, ALL_DEAD_BLOCK);
	assert_int_equal(c->groups[1].check_tolerance_ns, 50 * NS_PER_MS);
	assert_true(c->groups[1].has_tolerance);
	assert_true(c->groups[1].is_used);
	assert_false(c->groups[2].is_used);
	assert_int_equal(c->groups[2].pos.line, 4);
	assert_true(config_group_can_carry(c, &c->groups[0]));
	assert_ptr_equal(config_find_group(c, "c"), &c->groups[2]);
	assert_null(config_find_group(c, "d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
