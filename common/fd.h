/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors with an owner. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define auto_fd __attribute__((cleanup(fd_close_ptr)))
#define TAKE_FD(fd)                                                            \
	({                                                                     \
		int f_ = (fd);                                                 \
		(fd) = -1;                                                     \
		f_;                                                            \
	})

/* Worker processes: the channel's number, the same in every worker. */
#define WORKER_CHANNEL_FD 3

/* Closes *fd if it is one, sets it to -1, keeps errno. */
void fd_close_ptr(int *fd);
/* Make @fd the number @want, close-on-exec off; the old number is closed. */
int fd_move(int fd, int want);
int fd_set_nonblock(int fd);
/* Read at most @max bytes of the file, with a NUL behind them, into *ret
 * (malloc). The length, or -errno; -EFBIG if the file is longer. */
ssize_t fd_read_file(const char *path, size_t max, char **ret);
/* Write @path atomically and durably (temporary file, fsync, rename). */
int fd_write_file_atomic(const char *path, const void *buf, size_t len,
			 mode_t mode);
/* A sealed, read-only memfd with these bytes, or -errno. */
int fd_sealed_memfd(const char *name, const void *buf, size_t len);
