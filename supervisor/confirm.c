/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/confirm.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/config_load.h"
#include "supervisor/confirm_record.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BUSY_MS 200    /* another reload is under way */
#define RETRY_MS 30000 /* going back failed: try again after */

struct confirm {
	struct supervisor *s;
	char path[PATH_MAX];
	struct confirm_record record; /* no files: there is none */
	struct confirm_record before; /* what confirm_keep() put aside */
	bool is_pending;
	struct event *timer;
};

static void read_clock(struct confirm_clock *ret)
{
	auto_free char *id = NULL;

	*ret = (struct confirm_clock){
		.wall_ms = clock_wall_ns() / NS_PER_MS,
		.boot_ms = clock_boot_ns() / NS_PER_MS,
	};
	if (fd_read_file(BOOT_ID_PATH, 128, &id) < 0)
		return;
	id[strcspn(id, "\n")] = '\0';
	snprintf(ret->boot_id, sizeof(ret->boot_id), "%.*s",
		 CONFIRM_BOOT_ID - 1, id);
}

static int save(const struct confirm *c)
{
	auto_free uint8_t *image = NULL;
	size_t len;
	int r;

	r = confirm_record_encode(&c->record, &image, &len);
	if (r == 0)
		r = fd_write_file_atomic(c->path, image, len, 0600);
	return r < 0 ? log_err_r(r, "confirm: cannot write %s", c->path) : 0;
}

/* What is on disk is as c->record says. */
static void store(const struct confirm *c)
{
	if (c->record.file_count > 0)
		save(c);
	else if (unlink(c->path) < 0 && errno != ENOENT)
		log_err_r(-errno, "confirm: cannot remove %s", c->path);
}

static void arm(struct confirm *c, uint64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(c->timer, &tv);
}

static void on_time_over(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			 void *arg)
{
	struct ctl_outcome res = { .r = 0 };
	struct confirm *c = arg;
	uint64_t left_ms = confirm_left_ms(c);
	int r;

	if (!c->is_pending)
		return;
	if (left_ms > 0) { /* timers are coarser than the clock */
		arm(c, left_ms);
		return;
	}
	r = reload_back(c->s, &res);
	if (r == -EBUSY)
		arm(c, BUSY_MS);
	else if (r != -EINPROGRESS)
		confirm_back_done(c, r, res.message);
	config_diags_clear(&res.diags);
}

void confirm_back_done(struct confirm *c, int r, const char *why)
{
	if (r == 0)
		return;
	log_error("confirm: cannot go back: %s", why);
	if (c->is_pending && confirm_left_ms(c) == 0)
		arm(c, RETRY_MS);
}

static void load(struct confirm *c)
{
	auto_free char *text = NULL;
	ssize_t len = fd_read_file(c->path, CONFIRM_IMAGE_MAX, &text);
	int r;

	if (len == -ENOENT)
		return;
	r = len < 0 ? (int)len
		    : confirm_record_decode(&c->record, text, (size_t)len);
	if (r < 0)
		log_err_r(r, "confirm: %s cannot be used", c->path);
}

int confirm_new(struct confirm **ret, struct supervisor *s)
{
	struct confirm *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->s = s;
	snprintf(c->path, sizeof(c->path), "%.4000s/confirm", s->opt.state_dir);
	c->timer = evtimer_new(s->base, on_time_over, c);
	if (!c->timer) {
		confirm_free(&c);
		return -ENOMEM;
	}
	load(c);
	*ret = c;
	return 0;
}

void confirm_free(struct confirm **cp)
{
	struct confirm *c = TAKE_PTR(*cp);

	if (!c)
		return;
	if (c->timer)
		event_free(c->timer);
	confirm_record_clear(&c->record);
	confirm_record_clear(&c->before);
	free(c);
}

