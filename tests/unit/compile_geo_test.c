/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/compile/geo.h"
#include "tests/unit/dat_file.h"

/* What a walk said, one item behind the other. */
struct heard {
	char text[4096];
	size_t count;
	int stop_after; /* 0: never */
};

static int hear_domain(void *ctx, const struct geo_domain *d)
{
	static const char kinds[] = "krdf";
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s%c:%.*s", n ? " " : "",
		 kinds[d->type], (int)d->len, d->value);
	h->count++;
	return h->stop_after && (int)h->count == h->stop_after ? -ECANCELED : 0;
}

static int hear_prefix(void *ctx, const struct prefix *p)
{
	char a[ADDR_STRLEN];
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s%s/%u", n ? " " : "",
		 addr_format(&p->addr, a), p->len);
	h->count++;
	return 0;
}

static int walk(const void *bytes, size_t len, const char *what, bool is_site,
		struct heard *h, struct geo_error *e)
{
	auto_fd int fd = dat_fd(bytes, len);
	struct geo_file *g = NULL;
	bool inverse;
	int r;

	h->text[0] = '\0';
	h->count = 0;
	r = geo_open(&g, fd, e);
	if (r == 0)
		r = is_site ? geo_domains(g, what, hear_domain, h, e)
			    : geo_prefixes(g, what, hear_prefix, h, &inverse,
					   e);
	geo_free(&g);
	return r;
}

/* The bytes of the reference, written down by hand. */
static void test_published_vectors(void **state DAE_UNUSED)
{
	static const uint8_t site[] =
		"\x0a\x2f\x0a\x04TEST\x12\x17\x08\x02\x12\x0b"
		"example.com\x1a\x06\x0a\x02"
		"cn\x10\x01\x12\x07\x08\x03\x12\x03"
		"a.b\x12\x05\x12\x03key";
	static const uint8_t ip[] =
		"\x0a\x24\x0a\x02"
		"CN\x12\x08\x0a\x04\x01\x00\x01\x00\x10\x18\x12\x14\x0a\x10"
		"\x20\x01\x02\x50\0\0\0\0\0\0\0\0\0\0\0\0\x10\x23";
	struct heard h = { 0 };
	struct geo_error e;

	assert_int_equal(walk(site, sizeof(site) - 1, "test", true, &h, &e), 0);
	assert_string_equal(h.text, "d:example.com f:a.b k:key");
	assert_int_equal(walk(site, sizeof(site) - 1, "TEST@CN", true, &h, &e),
			 0);
	assert_string_equal(h.text, "d:example.com");
	assert_int_equal(walk(ip, sizeof(ip) - 1, "cn", false, &h, &e), 0);
	assert_string_equal(h.text, "1.0.1.0/24 2001:250::/35");
}

static void make_site(struct dat *list)
{
	struct dat e = { .len = 0 };

	list->len = 0;
	dat_field_text(&e, 1, "GOOGLE");
	dat_domain(&e, 2, "google.com", "ads cn");
	dat_domain(&e, 3, "www.google.cn", "cn");
	dat_domain(&e, 0, "goog", "!cn");
	dat_domain(&e, 1, "^x\\.", NULL);
	dat_entry(list, &e);
	e.len = 0; /* the code last, and a field that nobody knows */
	dat_field_int(&e, 99, 7);
	dat_domain(&e, 2, "late.org", NULL);
	dat_field_text(&e, 1, "CATEGORY-LATE");
	dat_entry(list, &e);
	e.len = 0;
	dat_field_text(&e, 1, "google"); /* again, in other letters */
	dat_domain(&e, 2, "more.org", "cn");
	dat_entry(list, &e);
	e.len = 0;
	dat_domain(&e, 2, "nameless.org", NULL);
	dat_entry(list, &e);
	e.len = 0; /* nothing at all */
	dat_entry(list, &e);
}

