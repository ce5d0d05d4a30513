/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/dns_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

#define ID 0x1234

static struct dns_question question(const char *name, uint16_t type)
{
	struct dns_question q;

	assert_int_equal(dns_question_init(&q, name, type, ID), 0);
	return q;
}

static void names_in(void **state DAE_UNUSED)
{
	static const struct {
		const char *name;
		int want;
		const char *wire;
		size_t len;
	} rows[] = {
		{ "a.b", 0, "\1a\1b", 5 },
		{ "a.b.", 0, "\1a\1b", 5 },
		{ ".", 0, "", 1 },
		{ "_dns.x", 0, "\4_dns\1x", 8 },
		{ "", -EINVAL, NULL, 0 },
		{ "..", -EINVAL, NULL, 0 },
		{ ".a", -EINVAL, NULL, 0 },
		{ "a..b", -EINVAL, NULL, 0 },
		{ "a\\.b", -EINVAL, NULL, 0 },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "89012.x",
		  0, NULL, 67 },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "890123.x",
		  -EINVAL, NULL, 0 },
	};
	struct dns_question q;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(dns_question_init(&q, rows[i].name, 1, ID),
				 rows[i].want);
		if (rows[i].want < 0)
			continue;
		assert_int_equal(q.name_len, rows[i].len);
		if (rows[i].wire)
			assert_memory_equal(q.name, rows[i].wire, q.name_len);
	}
}

