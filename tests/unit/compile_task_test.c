/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/compile/task.h"
#include "supervisor/config/config_parse.h"

static const char text[] =
	"global { }\nnode { a: 'direct://' }\n"
	"group { g { filter: name(a) policy: fixed(0) } }\nrouting {\n"
	"dip(10.0.0.0/8, '2001:db8::/32', geoip:cn) && !sip(192.0.2.1) -> g\n"
	"domain(a.b, full: c.d, keyword: e, regex: 'f', geosite: cn@ads,\n"
	" ext: 'own.dat:tag') -> must_rules\n"
	"dport(1-2, 443) && sport(53) && l4proto(udp) && ipversion(4, 6)\n"
	" && mac('02:00:00:00:00:01') && pname(curl) && dscp(46)\n"
	" -> direct(must, mark: 0x10)\n"
	"fallback: block }\nsupervisor { mode: observe }\n";
static const char *const files[] = { "geoip.dat", "geosite.dat", "own.dat" };
static const char *const names[] = { "www.a.b", "c.d" };
static const uint16_t ids[] = { 200 };

static void *encode(struct config **ret, size_t *ret_len)
{
	struct config_diags diags = { 0 };
	struct task_request q = { .kind = TASK_COMPILE,
				  .seed = 0x1122334455667788,
				  .group_ids = ids,
				  .group_count = 1,
				  .files = files,
				  .file_count = ARRAY_LEN(files),
				  .names = names,
				  .name_count = ARRAY_LEN(names) };
	struct task_error e;
	void *data;

	if (config_parse(ret, text, strlen(text), &diags) < 0)
		fail_msg("%s", diags.count ? diags.items[0].message : "?");
	config_diags_clear(&diags);
	q.routing = &(*ret)->routing;
	assert_int_equal(task_request_encode(&q, &data, ret_len, &e), 0);
	return data;
}

static void same_value(enum rule_fn fn, const struct rule_value *a,
		       const struct rule_value *b)
{
	assert_int_equal(a->key, b->key);
	assert_memory_equal(&a->pos, &b->pos, sizeof(a->pos));
	if (a->text) {
		assert_string_equal(a->text, b->text);
		return;
	}
	switch (fn) {
	case RULE_DIP:
	case RULE_SIP:
		assert_memory_equal(&a->prefix, &b->prefix, sizeof(a->prefix));
		break;
	case RULE_DPORT:
	case RULE_SPORT:
		assert_memory_equal(&a->range, &b->range, sizeof(a->range));
		break;
	case RULE_MAC:
		assert_memory_equal(a->mac, b->mac, sizeof(a->mac));
		break;
	default:
		assert_int_equal(a->number, b->number);
	}
}

static void same_outbound(const struct rule_outbound *a,
			  const struct rule_outbound *b)
{
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->must, b->must);
	assert_int_equal(a->has_mark, b->has_mark);
	assert_int_equal(a->mark, b->mark);
}

static void test_round_trip(void **state DAE_UNUSED)
{
	auto_config struct config *c = NULL;
	const struct config_routing *r, *d;
	struct task_decoded out;
	size_t len;
	auto_free void *data = encode(&c, &len);

	assert_int_equal(task_request_decode(data, len, &out), 0);
	r = &c->routing;
	d = out.q.routing;
	assert_int_equal(out.q.seed, 0x1122334455667788);
	assert_int_equal(out.q.group_ids[0], 200);
	assert_int_equal(out.q.file_count, 3);
	assert_string_equal(out.q.files[2], "own.dat");
	assert_string_equal(out.q.names[1], "c.d");
	assert_int_equal(d->rule_count, r->rule_count);
	for (size_t i = 0; i < r->rule_count; i++) {
		const struct config_rule *a = &r->rules[i], *b = &d->rules[i];

		same_outbound(&a->out, &b->out);
		assert_memory_equal(&a->pos, &b->pos, sizeof(a->pos));
		assert_int_equal(a->cond_count, b->cond_count);
		for (size_t k = 0; k < a->cond_count; k++) {
			const struct rule_cond *x = &a->conds[k],
					       *y = &b->conds[k];

			assert_int_equal(x->fn, y->fn);
			assert_int_equal(x->negate, y->negate);
			assert_int_equal(x->value_count, y->value_count);
			for (size_t n = 0; n < x->value_count; n++)
				same_value(x->fn, &x->values[n], &y->values[n]);
		}
	}
	same_outbound(&r->fallback, &d->fallback);
	task_decoded_clear(&out);
}

/* Cut anywhere, with a byte too many, or with any byte changed: refused, or
 * what was read stays within bounds (the sanitizers see to that). */
static void test_damaged(void **state DAE_UNUSED)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	auto_config struct config *c = NULL;
	struct task_decoded out;
	size_t len, i;
	auto_free uint8_t *data = encode(&c, &len);
	auto_free uint8_t *copy = malloc(len + 1);

	for (i = 0; i < len; i++)
		assert_int_equal(task_request_decode(data, i, &out), -EBADMSG);
	memcpy(copy, data, len);
	copy[len] = 0;
	assert_int_equal(task_request_decode(copy, len + 1, &out), -EBADMSG);
	for (i = 0; i < len; i++) {
		for (size_t k = 0; k < ARRAY_LEN(flips); k++) {
			copy[i] ^= flips[k];
			if (task_request_decode(copy, len, &out) == 0)
				task_decoded_clear(&out);
			copy[i] ^= flips[k];
		}
	}
}

static void test_report(void **state DAE_UNUSED)
{
	struct dae_bitmap sets[2] = { { { 1 } }, { { 0, 2 } } };
	struct task_error warning = { .pos = { 1, 2, 3 }, .text = "w\x1b[1m" };
	struct task_report r = { .is_error = true,
				 .error = { .text = "no\x80" },
				 .warnings = &warning,
				 .warning_count = 1,
				 .given_up = 9,
				 .sets = sets,
				 .set_count = 2 },
			   out;
	auto_free void *data = NULL;
	size_t len;

	assert_int_equal(task_report_encode(&r, &data, &len), 0);
	assert_int_equal(task_report_decode(data, len, &out), 0);
	assert_true(out.is_error);
	assert_string_equal(out.error.text, "no\xef\xbf\xbd");
	assert_null(strchr(out.warnings[0].text, '\x1b'));
	assert_int_equal(out.warnings[0].pos.line, 3);
	assert_int_equal(out.given_up, 9);
	assert_memory_equal(out.sets, sets, sizeof(sets));
	task_report_clear(&out);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(task_report_decode(data, i, &out), -EBADMSG);
}

/* A value that the format does not hold is named by its place. */
static void test_too_long(void **state DAE_UNUSED)
{
	char word[TASK_TEXT_MAX + 2];
	struct rule_value v = { .key = RULE_KEY_KEYWORD,
				.pos = { .line = 4, .column = 2 },
				.text = word };
	struct rule_cond c = { .fn = RULE_DOMAIN,
			       .values = &v,
			       .value_count = 1 };
	struct config_rule rule = { .conds = &c, .cond_count = 1 };
	struct config_routing routing = { .rules = &rule, .rule_count = 1 };
	struct task_request q = { .kind = TASK_COMPILE, .routing = &routing };
	struct task_error e;
	void *data;
	size_t len;

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(task_request_encode(&q, &data, &len, &e), -E2BIG);
	assert_int_equal(e.pos.line, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