static void test_domains(void **state DAE_UNUSED)
{
	static const struct {
		const char *what, *want; /* NULL: an error with this text */
		const char *error;
	} rows[] = {
		{ "google",
		  "d:google.com f:www.google.cn k:goog r:^x\\. d:more.org",
		  NULL },
		{ "Google@CN", "d:google.com f:www.google.cn d:more.org",
		  NULL },
		{ "google@ads", "d:google.com", NULL },
		{ "google@!cn", "k:goog", NULL },
		{ "google@cn@ads", "d:google.com", NULL },
		{ "google@nobody", "", NULL },
		{ "category-late", "d:late.org", NULL },
		{ "gogle", NULL, "did you mean 'google'" },
		{ "zzzzzzzz", NULL, "none of its 3 lists" },
		{ "", NULL, "no list has a name of 0" },
		{ "google@", NULL, "attribute is missing" },
		{ "google@@cn", NULL, "attribute is missing" },
		{ "google@1@2@3@4@5@6@7@8@9", NULL, "more than 8" },
	};
	struct heard h = { 0 };
	struct geo_error e;
	struct dat list;
	int r;

	make_site(&list);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r = walk(list.bytes, list.len, rows[i].what, true, &h, &e);
		if (rows[i].want) {
			assert_int_equal(r, 0);
			assert_string_equal(h.text, rows[i].want);
			continue;
		}
		assert_true(r < 0);
		assert_non_null(strstr(e.text, rows[i].error));
	}
	h.stop_after = 2;
	assert_int_equal(walk(list.bytes, list.len, "google", true, &h, &e),
			 -ECANCELED);
	assert_int_equal(h.count, 2);
}

static void test_prefixes(void **state DAE_UNUSED)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 77 };
	struct dat list = { .len = 0 }, e = { .len = 0 }, c = { .len = 0 };
	struct geo_file *g = NULL;
	struct heard h = { 0 };
	struct geo_error why;
	auto_fd int fd = -1;
	bool inverse;

	dat_field_text(&e, 1, "MIX");
	dat_cidr(&e, "10.1.2.3/8"); /* host bits are cleared */
	dat_cidr(&e, "2001:db8::1:2/33");
	dat_cidr(&e, "0.0.0.0/0");
	dat_field_bytes(&c, 1, mapped, 16); /* IPv4 in IPv6's clothes */
	dat_field_int(&c, 2, 120);
	dat_field_bytes(&e, 2, c.bytes, c.len);
	c.len = 0; /* longer than the address: left out */
	dat_field_bytes(&c, 1, mapped + 12, 4);
	dat_field_int(&c, 2, 33);
	dat_field_bytes(&e, 2, c.bytes, c.len);
	dat_entry(&list, &e);
	e.len = 0;
	dat_field_text(&e, 1, "NOT");
	dat_cidr(&e, "192.0.2.0/24");
	dat_field_int(&e, 3, 1);
	dat_entry(&list, &e);
	fd = dat_fd(list.bytes, list.len);
	assert_int_equal(geo_open(&g, fd, &why), 0);
	assert_int_equal(
		geo_prefixes(g, "mix", hear_prefix, &h, &inverse, &why), 0);
	assert_false(inverse);
	assert_string_equal(h.text, "10.0.0.0/8 2001:db8::/33 0.0.0.0/0 "
				    "192.0.2.0/24");
	assert_int_equal(
		geo_prefixes(g, "NOT", hear_prefix, &h, &inverse, &why), 0);
	assert_true(inverse);
	geo_free(&g);
}

/* Whatever is cut off, it is said or it is a whole list less; never a crash
 * and never an item that was not there. */
static void test_truncated(void **state DAE_UNUSED)
{
	struct heard all = { 0 }, h = { 0 };
	struct geo_error e;
	struct dat list;
	int r;

	make_site(&list);
	assert_int_equal(walk(list.bytes, list.len, "google", true, &all, &e),
			 0);
	for (size_t n = 0; n < list.len; n++) {
		r = walk(list.bytes, n, "google", true, &h, &e);
		assert_true(r == 0 || (r < 0 && e.text[0]));
		assert_memory_equal(all.text, h.text, strlen(h.text));
	}
}

static void check_broken(const struct dat *list, int want, const char *text)
{
	struct heard h = { 0 };
	struct geo_error e = { .text = "" };
	int r = walk(list->bytes, list->len, "x", true, &h, &e);

	assert_int_equal(r, want);
	assert_non_null(strstr(e.text, text));
}

