/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few sysctls we write: of one interface each: saved and put back later. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "supervisor/datapath/policy.h"

#define RP_STRICT 1
#define RP_LOOSE 2
#define NAME_MAX_LEN 64
#define SAVED_MAX 16384

static int conf_path(char *buf, size_t cap, const char *ifname, const char *key)
{
	int n;

	if (!*ifname || strlen(ifname) > NAME_MAX_LEN || strchr(ifname, '/') ||
	    strcmp(ifname, ".") == 0 || strcmp(ifname, "..") == 0)
		return -EINVAL;
	n = snprintf(buf, cap, "/proc/sys/net/ipv4/conf/%s/%s", ifname, key);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static int read_number(const char *path)
{
	char buf[16];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n] = '\0';
	return atoi(buf);
}

static int write_number(const char *path, int value)
{
	char buf[16];
	int n = snprintf(buf, sizeof(buf), "%d\n", value), r = 0;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, buf, (size_t)n) != n)
		r = -errno;
	close(fd);
	return r;
}

/* "IFNAME KEY OLD NEW", one a line; on disk before the sysctl changes. */
static int save(const char *saved_path, const char *ifname, const char *key,
		int old, int new)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "%s %s %d %d\n", ifname, key, old,
			 new),
	    r = 0;
	int fd = open(saved_path,
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		      0600);

	if (fd < 0)
		return -errno;
	if (n < 0 || n >= (int)sizeof(line))
		r = -ENAMETOOLONG;
	else if (write(fd, line, (size_t)n) != n || fdatasync(fd) < 0)
		r = -EIO;
	close(fd);
	return r;
}

int policy_loosen_rp_filter(const char *ifname, const char *saved_path)
{
	char path[PATH_MAX];
	int all, own, r;

	r = conf_path(path, sizeof(path), "all", "rp_filter");
	if (r < 0)
		return r;
	all = read_number(path);
	r = conf_path(path, sizeof(path), ifname, "rp_filter");
	if (r < 0)
		return r;
	own = read_number(path);
	if (all < 0 || own < 0)
		return all < 0 ? all : own;
	/* the kernel takes the larger: loose wins over strict */
	if (MAX(all, own) != RP_STRICT)
		return 0;
	r = save(saved_path, ifname, "rp_filter", own, RP_LOOSE);
	return r < 0 ? r : write_number(path, RP_LOOSE);
}

static int restore_line(const char *line)
{
	char ifname[NAME_MAX_LEN + 1], key[32], path[PATH_MAX];
	int old, new, r;

	if (sscanf(line, "%64s %31s %d %d", ifname, key, &old, &new) != 4 ||
	    strcmp(key, "rp_filter") != 0)
		return -EINVAL;
	r = conf_path(path, sizeof(path), ifname, key);
	if (r < 0)
		return r;
	r = read_number(path);
	if (r == -ENOENT || (r >= 0 && r != new))
		return 0; /* gone, or somebody has other plans */
	return r < 0 ? r : write_number(path, old);
}

int policy_restore_sysctls(const char *saved_path)
{
	auto_free char *text = calloc(1, SAVED_MAX + 1);
	int fd, r = 0, q;
	char *line, *next;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	fd = open(saved_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, SAVED_MAX);
	close(fd);
	if (n < 0)
		return -EIO;
	/* an interface named twice has its oldest value in the first line */
	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		q = restore_line(line);
		r = r < 0 ? r : q;
	}
	if (r == 0 && unlink(saved_path) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}
