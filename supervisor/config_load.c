/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"

#define MODE_FORBIDDEN 0037 /* group write and execute, all of others */

/* Where the entry file is. */
struct load {
	char *dir;	/* as given, with a '/' at the end; "" for "." */
	char *real_dir; /* canonical, with a '/' at the end */
};

static void load_clear(struct load *l)
{
	free(l->dir);
	free(l->real_dir);
}

static int check_file(const struct stat *st, char *why, size_t cap)
{
	if (!S_ISREG(st->st_mode)) {
		snprintf(why, cap, "it is no regular file");
		return -EINVAL;
	}
	if (st->st_mode & MODE_FORBIDDEN) {
		snprintf(why, cap,
			 "its mode %04o lets others at the secrets in "
			 "it (chmod 640, or 600)",
			 st->st_mode & 07777);
		return -EPERM;
	}
	if (st->st_size > (off_t)CONFIG_FILE_MAX) {
		snprintf(why, cap, "it has more than %u MiB",
			 CONFIG_FILE_MAX >> 20);
		return -EFBIG;
	}
	return 0;
}

static int read_all(int fd, size_t size, char **ret_text, size_t *ret_len)
{
	auto_free char *text = malloc(size + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (len < size && n > 0) {
		n = read(fd, text + len, size - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -errno;
		else
			len += (size_t)n;
	}
	text[len] = '\0';
	*ret_len = len;
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int load_read(void *ctx DAE_UNUSED, const char *path, char **ret_text,
		     size_t *ret_len, char *why, size_t cap)
{
	auto_fd int fd = open(path,
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = check_file(&st, why, cap);
	return r < 0 ? r : read_all(fd, (size_t)st.st_size, ret_text, ret_len);
}

/* The folder of the entry file is no pattern, whatever its name. */
static char *escape_glob(const char *s)
{
	char *out = malloc(2 * strlen(s) + 1), *p = out;

	for (; out && *s; s++) {
		if (strchr("*?[]\\", *s))
			*p++ = '\\';
		*p++ = *s;
	}
	if (out)
		*p = '\0';
	return out;
}

static bool is_wanted(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	return len > 4 && strcmp(path + len - 4, ".dae") == 0 &&
	       stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The path to show: below the folder as it was given. -EPERM: not below it. */
static int shown_path(const struct load *l, const char *path, char **ret)
{
	auto_free char *real = realpath(path, NULL);
	size_t n = strlen(l->real_dir);

	if (!real)
		return -errno;
	if (strncmp(real, l->real_dir, n) != 0)
		return -EPERM;
	return asprintf(ret, "%s%s", l->dir, real + n) < 0 ? -ENOMEM : 0;
}

static int collect(const struct load *l, const glob_t *g, char ***ret_paths,
		   size_t *ret_count)
{
	char **paths = calloc(g->gl_pathc + 1, sizeof(*paths));
	size_t count = 0, i;
	int r = paths ? 0 : -ENOMEM;

	for (i = 0; r == 0 && i < g->gl_pathc; i++) {
		if (!is_wanted(g->gl_pathv[i]))
			continue;
		r = shown_path(l, g->gl_pathv[i], &paths[count]);
		count += r == 0;
	}
	if (r == 0) {
		*ret_paths = paths;
		*ret_count = count;
		return 0;
	}
	while (count > 0)
		free(paths[--count]);
	free(paths);
	return r;
}

static int load_glob(void *ctx, const char *pattern, char ***ret_paths,
		     size_t *ret_count)
{
	const struct load *l = ctx;
	auto_free char *dir = escape_glob(pattern[0] == '/' ? "" : l->dir);
	auto_free char *full = NULL;
	glob_t g = { 0 };
	int r;

	if (!dir || asprintf(&full, "%s%s", dir, pattern) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	r = glob(full, GLOB_PERIOD, NULL, &g);
	if (r == GLOB_NOSPACE)
		r = -ENOMEM;
	else if (r == GLOB_ABORTED)
		r = -EIO;
	else
		r = collect(l, &g, ret_paths, ret_count);
	globfree(&g);
	return r;
}

static int load_init(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *real = NULL;

	l->dir = strndup(path, slash ? (size_t)(slash + 1 - path) : 0);
	if (!l->dir)
		return -ENOMEM;
	real = realpath(l->dir[0] ? l->dir : ".", NULL);
	if (!real) /* the error of reading the file says it better */
		real = strdup(l->dir);
	if (!real || asprintf(&l->real_dir, "%s%s", real,
			      strcmp(real, "/") == 0 ? "" : "/") < 0) {
		l->real_dir = NULL;
		return -ENOMEM;
	}
	return 0;
}

int config_load(struct config **ret, const char *path,
		struct config_diags *diags)
{
	__attribute__((cleanup(load_clear))) struct load l = { 0 };
	const struct config_source source = {
		.read_file = load_read,
		.glob = load_glob,
		.ctx = &l,
	};
	int r = load_init(&l, path);

	return r < 0 ? r : config_parse_files(ret, path, &source, diags);
}
