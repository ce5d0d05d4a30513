/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/geo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/text.h"

#define FILE_MAX (256LL << 20) /* as the reader has it */

struct folders {
	char *items[GEO_FOLDERS_MAX];
	size_t count;
};

static void add_folder(struct folders *f, const char *dir, size_t len,
		       const char *below)
{
	char path[PATH_MAX];

	if (len == 0 || f->count == GEO_FOLDERS_MAX ||
	    snprintf(path, sizeof(path), "%.*s%s", (int)len, dir, below) >=
		    (int)sizeof(path))
		return;
	f->items[f->count] = strdup(path);
	f->count += f->items[f->count] != NULL;
}

/* Folders with ':' between them. */
static void add_list(struct folders *f, const char *list, const char *below)
{
	size_t len;

	while (list && *list) {
		len = strcspn(list, ":");
		add_folder(f, list, len, below);
		list += len + (list[len] == ':');
	}
}

static void find_folders(struct folders *f, const char *config)
{
	const char *home = secure_getenv("HOME");
	const char *data = secure_getenv("XDG_DATA_HOME");
	const char *dirs = secure_getenv("XDG_DATA_DIRS");
	const char *slash = config ? strrchr(config, '/') : NULL;

	add_list(f, secure_getenv("DAE_LOCATION_ASSET"), "");
	if (slash)
		add_folder(f, config, MAX((size_t)(slash - config), 1U), "");
	else if (config)
		add_folder(f, ".", 1, "");
	if (data && *data)
		add_folder(f, data, strlen(data), "/dae");
	else if (home)
		add_folder(f, home, strlen(home), "/.local/share/dae");
	add_list(f, dirs && *dirs ? dirs : "/usr/local/share:/usr/share",
		 "/dae");
}

static void folders_clear(struct folders *f)
{
	while (f->count > 0)
		free(f->items[--f->count]);
}

/* The user's place and text, made safe to show. */
static int say(struct task_error *e, const struct rule_value *v, int r,
	       const char *text)
{
	e->pos = v->pos;
	text_clean(e->text, sizeof(e->text), text, strlen(text));
	return r;
}

static int nowhere(struct task_error *e, const struct rule_value *v,
		   const char *name, const struct folders *f)
{
	char text[sizeof(e->text)];
	struct text_out o = { .buf = text, .cap = sizeof(text) };

	text_put(&o, "there is no %.64s in", name);
	for (size_t i = 0; i < f->count; i++)
		text_put(&o, "%s %s", i ? "," : "", f->items[i]);
	return say(e, v, -ENOENT, text);
}

static int check(int fd, char *why, size_t cap)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, cap, "it is no regular file");
		return -EINVAL;
	}
	if (st.st_size > FILE_MAX) {
		snprintf(why, cap, "it has more than 256 MiB");
		return -EFBIG;
	}
	return 0;
}

/* The first of this name that is there; one that cannot be read is an error,
 * and no reason to take another. */
static int open_one(const struct folders *f, const struct rule_value *v,
		    const char *name, int *ret, struct task_error *e)
{
	char path[PATH_MAX + TASK_FILE_NAME_MAX + 2], why[64] = "";
	char text[sizeof(e->text)];
	auto_fd int fd = -1;
	int r;

	for (size_t i = 0; i < f->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->items[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		r = fd < 0 ? -errno : check(fd, why, sizeof(why));
		if (r == 0) {
			*ret = TAKE_FD(fd);
			return 0;
		}
		snprintf(text, sizeof(text), "%.300s: %s", path,
			 why[0] ? why : strerror(-r));
		return say(e, v, r, text);
	}
	return nowhere(e, v, name, f);
}

static int need(struct geo_files *files, const struct folders *f,
		const struct rule_value *v, struct task_error *e)
{
	char name[TASK_FILE_NAME_MAX + 1];
	const char *code;
	size_t i;
	int r;

	if (!task_value_file(v, name, &code))
		return 0;
	if (!name[0] || !*code)
		return say(e, v, -EINVAL,
			   "ext takes 'FILE.dat:LIST', the file without a "
			   "folder");
	for (i = 0; i < files->count; i++)
		if (strcmp(files->names[i], name) == 0)
			return 0;
	if (files->count == TASK_FILES_MAX)
		return say(e, v, -E2BIG, "more than 64 files of geo data");
	r = open_one(f, v, name, &files->fds[i], e);
	if (r < 0)
		return r;
	files->names[i] = strdup(name);
	if (!files->names[i]) {
		close(files->fds[i]);
		return say(e, v, -ENOMEM, "out of memory");
	}
	files->count++;
	return 0;
}

int geo_files_open(struct geo_files *ret, const struct config_routing *routing,
		   const char *config, struct task_error *e)
{
	struct folders f = { .count = 0 };
	int r = 0;

	find_folders(&f, config);
	for (size_t i = 0; r == 0 && i < routing->rule_count; i++) {
		for (size_t k = 0; k < routing->rules[i].cond_count; k++) {
			const struct rule_cond *c = &routing->rules[i].conds[k];

			for (size_t n = 0; r == 0 && n < c->value_count; n++)
				r = need(ret, &f, &c->values[n], e);
		}
	}
	folders_clear(&f);
	return r;
}

void geo_files_close(struct geo_files *f)
{
	while (f->count > 0) {
		f->count--;
		free(f->names[f->count]);
		close(f->fds[f->count]);
	}
}