static void longest_name(void **state DAE_UNUSED)
{
	char name[260];
	struct dns_question q;
	size_t i;

	for (i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = '\0'; /* 127 labels of one letter: 255 on the wire */
	assert_int_equal(dns_question_init(&q, name, 1, ID), 0);
	assert_int_equal(q.name_len, 255);
	name[253] = '.';
	name[255] = '\0';
	assert_int_equal(dns_question_init(&q, name, 1, ID), -EINVAL);
}

/* The sheet's vector: www.example.com A, id 0. */
static void query_out(void **state DAE_UNUSED)
{
	static const uint8_t want[] = "\0\0\1\0\0\1\0\0\0\0\0\0\3www\7example"
				      "\3com\0\0\1\0\1";
	uint8_t buf[DNS_QUERY_MAX];
	struct dns_question q;

	assert_int_equal(dns_question_init(&q, "www.example.com", 1, 0), 0);
	assert_int_equal(dns_query_build(&q, buf, sizeof(buf)), 33);
	assert_memory_equal(buf, want, 33);
	assert_int_equal(dns_query_build(&q, buf, 32), -EMSGSIZE);
}

#define HEAD(flags, qd, an) "\x12\x34" flags "\0" qd "\0" an "\0\0\0\0"
#define ASKED "\1a\1b\0\0\1\0\1" /* a.b A IN, at offset 12 */
#define ASKED_TXT "\1a\1b\0\0\x10\0\1"
#define OWNER "\xc0\x0c"
#define A_RR(ttl, d) OWNER "\0\1\0\1\0\0\0" ttl "\0\4\xc0\0\2" d
#define SELF "\xc0\x15" /* the first answer's own name */

struct row {
	const char *what;
	const char *msg;
	size_t len;
	int want;
	uint16_t rcode, records;
	uint8_t naddrs;
	uint32_t ttl_s;
};

#define MSG(s) s, sizeof(s) - 1

/* clang-format off */
static const struct row rows[] = {
	{"one address", MSG(HEAD("\x81\x80", "\1", "\1") ASKED A_RR("\x3c", "\1")),
	 0, 0, 1, 1, 60},
	{"the lesser ttl",
	 MSG(HEAD("\x81\x80", "\1", "\2") ASKED A_RR("\x3c", "\1")
	     A_RR("\5", "\2")), 0, 0, 2, 2, 5},
	{"name in another case",
	 MSG(HEAD("\x81\x80", "\1", "\1") "\1A\1b\0\0\1\0\1" A_RR("\1", "\1")),
	 0, 0, 1, 1, 1},
	{"behind a CNAME",
	 MSG(HEAD("\x81\x80", "\1", "\2") ASKED
	     OWNER "\0\5\0\1\0\0\0\7\0\3\1c\0"
	     "\1c\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"), 0, 0, 1, 1, 7},
	{"record of another name",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     "\1z\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"), 0, 0, 0, 0, 0},
	{"no data", MSG(HEAD("\x81\x80", "\1", "\0") ASKED), 0, 0, 0, 0, 0},
	{"no such name", MSG(HEAD("\x81\x83", "\1", "\0") ASKED), 0, 3, 0, 0, 0},
	{"refused without the question", MSG(HEAD("\x81\x85", "\0", "\0")),
	 0, 5, 0, 0, 0},
	{"a negative ttl is none",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     OWNER "\0\1\0\1\x80\0\0\0\0\4\xc0\0\2\1"), 0, 0, 1, 1, 0},
	/* answers to somebody else */
	{"another id", MSG("\x12\x35\x81\x80\0\1\0\0\0\0\0\0" ASKED), -ESTALE,
	 0, 0, 0, 0},
	{"a question", MSG(HEAD("\1\0", "\1", "\0") ASKED), -ESTALE, 0, 0, 0, 0},
	{"another name",
	 MSG(HEAD("\x81\x80", "\1", "\0") "\1a\1c\0\0\1\0\1"), -ESTALE,
	 0, 0, 0, 0},
	{"another type", MSG(HEAD("\x81\x80", "\1", "\0") "\1a\1b\0\0\x1c\0\1"),
	 -ESTALE, 0, 0, 0, 0},
	{"another class", MSG(HEAD("\x81\x80", "\1", "\0") "\1a\1b\0\0\1\0\3"),
	 -ESTALE, 0, 0, 0, 0},
	{"too short for a head", MSG("\x12\x34\x81"), -ESTALE, 0, 0, 0, 0},
	/* damaged */
	{"no question where one must be", MSG(HEAD("\x81\x80", "\0", "\0")),
	 -EBADMSG, 0, 0, 0, 0},
	{"question cut off", MSG(HEAD("\x81\x80", "\1", "\0") "\1a\1b\0\0\1"),
	 -EBADMSG, 0, 0, 0, 0},
	{"fewer answers than counted",
	 MSG(HEAD("\x81\x80", "\1", "\2") ASKED A_RR("\1", "\1")), -EBADMSG,
	 0, 0, 0, 0},
	{"an address of three bytes",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     OWNER "\0\1\0\1\0\0\0\1\0\3\xc0\0\2"), -EBADMSG, 0, 0, 0, 0},
	{"data longer than the message",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     OWNER "\0\1\0\1\0\0\0\1\xff\xff\xc0\0\2\1"), -EBADMSG, 0, 0, 0, 0},
	{"a name that points to itself",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     SELF "\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"), -EBADMSG, 0, 0, 0, 0},
	{"a name that points forward",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     "\xc0\x20\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"), -EBADMSG, 0, 0, 0, 0},
	{"a pointer cut in half",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED "\xc0"), -EBADMSG, 0, 0, 0, 0},
	{"a label of a reserved kind",
	 MSG(HEAD("\x81\x80", "\1", "\1") ASKED
	     "\x41x\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"), -EBADMSG, 0, 0, 0, 0},
};
/* clang-format on */

static void answers_in(void **state DAE_UNUSED)
{
	const struct dns_question q = question("a.b", DNS_TYPE_A);
	struct dns_answer a;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		r = dns_answer_parse(&q, rows[i].msg, rows[i].len, "", &a);
		if (r != rows[i].want)
			fail_msg("%s: %d", rows[i].what, r);
		if (r < 0)
			continue;
		if (a.rcode != rows[i].rcode || a.records != rows[i].records ||
		    a.naddrs != rows[i].naddrs || a.ttl_s != rows[i].ttl_s)
			fail_msg("%s: rcode %u records %u addrs %u ttl %u",
				 rows[i].what, a.rcode, a.records, a.naddrs,
				 a.ttl_s);
	}
}

