/* SPDX-License-Identifier: GPL-2.0-or-later */
/* include { }: from a table of texts, and from real files. */
#include "config_helper.h"

#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/config_load.h"

#define FILES_MAX 8

struct table_file {
	const char *path, *text; /* text NULL: cannot be read */
};

static int table_read(void *ctx, const char *path, char **ret_text,
		      size_t *ret_len, char *why, size_t cap)
{
	const struct table_file *f;

	for (f = ctx; f->path; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		if (!f->text) {
			snprintf(why, cap, "it is made of stone");
			return -EIO;
		}
		*ret_text = strdup(f->text);
		*ret_len = strlen(f->text);
		return *ret_text ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static int table_glob(void *ctx, const char *pattern, char ***ret_paths,
		      size_t *ret_count)
{
	const struct table_file *f;
	char **paths;
	size_t n = 0;

	if (strcmp(pattern, "../x.dae") == 0)
		return -EPERM;
	paths = calloc(FILES_MAX, sizeof(*paths));
	for (f = ctx; f->path; f++)
		if (fnmatch(pattern, f->path, FNM_PATHNAME) == 0)
			paths[n++] = strdup(f->path);
	*ret_paths = paths;
	*ret_count = n;
	return 0;
}

static int parse_table(struct config **ret, struct table_file *files,
		       struct config_diags *d)
{
	const struct config_source src = { table_read, table_glob, files };

	return config_parse_files(ret, "main.dae", &src, d);
}

/* The files, what is said, and the ports of the rules in their order. */
static const struct {
	struct table_file files[FILES_MAX];
	const char *want, *ports;
} cases[] = {
	{ { { "main.dae", "routing { dport(1) -> block }" } }, NULL, "1" },
	{ { { "main.dae", "include { d/*.dae } routing { dport(1) -> block }" },
	    { "d/a.dae", "routing { dport(2) -> block }" },
	    { "d/b.dae", "routing { dport(3) -> block }" },
	    { "d/c.txt", "nonsense" } },
	  NULL,
	  "1 2 3" },
	/* depth first; the patterns in their order */
	{ { { "main.dae", "include { b.dae 'a.dae' }" },
	    { "a.dae", "routing { dport(1) -> block }" },
	    { "b.dae", "routing { dport(2) -> block } include { c.dae }" },
	    { "c.dae", "routing { dport(3) -> block }" } },
	  NULL,
	  "2 3 1" },
	{ { { "main.dae", "include { x/*.dae }" } }, "W no file is like", "" },
	{ { { "main.dae", "include { b.dae c.dae }" },
	    { "b.dae", "include { d.dae }" },
	    { "c.dae", "include { d.dae }" },
	    { "d.dae", "" } },
	  "E c.dae:1:11: error: circular",
	  "" },
	{ { { "main.dae", "include { *.dae }" } }, "E circular include", "" },
	{ { { "main.dae", "include { ../x.dae }" } }, "E must lie below", "" },
	{ { { "main.dae", "include { a.dae }" }, { "a.dae", NULL } },
	  "E cannot read 'a.dae': it is made of stone",
	  "" },
	{ { { "other.dae", "" } }, "E cannot read 'main.dae': No such", "" },
	{ { { "main.dae", "include { a: b }" } }, "E paths of files", "" },
	{ { { "main.dae", "include { // x\n}" } }, "E begin with '#'", "" },
	{ { { "main.dae", "include { '' }" } }, "E path of a file", "" },
	/* an error in an included file has that file's place */
	{ { { "main.dae", "include { a.dae } global { x: 1 }" },
	    { "a.dae", "\nglobal { y: 1 }" } },
	  "E a.dae:2:10: error",
	  "" },
};

static void test_table(void **state DAE_UNUSED)
{
	char got[128];
	size_t i, k, n;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;
		struct table_file files[FILES_MAX + 1] = { 0 };

		memcpy(files, cases[i].files, sizeof(cases[i].files));
		parse_table(&c, files, &d);
		if (!config_says(&d, cases[i].want)) {
			config_print(&d);
			fail_msg("case %zu: %s", i, cases[i].want);
		}
		got[0] = '\0';
		for (k = n = 0; c && k < c->routing.rule_count; k++)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%u",
					      k > 0 ? " " : "",
					      c->routing.rules[k]
						      .conds[0]
						      .values[0]
						      .range.lo);
		assert_string_equal(got, cases[i].ports);
	}
}

