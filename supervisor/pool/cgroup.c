/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"

#define FILE_MAX_BYTES 65536
#define DIR_PREFIX "dae-workers-" /* and our pid */

static const char *const limit_file[] = {
	[CGROUP_V1] = "memory.limit_in_bytes",
	[CGROUP_V2] = "memory.max",
};
/* Both have a line "oom_kill N". */
static const char *const events_file[] = {
	[CGROUP_V1] = "memory.oom_control",
	[CGROUP_V2] = "memory.events",
};

static int write_text(const char *dir, const char *file, const char *text)
{
	char path[CGROUP_PATH_MAX + 64];
	auto_fd int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

static int write_number(const char *dir, const char *file, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return write_text(dir, file, text);
}

static int read_text(const char *dir, const char *file, char **ret)
{
	char path[CGROUP_PATH_MAX + 64];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	n = fd_read_file(path, FILE_MAX_BYTES, ret);
	return n < 0 ? (int)n : 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += n)
		if ((p == text || strchr(" ,:\n", p[-1])) &&
		    (p[n] == '\0' || strchr(" ,:\n", p[n])))
			return true;
	return false;
}

/* Where a hierarchy is mounted: type "cgroup" with option memory, "cgroup2". */
static bool find_mount(enum cgroup_kind kind, char *ret)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f))) {
		found = kind == CGROUP_V1
				? strcmp(m->mnt_type, "cgroup") == 0 &&
					  hasmntopt(m, "memory")
				: strcmp(m->mnt_type, "cgroup2") == 0;
		if (found)
			snprintf(ret, CGROUP_PATH_MAX, "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
	return found;
}

/* Our own cgroup in it, from the lines "N:controllers:path". */
static bool find_own(enum cgroup_kind kind, char *ret)
{
	auto_free char *text = NULL;
	char *save = NULL, *line, *names, *path;

	if (read_text("/proc/self", "cgroup", &text) < 0)
		return false;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		names = strchr(line, ':');
		path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (kind == CGROUP_V2 ? strcmp(line, "0:") == 0 && !names[1]
				      : has_word(names + 1, "memory")) {
			snprintf(ret, CGROUP_PATH_MAX, "%s", path);
			return true;
		}
	}
	return false;
}

static bool locate(enum cgroup_kind kind, char *ret)
{
	char mount[CGROUP_PATH_MAX], own[CGROUP_PATH_MAX];
	int n;

	if (!find_mount(kind, mount) || !find_own(kind, own))
		return false;
	/* in a leaf of ours we have been here before */
	n = (int)strlen(own) - (int)strlen(CGROUP_LEAF);
	if (kind == CGROUP_V2 && n > 0 && strcmp(own + n, CGROUP_LEAF) == 0)
		own[n] = '\0';
	n = snprintf(ret, CGROUP_PATH_MAX, "%s%s", mount,
		     strcmp(own, "/") == 0 ? "" : own);
	return n > 0 && n < CGROUP_PATH_MAX - 64 && access(ret, W_OK) == 0;
}

/* "No internal processes": before children get controllers, we move to one. */
static int settle_in_leaf(const char *dir)
{
	auto_free char *procs = NULL, *controllers = NULL;
	char leaf[CGROUP_PATH_MAX + 16], only_us[16];
	int r;

	snprintf(leaf, sizeof(leaf), "%s" CGROUP_LEAF, dir);
	snprintf(only_us, sizeof(only_us), "%d\n", getpid());
	r = read_text(dir, "cgroup.controllers", &controllers);
	if (r < 0 || !has_word(controllers, "memory"))
		return -ENOTSUP;
	r = read_text(dir, "cgroup.procs", &procs);
	if (r < 0)
		return r;
	if (*procs && strcmp(procs, only_us) != 0)
		return -EBUSY; /* somebody else's processes are not ours */
	if (*procs) {
		if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
			return -errno;
		r = write_number(leaf, "cgroup.procs", (uint64_t)getpid());
		if (r < 0)
			return r;
	}
	return write_text(dir, "cgroup.subtree_control", "+memory");
}