static void test_broken(void **state DAE_UNUSED)
{
	struct dat list = { .len = 0 }, e = { .len = 0 }, d = { .len = 0 };

	check_broken(&list, -EBADMSG, "no list"); /* empty */
	dat_field_text(&list, 1, "");
	check_broken(&list, -EBADMSG, "no list");
	memset(list.bytes, 0xff, 64); /* a varint without an end */
	list.len = 64;
	check_broken(&list, -EBADMSG, "damaged at byte 0");
	list.len = 0;
	dat_varint(&list, 1 << 3 | 2); /* longer than the file */
	dat_varint(&list, 1ULL << 40);
	check_broken(&list, -EBADMSG, "damaged at byte 0");
	list.len = 0;
	dat_varint(&list, 1 << 3 | 3); /* a wire type that is no more */
	dat_varint(&list, 1);
	check_broken(&list, -EBADMSG, "damaged");
	list.len = 0;
	dat_field_text(&e, 1, "X");
	dat_field_text(&e, 2, "\xff\xff"); /* an item that is no message */
	dat_entry(&list, &e);
	check_broken(&list, -EBADMSG, "damaged");
	list.len = e.len = 0;
	dat_field_text(&e, 1, "X");
	dat_domain(&e, 4, "unknown.type", NULL);
	dat_entry(&list, &e);
	check_broken(&list, -EBADMSG, "damaged");
	list.len = e.len = 0;
	dat_field_text(&e, 1, "X");
	dat_field_int(&e, 2, 5); /* an item that is a number */
	dat_entry(&list, &e);
	check_broken(&list, -EBADMSG, "damaged");
	list.len = e.len = 0;
	memset(d.bytes, 'a', 200); /* a code that is none */
	dat_field_bytes(&e, 1, d.bytes, 200);
	dat_entry(&list, &e);
	check_broken(&list, -EBADMSG, "damaged");
}

/* An item of more attributes than the memory for one holds. */
static void test_absurd_item(void **state DAE_UNUSED)
{
	struct dat list = { .len = 0 }, e = { .len = 0 }, d = { .len = 0 };

	dat_field_text(&d, 2, "x.org");
	for (int i = 0; i < 2000; i++)
		dat_field_bytes(&d, 3, "", 0);
	dat_field_text(&e, 1, "X");
	dat_field_bytes(&e, 2, d.bytes, d.len);
	dat_entry(&list, &e);
	check_broken(&list, -EBADMSG, "damaged");
}

static void test_absurd_sizes(void **state DAE_UNUSED)
{
	auto_fd int fd = dat_fd("", 0);
	struct geo_file *g = NULL;
	struct geo_error e;
	struct dat d = { .len = 0 };
	int pipes[2];

	assert_int_equal(ftruncate(fd, (off_t)GEO_FILE_MAX + 1), 0);
	assert_int_equal(geo_open(&g, fd, &e), -EFBIG);
	assert_null(g);
	/* one list of 65 MiB that is all there, and mostly a hole */
	dat_varint(&d, 1 << 3 | 2);
	dat_varint(&d, GEO_ENTRY_MAX + (1U << 20));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, d.bytes, d.len, 0), (ssize_t)d.len);
	assert_int_equal(ftruncate(fd, GEO_ENTRY_MAX + (2 << 20)), 0);
	assert_int_equal(geo_open(&g, fd, &e), -EFBIG);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(geo_open(&g, pipes[0], &e), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
}

/* The file is written over while it is open. */
static void test_shrinks(void **state DAE_UNUSED)
{
	struct geo_file *g = NULL;
	struct heard h = { 0 };
	struct geo_error e;
	auto_fd int fd = -1;
	struct dat list;

	make_site(&list);
	fd = dat_fd(list.bytes, list.len);
	assert_int_equal(geo_open(&g, fd, &e), 0);
	assert_int_equal(ftruncate(fd, 20), 0);
	assert_int_equal(geo_domains(g, "google", hear_domain, &h, &e),
			 -EBADMSG);
	assert_non_null(strstr(e.text, "shorter"));
	geo_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_absurd_item),
		cmocka_unit_test(test_absurd_sizes),
		cmocka_unit_test(test_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
