/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"

static char dir[] = "/tmp/dae-fd-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void files_are_replaced_whole(void **state)
{
	auto_free char *text = NULL;
	char path[64];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(fd_write_file_atomic(path, "one", 3, 0600), 0);
	assert_int_equal(fd_write_file_atomic(path, "second", 6, 0640), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fd_read_file(path, 6, &text), 6);
	assert_string_equal(text, "second");
	unlink(path); /* and remove_dir() sees that no temporary file is left */
}

static void reading_is_bounded(void **state)
{
	char path[64], *text = NULL;
	static char big[20000];

	(void)state;
	snprintf(path, sizeof(path), "%s/g", dir);
	memset(big, 'x', sizeof(big));
	assert_int_equal(fd_write_file_atomic(path, big, sizeof(big), 0600), 0);
	assert_int_equal(fd_read_file(path, sizeof(big) - 1, &text), -EFBIG);
	assert_null(text);
	assert_int_equal(fd_read_file(path, sizeof(big), &text), sizeof(big));
	assert_int_equal(strlen(text), sizeof(big));
	free(text);
	unlink(path);
	assert_int_equal(fd_read_file(path, 1, &text), -ENOENT);
	assert_int_equal(fd_read_file("/dev/zero", 1 << 20, &text), -EFBIG);
}

static void a_failed_write_leaves_nothing(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/none/f", dir);
	assert_int_equal(fd_write_file_atomic(path, "x", 1, 0600), -ENOENT);
	assert_int_equal(fd_write_file_atomic("/dev/null/x", "x", 1, 0600),
			 -ENOTDIR);
}

static void a_memfd_is_sealed(void **state)
{
	int fd = fd_sealed_memfd("test", "abc", 3);
	char buf[8];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
		    MAP_FAILED);
	close(fd);
}

static void moving_clears_close_on_exec(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), want = 100;

	(void)state;
	assert_int_equal(fd_move(fd, want), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(fcntl(want, F_GETFD), 0);
	assert_int_equal(fcntl(want, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(fd_move(want, want), 0); /* dup2 would not */
	assert_int_equal(fcntl(want, F_GETFD), 0);
	close(want);
	assert_int_equal(fd_move(want, want), -EBADF);
}

static void closing_keeps_errno(void **state)
{
	int fd = dup(0);

	(void)state;
	errno = ENOSPC;
	fd_close_ptr(&fd);
	assert_int_equal(fd, -1);
	fd_close_ptr(&fd);
	assert_int_equal(errno, ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(reading_is_bounded),
		cmocka_unit_test(a_failed_write_leaves_nothing),
		cmocka_unit_test(a_memfd_is_sealed),
		cmocka_unit_test(moving_clears_close_on_exec),
		cmocka_unit_test(closing_keeps_errno),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