static bool has_memory_v1(const char *dir)
{
	char path[CGROUP_PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, limit_file[CGROUP_V1]);
	return access(path, W_OK) == 0 || access(path, F_OK) == 0;
}

/* Empty cgroups go; those with processes refuse to. */
static void remove_tree(const char *dir)
{
	char sub[CGROUP_PATH_MAX + NAME_MAX + 2];
	DIR *d = opendir(dir);
	struct dirent *e;
	int n;

	while (d && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		n = snprintf(sub, sizeof(sub), "%s/%s", dir, e->d_name);
		if (n > 0 && (size_t)n < sizeof(sub))
			rmdir(sub);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

/* What supervisors that were killed left behind. */
static void sweep(const char *base)
{
	char dir[CGROUP_PATH_MAX + NAME_MAX + 2];
	DIR *d = opendir(base);
	struct dirent *e;
	int pid;

	while (d && (e = readdir(d))) {
		if (sscanf(e->d_name, DIR_PREFIX "%d", &pid) != 1 || pid <= 0)
			continue;
		if (kill(pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", base, e->d_name);
		remove_tree(dir);
	}
	if (d)
		closedir(d);
}

void cgroup_find(struct cgroup_root *ret, const char *where)
{
	char base[CGROUP_PATH_MAX];

	*ret = (struct cgroup_root){ .kind = CGROUP_NONE };
	if (where) {
		if (strlen(where) == 0 || strlen(where) > sizeof(base) - 64)
			return;
		snprintf(base, sizeof(base), "%s", where);
		ret->kind = has_memory_v1(base) ? CGROUP_V1 : CGROUP_V2;
	} else if (locate(CGROUP_V1, base)) {
		ret->kind = CGROUP_V1;
	} else if (locate(CGROUP_V2, base)) {
		ret->kind = CGROUP_V2;
	} else {
		return;
	}
	if (ret->kind == CGROUP_V2 && settle_in_leaf(base) < 0) {
		ret->kind = CGROUP_NONE;
		return;
	}
	sweep(base);
	snprintf(ret->path, sizeof(ret->path), "%.448s/" DIR_PREFIX "%d", base,
		 getpid());
	if ((mkdir(ret->path, 0755) < 0 && errno != EEXIST) ||
	    (ret->kind == CGROUP_V2 &&
	     write_text(ret->path, "cgroup.subtree_control", "+memory") < 0))
		cgroup_release(ret);
}

void cgroup_release(struct cgroup_root *root)
{
	if (root->kind != CGROUP_NONE)
		rmdir(root->path);
	root->kind = CGROUP_NONE;
}

static void path_of(const struct cgroup_root *root, uint32_t serial, char *ret,
		    size_t cap)
{
	snprintf(ret, cap, "%s/%u", root->path, serial);
}

int cgroup_add(const struct cgroup_root *root, uint32_t serial, pid_t pid,
	       uint64_t max_bytes)
{
	char dir[CGROUP_PATH_MAX + 16];
	int r;

	if (root->kind == CGROUP_NONE)
		return -ENOTSUP;
	path_of(root, serial, dir, sizeof(dir));
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = write_number(dir, limit_file[root->kind], max_bytes);
	if (r == 0)
		r = write_number(dir, "cgroup.procs", (uint64_t)pid);
	if (r < 0)
		rmdir(dir);
	return r;
}

bool cgroup_was_oom(const struct cgroup_root *root, uint32_t serial)
{
	char dir[CGROUP_PATH_MAX + 16];
	auto_free char *text = NULL;
	const char *line;

	if (root->kind == CGROUP_NONE)
		return false;
	path_of(root, serial, dir, sizeof(dir));
	if (read_text(dir, events_file[root->kind], &text) < 0)
		return false;
	line = strstr(text, "oom_kill ");
	return line && strtoull(line + strlen("oom_kill "), NULL, 10) > 0;
}

void cgroup_remove(const struct cgroup_root *root, uint32_t serial)
{
	char dir[CGROUP_PATH_MAX + 16];

	if (root->kind == CGROUP_NONE)
		return;
	path_of(root, serial, dir, sizeof(dir));
	rmdir(dir);
}
