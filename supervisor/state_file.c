/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/state_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "common/fd.h"
#include "common/log.h"
#include "supervisor/core/state.h"

static struct state_parts parts_of(struct prober *p)
{
	return (struct state_parts){
		.targets = p->targets,
		.groups = p->groups,
		.group_count = p->group_count,
		.quarantine = p->quarantine,
		.budget = &p->budget,
	};
}

static int state_path(const char *dir, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s/state", dir);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static int set_aside(const char *path, int64_t wall_s, int why)
{
	char to[PATH_MAX + 32];

	snprintf(to, sizeof(to), "%s.damaged-%" PRId64, path, wall_s);
	if (rename(path, to) < 0)
		return log_err_r(-errno, "state: cannot set %s aside", path);
	log_err_r(why, "state: %s cannot be used, kept as %s", path, to);
	return 0;
}

int state_file_load(const char *dir, struct prober *p,
		    const struct prober_now *now)
{
	struct state_clock at = { now->mono_ns, now->wall_s };
	struct state_parts parts = parts_of(p);
	char path[PATH_MAX];
	auto_free char *text = NULL;
	ssize_t len;
	int r;

	r = state_path(dir, path, sizeof(path));
	if (r < 0)
		return r;
	len = fd_read_file(path, STATE_MAX, &text);
	if (len == -ENOENT)
		return 0;
	if (len == -EFBIG)
		return set_aside(path, now->wall_s, -EFBIG);
	if (len < 0)
		return log_err_r((int)len, "state: cannot read %s", path);
	r = state_restore(text, (size_t)len, &parts, &at);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? set_aside(path, now->wall_s, r) : 0;
}

int state_file_save(const char *dir, struct prober *p,
		    const struct prober_now *now)
{
	struct state_clock at = { now->mono_ns, now->wall_s };
	struct state_parts parts = parts_of(p);
	char path[PATH_MAX];
	auto_free uint8_t *image = NULL;
	size_t len;
	int r;

	r = state_path(dir, path, sizeof(path));
	if (r == 0)
		r = state_encode(&parts, &at, &image, &len);
	if (r == 0)
		r = fd_write_file_atomic(path, image, len, 0600);
	return r < 0 ? log_err_r(r, "state: cannot save to %s", dir) : 0;
}
