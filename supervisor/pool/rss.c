/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/rss.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"

int rss_read_anon(pid_t pid, uint64_t *ret_bytes)
{
	unsigned long long size, resident, shared;
	char path[32], text[128];
	auto_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3)
		return -EIO;
	if (resident < shared)
		shared = resident;
	*ret_bytes = (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

int rss_read_fds(pid_t pid, uint32_t *ret)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_size <= 0) /* a worker has its channel at least */
		return -ENOTSUP;
	*ret = (uint32_t)MIN(st.st_size, (off_t)UINT32_MAX);
	return 0;
}
