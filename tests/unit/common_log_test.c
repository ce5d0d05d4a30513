/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int saved_stderr, reader;
static char line[4096];

/* Stderr is a pipe in between; what was written is in line. */
static void begin(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	reader = fds[0];
}

static void end(void)
{
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	n = read(reader, line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	close(reader);
}

static void a_line_says_who_and_what(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init("test");
	begin();
	log_error("mod: it broke (key=%d)", 7);
	end();
	assert_string_equal(line, "test: mod: it broke (key=7)\n");
}

static void one_event_is_one_line(void **state)
{
	static char big[5000];

	(void)state;
	log_init("");
	begin();
	log_warn("two\nlines");
	end();
	assert_string_equal(line, "two lines\n");
	memset(big, 'x', sizeof(big) - 1);
	begin();
	log_warn("%s", big);
	end();
	assert_true(strlen(line) <= 1024);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void levels_are_filtered(void **state)
{
	(void)state;
	log_init("");
	log_max_level = LOGL_WARN;
	begin();
	log_info("not shown");
	log_debug("not shown");
	end();
	assert_string_equal(line, "");
	setenv("DAE_LOG_LEVEL", "debug", 1);
	log_init("");
	unsetenv("DAE_LOG_LEVEL");
	assert_int_equal(log_max_level, LOGL_DEBUG);
}

static void errors_are_named_and_passed_on(void **state)
{
	(void)state;
	log_init("");
	begin();
	errno = EIO;
	assert_int_equal(log_err_r(-ENOENT, "mod: open %s", "x"), -ENOENT);
	assert_int_equal(errno, EIO);
	end();
	assert_string_equal(line, "mod: open x: No such file or directory\n");
}

static void the_journal_gets_levels(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	begin();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("test");
	log_warn("mod: hm");
	end();
	assert_string_equal(line, "<4>mod: hm\n");
	setenv("JOURNAL_STREAM", "1:1", 1); /* another stderr than ours */
	log_init("test");
	begin();
	log_warn("mod: hm");
	end();
	assert_string_equal(line, "test: mod: hm\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_who_and_what),
		cmocka_unit_test(one_event_is_one_line),
		cmocka_unit_test(levels_are_filtered),
		cmocka_unit_test(errors_are_named_and_passed_on),
		cmocka_unit_test(the_journal_gets_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
