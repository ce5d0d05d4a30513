/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/compile/geo_files.h"

static char root[] = "/tmp/dae-geo-files.XXXXXX";

static char *path_of(const char *below)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, below);
	return path;
}

static void put(const char *below, const char *text)
{
	assert_int_equal(fd_write_file_atomic(path_of(below), text,
					      strlen(text), 0644),
			 0);
}

static const char *const folders[] = { "one",	     "two",	 "config",
				       "home",	     "home/dae", "system",
				       "system/dae", "a" };

static int make(void **state DAE_UNUSED)
{
	char list[PATH_MAX];

	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(path_of(folders[i]), 0755) < 0)
			return -1;
	snprintf(list, sizeof(list), "%s/one::%s/two", root, root);
	setenv("DAE_LOCATION_ASSET", list, 1);
	setenv("XDG_DATA_HOME", path_of("home"), 1);
	setenv("XDG_DATA_DIRS", path_of("system"), 1);
	return 0;
}

static int clean(void **state DAE_UNUSED)
{
	static const char *const files[] = {
		"one/geoip.dat",	"two/geoip.dat",
		"config/geoip.dat",	"home/dae/geoip.dat",
		"system/dae/geoip.dat",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path_of(files[i]));
	for (size_t i = ARRAY_LEN(folders); i-- > 0;)
		rmdir(path_of(folders[i]));
	return rmdir(root);
}

static int open_for(enum rule_key key, const char *text, struct geo_files *f,
		    struct task_error *e)
{
	struct rule_value v = { .key = key,
				.pos = { .line = 7, .column = 9 },
				.text = (char *)text };
	struct rule_cond c = { .fn = RULE_DIP, .values = &v, .value_count = 1 };
	struct config_rule rule = { .conds = &c, .cond_count = 1 };
	struct config_routing routing = { .rules = &rule, .rule_count = 1 };

	*f = (struct geo_files){ .count = 0 };
	*e = (struct task_error){ .text = "" };
	return geo_files_open(f, &routing, path_of("config/config.dae"), e);
}

/* From the last place to the first: each goes before those before it. */
static void test_order(void **state DAE_UNUSED)
{
	static const char *const order[] = {
		"system/dae/geoip.dat", "home/dae/geoip.dat",
		"config/geoip.dat",	"two/geoip.dat",
		"one/geoip.dat",
	};
	struct geo_files f;
	struct task_error e;
	char got[64];
	ssize_t n;

	assert_int_equal(open_for(RULE_KEY_GEOIP, "cn", &f, &e), -ENOENT);
	assert_non_null(strstr(e.text, "there is no geoip.dat in"));
	assert_non_null(strstr(e.text, "/one,"));
	assert_non_null(strstr(e.text, "/config,"));
	assert_non_null(strstr(e.text, "/system/dae"));
	assert_int_equal(e.pos.line, 7);
	geo_files_close(&f);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		put(order[i], order[i]);
		assert_int_equal(open_for(RULE_KEY_GEOIP, "cn", &f, &e), 0);
		assert_int_equal(f.count, 1);
		assert_string_equal(f.names[0], "geoip.dat");
		n = read(f.fds[0], got, sizeof(got) - 1);
		assert_true(n > 0);
		got[n] = '\0';
		assert_string_equal(got, order[i]);
		geo_files_close(&f);
	}
}

static void test_refused(void **state DAE_UNUSED)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "geoip.dat", "ext takes" },
		{ "geoip.dat:", "ext takes" },
		{ ":cn", "ext takes" },
		{ "/etc/passwd:x", "without a folder" },
		{ "../x.dat:x", "without a folder" },
		{ "a/x.dat:x", "without a folder" },
		{ "none.dat:x", "there is no none.dat" },
	};
	struct geo_files f;
	struct task_error e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(open_for(RULE_KEY_EXT, rows[i].text, &f, &e) < 0);
		assert_non_null(strstr(e.text, rows[i].why));
		assert_int_equal(e.pos.column, 9);
		geo_files_close(&f);
	}
	/* a link that leads to a folder */
	assert_int_equal(unlink(path_of("one/geoip.dat")), 0);
	assert_int_equal(symlink("..", path_of("one/geoip.dat")), 0);
	assert_int_equal(open_for(RULE_KEY_GEOIP, "cn", &f, &e), -EINVAL);
	assert_non_null(strstr(e.text, "no regular file"));
	geo_files_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