static void every_cut_of_an_answer_is_harmless(void **state DAE_UNUSED)
{
	const struct dns_question q = question("a.b", DNS_TYPE_A);
	struct dns_answer a;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (n = 0; n < rows[i].len; n++)
			dns_answer_parse(&q, rows[i].msg, n, "x", &a);
}

static void truncated_is_no_damage(void **state DAE_UNUSED)
{
	static const char msg[] = HEAD("\x83\x80", "\1", "\2")
		ASKED A_RR("\1", "\1");
	const struct dns_question q = question("a.b", DNS_TYPE_A);
	struct dns_answer a;

	assert_int_equal(dns_answer_parse(&q, msg, sizeof(msg) - 1, "", &a), 0);
	assert_true(a.truncated);
	assert_int_equal(a.naddrs, 1);
}

static void more_addresses_than_kept(void **state DAE_UNUSED)
{
	static const char head[] = HEAD("\x81\x80", "\1", "\x14") ASKED;
	static const char rr[] = A_RR("\1", "\1");
	const struct dns_question q = question("a.b", DNS_TYPE_A);
	char msg[512];
	size_t len = sizeof(head) - 1;
	struct dns_answer a;
	int i;

	memcpy(msg, head, len);
	for (i = 0; i < 20; i++, len += sizeof(rr) - 1)
		memcpy(msg + len, rr, sizeof(rr) - 1);
	assert_int_equal(dns_answer_parse(&q, msg, len, "", &a), 0);
	assert_int_equal(a.records, 20);
	assert_int_equal(a.naddrs, DNS_ADDRS_MAX);
}

static void wanted_data(void **state DAE_UNUSED)
{
	static const char a_msg[] = HEAD("\x81\x80", "\1", "\1")
		ASKED A_RR("\1", "\7");
	static const char txt_msg[] = HEAD("\x81\x80", "\1", "\1")
		ASKED_TXT OWNER "\0\x10\0\1\0\0\0\1\0\6\2he\2lo";
	static const char ns_msg[] = HEAD(
		"\x81\x80", "\1", "\1") "\1a\1b\0\0\2\0\1" OWNER
					"\0\2\0\1\0\0\0\1\0\5\2ns\xc0\x0c";
	static const struct {
		uint16_t type;
		const char *msg;
		size_t len;
		const char *want;
		bool has;
	} cases[] = {
		{ DNS_TYPE_A, MSG(a_msg), "192.0.2.7", true },
		{ DNS_TYPE_A, MSG(a_msg), "192.0.2.8", false },
		{ DNS_TYPE_A, MSG(a_msg), "x", false },
		{ DNS_TYPE_TXT, MSG(txt_msg), "helo", true },
		{ DNS_TYPE_TXT, MSG(txt_msg), "hel", false },
		{ DNS_TYPE_NS, MSG(ns_msg), "NS.a.b", true },
		{ DNS_TYPE_NS, MSG(ns_msg), "ns.a.b.", true },
		{ DNS_TYPE_NS, MSG(ns_msg), "ns.a.c", false },
		{ DNS_TYPE_NS, MSG(ns_msg), "ns.a.b.c", false },
	};
	struct dns_question q;
	struct dns_answer a;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		q = question("a.b", cases[i].type);
		assert_int_equal(dns_answer_parse(&q, cases[i].msg,
						  cases[i].len, cases[i].want,
						  &a),
				 0);
		if (a.has_wanted != cases[i].has)
			fail_msg("%s", cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in),
		cmocka_unit_test(longest_name),
		cmocka_unit_test(query_out),
		cmocka_unit_test(answers_in),
		cmocka_unit_test(every_cut_of_an_answer_is_harmless),
		cmocka_unit_test(truncated_is_no_damage),
		cmocka_unit_test(more_addresses_than_kept),
		cmocka_unit_test(wanted_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