/* What an included file says comes later, so it wins. */
static void test_included_wins(void **state DAE_UNUSED)
{
	struct table_file files[] = {
		{ "main.dae", "global { check_interval: 1s lan_interface: a } "
			      "include { a.dae }" },
		{ "a.dae", "global { check_interval: 2s lan_interface: b }" },
		{ NULL, NULL },
	};
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;

	assert_int_equal(parse_table(&c, files, &d), 0);
	assert_int_equal(c->global.check_interval_ns, 2 * NS_PER_S);
	assert_int_equal(c->global.lan_interface.count, 2);
	assert_string_equal(c->global.lan_interface.items[1], "b");
	assert_int_equal(c->file_count, 2);
	assert_string_equal(c->files[1].path, "a.dae");
}

static void test_no_source(void **state DAE_UNUSED)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;

	assert_int_equal(config_parse(&c, "include { a.dae }", 17, &d), -22);
	assert_true(config_says(&d, "E nothing can be included"));
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Load @path; the first message has to be @want. */
static void check_load(const char *path, const char *want)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	int r = config_load(&c, path, &d);

	if (!config_says(&d, want) || (r == 0) != (!want || *want == 'W')) {
		config_print(&d);
		fail_msg("%s: %s, result %d", path, want ? want : "-", r);
	}
}

static int remove_one(const char *path, const struct stat *st DAE_UNUSED,
		      int type DAE_UNUSED, struct FTW *at DAE_UNUSED)
{
	return remove(path);
}

/* In a folder whose name is a pattern itself. */
static void test_files(void **state DAE_UNUSED)
{
	char dir[] = "/tmp/config-[a]*-XXXXXX", cwd[256];

	assert_non_null(mkdtemp(dir));
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("in", 0700), 0);
	assert_int_equal(mkdir("in/d.dae", 0700), 0);
	put_file("in/main.dae",
		 "include { '*.d/*.dae' ./d.dae } node { a: "
		 "'direct://' }",
		 0600);
	assert_int_equal(mkdir("in/x.d", 0700), 0);
	put_file("in/x.d/1.dae", "node { b: 'direct://' }", 0640);
	put_file("in/x.d/2.txt", "nonsense", 0644);
	check_load("in/main.dae", "W in/main.dae:1:23: warning: no file");
	put_file("in/abs.dae", "include { /etc/*.dae '/etc/passwd' }", 0600);
	check_load("in/abs.dae", "W no file is like");
	put_file("out.dae", "", 0600);
	put_file("in/up.dae", "include { ../out.dae }", 0600);
	check_load("in/up.dae", "E must lie below the folder");
	assert_int_equal(symlink("../out.dae", "in/link.dae"), 0);
	put_file("in/sym.dae", "include { link.dae }", 0600);
	check_load("in/sym.dae", "E must lie below the folder");
	put_file("in/self.dae", "include { self.dae }", 0600);
	check_load("in/self.dae", "E in/self.dae:1:11: error: circular");
	put_file("in/bad.dae", "include { y.d/*.dae }", 0600);
	assert_int_equal(mkdir("in/y.d", 0700), 0);
	put_file("in/y.d/z.dae", "\n x", 0600);
	check_load("in/bad.dae", "E in/y.d/z.dae:2:3: error: expected '{'");
	put_file("in/open.dae", "", 0644);
	check_load("in/open.dae", "E its mode 0644 lets others");
	check_load("in/d.dae", "E in/d.dae: error: cannot read 'in/d.dae': it "
			       "is no regular file");
	check_load("in/none.dae", "E No such file");
	check_load("none/none.dae", "E No such file");
	assert_int_equal(mkfifo("in/fifo.dae", 0600), 0);
	check_load("in/fifo.dae", "E no regular file");
	assert_int_equal(truncate("out.dae", CONFIG_FILE_MAX + 1), 0);
	check_load("out.dae", "E more than 4 MiB");
	assert_int_equal(chdir("in"), 0);
	check_load("self.dae", "E self.dae:1:11: error: circular");
	check_load("./abs.dae", "W ./abs.dae:1:11");
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The packaged default is a valid file that says nothing. */
static void test_example(void **state DAE_UNUSED)
{
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;
	static char text[65536];
	FILE *f = fopen(DAE_SOURCE_DIR "/packaging/examples/config.dae", "re");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(config_parse(&c, text, len, &d), 0);
	if (d.count > 0)
		config_print(&d);
	assert_int_equal(d.count, 0);
	assert_int_equal(c->supervisor.mode, MODE_OBSERVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_included_wins),
		cmocka_unit_test(test_no_source),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
