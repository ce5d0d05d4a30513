/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few sysctls we write, of one interface each: saved and put back later. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
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

/* Whether that very value is saved: somebody sets it anew again and again. */
static bool is_saved(const char *saved_path, const char *ifname,
		     const char *key, int old)
{
	char line[160], want[128];
	FILE *f = fopen(saved_path, "re");
	bool found = false;

	snprintf(want, sizeof(want), "%s %s %d ", ifname, key, old);
	while (f && !found && fgets(line, sizeof(line), f))
		found = strncmp(line, want, strlen(want)) == 0;
	if (f)
		fclose(f);
	return found;
}

/* Strict drops answers that come by a second uplink; the larger value counts. */
static bool is_strict(int all, int own)
{
	return MAX(all, own) == RP_STRICT;
}

/* A router that is its clients' way out of the same interface tells them of the
 * other one; either value allows it. */
static bool is_telling(int all, int own)
{
	return !all && own;
}

/* All that we ever write. */
static const struct {
	enum policy_role role;
	const char *key;
	bool (*is_needed)(int all, int own);
	int value;
} table[] = {
	{ POLICY_UPLINK, "rp_filter", is_strict, RP_LOOSE },
	{ POLICY_ONE_ARM, "send_redirects", is_telling, 0 },
};

static int set_one(const char *ifname, size_t row, const char *saved_path)
{
	const char *key = table[row].key;
	char path[PATH_MAX];
	int all, own, r;

	r = conf_path(path, sizeof(path), "all", key);
	if (r < 0)
		return r;
	all = read_number(path);
	r = conf_path(path, sizeof(path), ifname, key);
	if (r < 0)
		return r;
	own = read_number(path);
	if (all < 0 || own < 0)
		return all < 0 ? all : own;
	if (!table[row].is_needed(all, own))
		return 0;
	if (!is_saved(saved_path, ifname, key, own)) {
		r = save(saved_path, ifname, key, own, table[row].value);
		if (r < 0)
			return r;
	}
	return write_number(path, table[row].value);
}

int policy_set_sysctls(const char *ifname, enum policy_role role,
		       const char *saved_path)
{
	int first = 0, r;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].role != role)
			continue;
		r = set_one(ifname, i, saved_path);
		first = first < 0 ? first : r;
	}
	return first;
}

static bool is_ours(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].key, key) == 0)
			return true;
	return false;
}

static int restore_line(const char *line)
{
	char ifname[NAME_MAX_LEN + 1], key[32], path[PATH_MAX];
	int old, new, r;

	if (sscanf(line, "%64s %31s %d %d", ifname, key, &old, &new) != 4 ||
	    !is_ours(key))
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
