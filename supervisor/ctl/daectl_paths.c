/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"

#define OUTPUT_MAX 65536

/* The folder daectl is in, without a slash at its end. */
static int own_folder(char *buf, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", buf, cap - 1);
	char *slash;

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

static int find(char *buf, size_t cap, const char *installed, const char *built)
{
	const char *const places[] = { installed, built };
	char own[PATH_MAX];
	int r;

	r = own_folder(own, sizeof(own));
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if ((size_t)snprintf(buf, cap, "%s/%s", own, places[i]) >= cap)
			return -ENAMETOOLONG;
		if (access(buf, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

int paths_supervisor(char *buf, size_t cap)
{
	return find(buf, cap, "../sbin/dae-supervisor", "../dae-supervisor");
}

/* Of the folder for what is started by others; @built: beside a build. */
static int find_libexec(char *buf, size_t cap, const char *name,
			const char *built)
{
	const char *folder = secure_getenv("DAE_LIBEXEC");
	char installed[PATH_MAX];

	if (!folder || !*folder) {
		snprintf(installed, sizeof(installed),
			 "../libexec/dae-supervisor/%s", name);
		return find(buf, cap, installed, built);
	}
	if ((size_t)snprintf(buf, cap, "%s/%s", folder, name) >= cap)
		return -ENAMETOOLONG;
	return access(buf, X_OK) == 0 ? 0 : -ENOENT;
}

int paths_worker(char *buf, size_t cap)
{
	return find_libexec(buf, cap, "dae-worker", "../../worker/dae-worker");
}

int paths_compile(char *buf, size_t cap)
{
	return find_libexec(buf, cap, "dae-compile", "../compile/dae-compile");
}

static int spawn(const char *path, char *const argv[], int out, pid_t *ret)
{
	char *envp[] = { "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static ssize_t read_to_end(int fd, char *buf, size_t cap)
{
	size_t used = 0;
	ssize_t n;

	while (used < cap) {
		n = read(fd, buf + used, cap - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int paths_run(const char *path, char *const argv[], char **ret)
{
	auto_free char *text = malloc(OUTPUT_MAX + 1);
	auto_fd int in = -1;
	int fds[2] = { -1, -1 }, status = 0, r;
	ssize_t n;
	pid_t pid = 0;

	if (!text)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	r = spawn(path, argv, fds[1], &pid);
	close(fds[1]);
	if (r < 0)
		return r;
	n = read_to_end(in, text, OUTPUT_MAX);
	fd_close_ptr(&in); /* it may have more to say than we hear */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = TAKE_PTR(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}