/* The kept files as the configuration to begin with. */
static int begin_with_record(struct confirm *c, struct config **ret)
{
	auto_diags struct config_diags diags = { .count = 0 };
	auto_config struct config *kept = NULL;
	int r = confirm_parse(c, &kept, &diags);

	if (r < 0) {
		reload_log_diags(&diags);
		return log_err_r(r, "confirm: what was kept cannot be used");
	}
	config_free(ret);
	*ret = TAKE_PTR(kept);
	confirm_went_back(c);
	return 0;
}

int confirm_load(struct confirm *c, struct config **ret,
		 struct config_diags *diags)
{
	auto_config struct config *disk = NULL;
	uint64_t left_ms;
	int r;

	r = config_load(&disk, c->s->opt.config, diags);
	if (c->record.file_count > 0) {
		left_ms = c->record.has_gone_back ? 0 : confirm_left_ms(c);
		if (r == 0 && left_ms > 0) {
			log_warn("confirm: goes back in %" PRIu64 " s unless "
				 "it is confirmed: daectl confirm",
				 left_ms / 1000);
			confirm_wait(c);
		} else if (r == 0 && c->record.has_gone_back &&
			   confirm_fingerprint(disk) != c->record.refused) {
			/* somebody wrote another one since */
			confirm_settle(c);
		} else if (begin_with_record(c, &disk) == 0) {
			r = 0;
		}
	}
	if (r == 0)
		*ret = TAKE_PTR(disk);
	return r;
}

int confirm_keep(struct confirm *c, const struct config *running,
		 const struct config *next, uint64_t timeout_ms)
{
	struct confirm_record new = { .file_count = 0 };
	int r;

	r = confirm_record_take(&new, running);
	if (r < 0)
		return r;
	new.timeout_ms = timeout_ms;
	new.refused = confirm_fingerprint(next);
	read_clock(&new.deadline);
	new.deadline.wall_ms += timeout_ms;
	new.deadline.boot_ms += timeout_ms;
	confirm_record_clear(&c->before);
	c->before = c->record;
	c->record = new;
	r = save(c);
	if (r < 0)
		confirm_undo(c);
	return r;
}

void confirm_undo(struct confirm *c)
{
	confirm_record_clear(&c->record);
	c->record = c->before;
	c->before = (struct confirm_record){ .file_count = 0 };
	store(c);
}

void confirm_wait(struct confirm *c)
{
	confirm_record_clear(&c->before);
	c->is_pending = true;
	arm(c, confirm_left_ms(c));
}

void confirm_settle(struct confirm *c)
{
	bool was_any = c->record.file_count > 0;

	c->is_pending = false;
	evtimer_del(c->timer);
	confirm_record_clear(&c->record);
	if (was_any)
		store(c);
}

bool confirm_is_pending(const struct confirm *c)
{
	return c->is_pending;
}

bool confirm_has_gone_back(const struct confirm *c)
{
	return c->record.has_gone_back;
}

uint64_t confirm_left_ms(const struct confirm *c)
{
	struct confirm_clock now;

	read_clock(&now);
	return confirm_record_left_ms(&c->record, &now);
}

int confirm_parse(const struct confirm *c, struct config **ret,
		  struct config_diags *diags)
{
	return confirm_record_parse(&c->record, ret, diags);
}

void confirm_went_back(struct confirm *c)
{
	c->is_pending = false;
	evtimer_del(c->timer);
	if (!c->record.has_gone_back) {
		c->record.has_gone_back = true;
		save(c);
	}
	log_warn("confirm: %s was not confirmed: what runs differs from it",
		 c->s->opt.config);
}

int confirm_answer(void *ctx, bool revert, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct confirm *c = s->confirm;

	if (!c->is_pending) {
		snprintf(res->message, sizeof(res->message),
			 "nothing waits for a confirmation");
		snprintf(res->hint, sizeof(res->hint),
			 "daectl reload --confirm=60s reads a configuration "
			 "that goes back by itself");
		return -ENOENT;
	}
	if (revert)
		return reload_back(s, res);
	confirm_settle(c);
	supervisor_event(s, EVENT_ADMIN, "reload", "confirmed");
	supervisor_wake(s);
	return 0;
}
