/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/config_load.h"
#include "supervisor/confirm.h"
#include "supervisor/dispatch.h"
#include "supervisor/notify.h"
#include "supervisor/reload_diff.h"
#include "supervisor/rule_counts.h"
#include "supervisor/setup.h"
#include "supervisor/supervisor.h"

void reload_log_diags(const struct config_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct config_diag *d = &diags->items[i];

		log_write(d->severity == DIAG_ERROR ? LOGL_ERROR : LOGL_WARN,
			  "config: %s:%" PRIu32 ":%" PRIu32 ": %s", d->path,
			  d->line, d->column, d->message);
	}
}

static int fail(struct ctl_outcome *res, int r, const char *text)
{
	snprintf(res->message, sizeof(res->message), "%.250s", text);
	return r;
}

/* Keys that only a restart can change; said, not silently ignored. */
static const char *fixed_key(const struct config *old, const struct config *new)
{
	const struct config_supervisor *a = &old->supervisor;
	const struct config_supervisor *b = &new->supervisor;

	if (a->so_mark != b->so_mark)
		return "so_mark";
	if (a->mark != b->mark || a->mark_mask != b->mark_mask)
		return "mark";
	if (a->flow_entries != b->flow_entries)
		return "flow_entries";
	if (a->attach != b->attach)
		return "attach";
	if (a->on_supervisor_loss != b->on_supervisor_loss)
		return "on_supervisor_loss";
	return NULL;
}

static int check_fixed(struct supervisor *s, const struct config *next,
		       struct ctl_outcome *res)
{
	const char *key = fixed_key(s->config, next);
	char text[CTL_TEXT_MAX];

	if (!key)
		return 0;
	snprintf(text, sizeof(text),
		 "supervisor { %s } can only change with a restart", key);
	snprintf(res->hint, sizeof(res->hint),
		 "systemctl restart dae-supervisor: flows go on meanwhile");
	return fail(res, -ENOTSUP, text);
}

/* Everything of the next configuration, before any of it is in force. */
struct next {
	struct config *config;
	struct recycle_limits limits;
	struct recycle_policy policy;
	int ca_fd;
	bool goes_back; /* to what was kept, not to what the file says */
};

static void next_clear(struct next *n)
{
	config_free(&n->config);
	fd_close_ptr(&n->ca_fd);
}

#define auto_next __attribute__((cleanup(next_clear)))

static int prepare(struct supervisor *s, struct next *n,
		   struct ctl_outcome *res)
{
	struct kernel_error err = { .text = "" };
	int r;

	r = n->goes_back ? confirm_parse(s->confirm, &n->config, &res->diags)
			 : config_load(&n->config, s->opt.config, &res->diags);
	if (r < 0)
		return fail(res, r,
			    "config rejected, running config unchanged");
	r = check_fixed(s, n->config, res);
	if (r < 0)
		return r;
	r = supervisor_limits(n->config, &n->config->supervisor.recycle,
			      &n->limits, &n->policy);
	if (r < 0)
		return fail(res, r, "memory_total does not hold one worker");
	n->ca_fd = setup_open_ca(n->config);
	if (n->ca_fd < 0)
		return fail(res, n->ca_fd, "ca_file cannot be opened");
	r = kernel_check(s->kernel, n->config, &err);
	return r < 0 ? fail(res, r, err.text) : 0;
}

/* The prober takes over all that stays; then the kernel flips, or all is as it
 * was; then the rest, which cannot fail. */
