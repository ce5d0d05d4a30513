/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/own_cgroup.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/pool/cgroup.h"

#define CGROUP_TEXT_MAX (64U << 10)
#define CGROUP_NAME "dae-supervisor"

int own_cgroup_mount(char ret[PATH_MAX])
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	int r = -ENOENT;

	if (!f)
		return -errno;
	while (r < 0 && (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_type, "cgroup2") == 0 &&
		    strlen(m->mnt_dir) < PATH_MAX) {
			strcpy(ret, m->mnt_dir);
			r = 0;
		}
	endmntent(f);
	return r;
}

/* The line "0::/PATH" of /proc/self/cgroup. */
static int find_relative(char ret[PATH_MAX])
{
	auto_free char *text = NULL;
	ssize_t len = fd_read_file("/proc/self/cgroup", CGROUP_TEXT_MAX, &text);
	char *line, *end;

	if (len < 0)
		return (int)len;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return -ENOENT;
	line = strchr(line, '/');
	if (!line)
		return -ENOENT;
	end = strchrnul(line, '\n');
	if (end - line >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, line, (size_t)(end - line));
	ret[end - line] = '\0';
	return 0;
}

static int move_into(const char *dir)
{
	char path[PATH_MAX + 16], pid[16];
	FILE *f;
	int n;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	n = snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	f = fopen(path, "we");
	if (!f)
		return -errno;
	n = fputs(pid, f) < 0 ? -errno : 0;
	if (fclose(f) != 0 && n == 0)
		n = -errno;
	return n;
}

int own_cgroup_enter(struct own_cgroup *ret)
{
	char mount[PATH_MAX], rel[PATH_MAX], leaf[PATH_MAX];
	int n, r;

	memset(ret, 0, sizeof(*ret));
	r = own_cgroup_mount(mount);
	if (r == 0)
		r = find_relative(rel);
	if (r < 0)
		return r;
	if (strcmp(rel, "/") != 0) {
		n = snprintf(ret->path, sizeof(ret->path), "%s%s", mount, rel);
		return n < (int)sizeof(ret->path) ? 0 : -ENAMETOOLONG;
	}
	n = snprintf(ret->path, sizeof(ret->path), "%s/" CGROUP_NAME, mount);
	if (n >= (int)sizeof(ret->path))
		return -ENAMETOOLONG;
	strcpy(ret->made, ret->path);
	r = move_into(ret->path);
	if (r != -EBUSY)
		return r;
	/* limits of workers were set up in it, by one that was killed: only
	 * leaves take processes then (see cgroup.c) */
	if (n + sizeof(CGROUP_LEAF) > sizeof(ret->path))
		return -ENAMETOOLONG;
	strcpy(leaf, ret->path);
	strcpy(leaf + n, CGROUP_LEAF);
	return move_into(leaf);
}
