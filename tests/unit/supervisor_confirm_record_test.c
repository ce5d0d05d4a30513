/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a configuration until another one is confirmed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/config_load.h"
#include "supervisor/confirm_record.h"

static char dir[sizeof("/tmp/dae-confirm.XXXXXX")];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void take_away(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void load(struct config **ret)
{
	auto_diags struct config_diags diags = { .count = 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/config.dae", dir);
	assert_int_equal(config_load(ret, path, &diags), 0);
}

/* An include of several files, one of which includes others. */
static int setup(void **state DAE_UNUSED)
{
	strcpy(dir, "/tmp/dae-confirm.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	put("config.dae", "include { '1*.dae' \n '2.dae' }\n"
			  "routing { fallback: direct }\n");
	put("1a.dae", "node { one: 'socks5://192.0.2.1:1080' }\n");
	put("1b.dae", "include { '3.dae' }\n"
		      "node { two: 'socks5://192.0.2.2:1080' }\n");
	put("2.dae", "group { g { policy: min } }\n");
	put("3.dae", "node { three: 'socks5://u:secret@192.0.2.3:1' }\n");
	return 0;
}

static int teardown(void **state DAE_UNUSED)
{
	static const char *const names[] = { "config.dae", "1a.dae", "1b.dae",
					     "2.dae",	   "3.dae",  "1c.dae" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		take_away(names[i]);
	return rmdir(dir);
}

static void assert_same(const struct config *a, const struct config *b)
{
	assert_int_equal(a->file_count, b->file_count);
	for (size_t i = 0; i < a->file_count; i++) {
		assert_string_equal(a->files[i].path, b->files[i].path);
		assert_int_equal(a->files[i].include, b->files[i].include);
		assert_int_equal(a->files[i].len, b->files[i].len);
		assert_memory_equal(a->files[i].text, b->files[i].text,
				    a->files[i].len);
	}
	assert_int_equal(a->node_count, b->node_count);
	for (size_t i = 0; i < a->node_count; i++) {
		assert_string_equal(a->nodes[i].name, b->nodes[i].name);
		assert_true(a->nodes[i].identity == b->nodes[i].identity);
		assert_int_equal(a->nodes[i].pos.file, b->nodes[i].pos.file);
	}
}

static void files_come_back_as_they_were(void **state DAE_UNUSED)
{
	auto_diags struct config_diags diags = { .count = 0 };
	struct confirm_record r, s = { .file_count = 0 };
	auto_config struct config *c = NULL, *back = NULL;
	auto_free uint8_t *image = NULL;
	size_t len;

	load(&c);
	assert_int_equal(confirm_record_take(&r, c), 0);
	r.timeout_ms = 60000;
	r.refused = 7;
	r.has_gone_back = true;
	r.deadline = (struct confirm_clock){ 100, 200, "boot" };
	assert_int_equal(confirm_record_encode(&r, &image, &len), 0);
	assert_int_equal(confirm_record_decode(&s, image, len), 0);
	/* the files on disk have become others */
	put("1c.dae", "node { four: 'socks5://192.0.2.4:1080' }\n");
	take_away("1a.dae");
	put("2.dae", "nonsense\n");
	assert_int_equal(confirm_record_parse(&s, &back, &diags), 0);
	assert_same(c, back);
	assert_int_equal(back->node_count, 3);
	assert_int_equal(s.timeout_ms, 60000);
	assert_int_equal(s.refused, 7);
	assert_true(s.has_gone_back);
	assert_int_equal(s.deadline.wall_ms, 100);
	assert_int_equal(s.deadline.boot_ms, 200);
	assert_string_equal(s.deadline.boot_id, "boot");
	confirm_record_clear(&r);
	confirm_record_clear(&s);
}

/* No shorter image is taken, and no longer one. */
static void damage_is_noticed(void **state DAE_UNUSED)
{
	struct confirm_record r, s = { .file_count = 0 };
	auto_config struct config *c = NULL;
	auto_free uint8_t *image = NULL;
	uint8_t *more;
	size_t len;

	load(&c);
	assert_int_equal(confirm_record_take(&r, c), 0);
	assert_int_equal(confirm_record_encode(&r, &image, &len), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(confirm_record_decode(&s, image, i), -EBADMSG);
	more = calloc(1, len + 1);
	assert_non_null(more);
	memcpy(more, image, len);
	assert_int_equal(confirm_record_decode(&s, more, len + 1), -EBADMSG);
	free(more);
	image[4] ^= 1; /* another version */
	assert_int_equal(confirm_record_decode(&s, image, len), -EBADMSG);
	assert_int_equal(s.file_count, 0);
	confirm_record_clear(&r);
}

static const struct {
	const char *boot;
	uint64_t boot_ms, wall_ms, want_ms;
} clocks[] = {
	/* given: 60 s, until 160 s of this start, until 1060 s of the wall */
	{ "a", 100000, 1000000, 60000 },
	{ "a", 159999, 5, 1 },	     /* the wall does not matter */
	{ "a", 160000, 1000000, 0 }, /* it is time */
	{ "a", 999999, 1000000, 0 },
	{ "b", 100, 1059000, 1000 }, /* the machine was started anew */
	{ "b", 100, 1060000, 0 },
	{ "b", 100, 2000000, 0 },
	{ "b", 100, 0, 60000 }, /* a clock that is not set yet */
};

static void the_time_left(void **state DAE_UNUSED)
{
	struct confirm_record r = { .timeout_ms = 60000,
				    .deadline = { 1060000, 160000, "a" } };
	struct confirm_clock now;

	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		now = (struct confirm_clock){ .wall_ms = clocks[i].wall_ms,
					      .boot_ms = clocks[i].boot_ms };
		snprintf(now.boot_id, sizeof(now.boot_id), "%s",
			 clocks[i].boot);
		assert_int_equal(confirm_record_left_ms(&r, &now),
				 clocks[i].want_ms);
	}
}

static void another_text_is_another_one(void **state DAE_UNUSED)
{
	auto_config struct config *a = NULL, *b = NULL, *c = NULL;

	load(&a);
	load(&b);
	assert_true(confirm_fingerprint(a) == confirm_fingerprint(b));
	put("2.dae", "group { g { policy: min } } \n");
	load(&c);
	assert_true(confirm_fingerprint(a) != confirm_fingerprint(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_come_back_as_they_were,
						setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_noticed, setup,
						teardown),
		cmocka_unit_test(the_time_left),
		cmocka_unit_test_setup_teardown(another_text_is_another_one,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