static int swap(struct supervisor *s, struct next *n, struct ctl_outcome *res)
{
	struct prober_now now = supervisor_now();
	struct kernel_error err = { .text = "" };
	struct prober *p;
	int r;

	r = prober_new(&p, n->config, s->prober, &now);
	if (r < 0)
		return fail(res, r, "not enough memory for the new targets");
	prober_update_groups(p, &now);
	r = kernel_apply(s->kernel, n->config, p, &err);
	if (r < 0) {
		prober_give_back(&p, s->prober, s->config);
		kernel_publish(s->kernel, s->prober);
		return fail(res, r, err.text);
	}
	prober_free(&s->prober);
	s->prober = p;
	SWAP(s->config, n->config); /* the old one until we return */
	rule_counts_carry(s, n->config);
	SWAP(s->ca_fd, n->ca_fd);
	pool_set_ca(s->pool, s->ca_fd);
	s->limits = n->limits;
	s->policy = n->policy;
	r = pool_resize(s->pool, &s->limits, &s->policy);
	if (r < 0)
		log_err_r(r, "reload: the crew keeps its size");
	pool_recycle(s->pool, CREW_MAX, RECYCLE_RELOAD);
	return 0;
}

static void tell_in_force(struct supervisor *s, const char *how)
{
	char text[160];

	s->config_generation++;
	reload_diff_drop(s);
	s->loaded_ns = clock_mono_ns();
	log_max_level = (enum log_level)s->config->global.log_level;
	dispatch_network_changed(s->dispatch);
	snprintf(text, sizeof(text), "configuration #%" PRIu64 " in force%s",
		 s->config_generation, how);
	supervisor_event(s, EVENT_RELOAD, s->opt.config, text);
	supervisor_wake(s);
}

static int refuse_pending(struct ctl_outcome *res)
{
	snprintf(res->hint, sizeof(res->hint),
		 "'daectl confirm' keeps it, 'daectl confirm --revert' goes "
		 "back");
	return fail(res, -EBUSY, "the last reload waits for its confirmation");
}

static int swap_to_confirm(struct supervisor *s, struct next *n,
			   uint64_t confirm_ms, struct ctl_outcome *res)
{
	char how[64];
	int r;

	r = confirm_keep(s->confirm, s->config, n->config, confirm_ms);
	if (r < 0)
		return fail(res, r, "the running configuration cannot be kept");
	r = swap(s, n, res);
	if (r < 0) {
		confirm_undo(s->confirm);
		return r;
	}
	confirm_wait(s->confirm);
	snprintf(how, sizeof(how),
		 ", goes back in %" PRIu64 " s unless confirmed",
		 confirm_ms / 1000);
	tell_in_force(s, how);
	return 0;
}

int reload(struct supervisor *s, const struct ctl_reload_request *q,
	   struct ctl_outcome *res)
{
	auto_next struct next n = { .ca_fd = -1 };
	int r;

	if (!q->dry_run && confirm_is_pending(s->confirm))
		return refuse_pending(res);
	r = prepare(s, &n, res);
	if (r == 0 && q->dry_run)
		r = reload_diff_make(s, &n.config, res);
	if (r < 0 || q->dry_run)
		return r;
	if (q->confirm_ms)
		return swap_to_confirm(s, &n, q->confirm_ms, res);
	r = swap(s, &n, res);
	if (r < 0)
		return r;
	confirm_settle(s->confirm);
	tell_in_force(s, "");
	return 0;
}

int reload_back(struct supervisor *s, struct ctl_outcome *res)
{
	auto_next struct next n = { .ca_fd = -1, .goes_back = true };
	int r;

	r = prepare(s, &n, res);
	if (r == 0)
		r = swap(s, &n, res);
	if (r < 0)
		return r;
	confirm_went_back(s->confirm);
	tell_in_force(s, ": the one before, as the last was not confirmed");
	return 0;
}

void reload_by_signal(struct supervisor *s)
{
	static const struct ctl_reload_request plain = { .confirm_ms = 0 };
	struct ctl_outcome res = { .r = 0 };
	char text[64];
	int r;

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)(clock_mono_ns() / NS_PER_US));
	notify_send(text);
	r = reload(s, &plain, &res);
	reload_log_diags(&res.diags);
	config_diags_clear(&res.diags);
	if (r < 0)
		log_error("reload: %s", res.message);
	notify_send("READY=1");
}
