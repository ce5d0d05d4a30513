/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/compile/check.h"
#include "supervisor/compiling.h"
#include "supervisor/config_load.h"
#include "supervisor/confirm.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/dispatch.h"
#include "supervisor/flow_sweep.h"
#include "supervisor/kernel_plan.h"
#include "supervisor/notify.h"
#include "supervisor/reload_diff.h"
#include "supervisor/rule_counts.h"
#include "supervisor/setup.h"
#include "supervisor/supervisor.h"
#include "supervisor/trace.h"

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
	if (strcmp(a->cgroup ? a->cgroup : "", b->cgroup ? b->cgroup : "") != 0)
		return "cgroup";
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
	struct kernel_plan *plan;
};

static void next_clear(struct next *n)
{
	kernel_plan_free(&n->plan);
	config_free(&n->config);
	fd_close_ptr(&n->ca_fd);
}

/* One that waits for its rules to be compiled. */
struct reload {
	struct supervisor *s;
	struct next next;
	enum reload_cause cause;
	struct ctl_reload_request q;
	struct ctl_outcome res;
	struct learn_list names; /* that the new rules are to look at */
};

static int prepare(struct supervisor *s, struct next *n,
		   enum reload_cause cause, struct ctl_outcome *res)
{
	int r;

	r = cause == RELOAD_BACK
		    ? confirm_parse(s->confirm, &n->config, &res->diags)
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
	return n->ca_fd < 0 ? fail(res, n->ca_fd, "ca_file cannot be opened")
			    : 0;
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
	r = kernel_apply(s->kernel, n->config, &n->plan, p, &err);
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
	flow_sweep_start(s->sweep, true);
	trace_follow_reload(s);
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

/* All of it is there: take it. */
static int take(struct reload *l)
{
	struct supervisor *s = l->s;
	int r;

	if (l->q.dry_run)
		return reload_diff_make(s, &l->next.config, &l->next.plan,
					&l->res);
	if (l->q.confirm_ms)
		return swap_to_confirm(s, &l->next, l->q.confirm_ms, &l->res);
	r = swap(s, &l->next, &l->res);
	if (r < 0)
		return r;
	if (l->cause == RELOAD_BACK) {
		confirm_went_back(s->confirm);
		tell_in_force(s, ": the one before, as the last was not "
				 "confirmed");
	} else {
		confirm_settle(s->confirm);
		tell_in_force(s, "");
	}
	return 0;
}

static void answer(struct reload *l)
{
	if (l->cause == RELOAD_BACK)
		confirm_back_done(l->s->confirm, l->res.r, l->res.message);
	if (l->cause == RELOAD_SIGNAL) {
		reload_log_diags(&l->res.diags);
		if (l->res.r < 0)
			log_error("reload: %s", l->res.message);
		notify_send("READY=1");
	}
	if (l->res.ticket)
		ctl_server_resume(l->s->ctl, &l->res);
}

/* It is over, one way or the other; the next may begin. */
static void settle(struct reload *l, int r)
{
	struct supervisor *s = l->s;
	bool again = s->reload_again;

	l->res.r = r;
	learn_stay(kernel_learn(s->kernel)); /* what was not taken */
	learn_list_clear(&l->names);
	kernel_forget_plan(s->kernel);
	s->reload = NULL;
	s->reload_again = false;
	answer(l);
	next_clear(&l->next);
	config_diags_clear(&l->res.diags);
	free(l);
	malloc_trim(0); /* two configurations were here, one is */
	if (again && !s->reload)
		reload_by_signal(s);
}

static int prepare_names(struct reload *l, const struct dae_bitmap *sets)
{
	int r = learn_prepare(kernel_learn(l->s->kernel), &l->names, sets);

	return r < 0 ? fail(&l->res, r, "not enough memory for the names") : 0;
}

static void on_matched(void *arg, int r, struct launch_result *res,
		       const struct task_error *e)
{
	struct reload *l = arg;

	if (r == 0 && res->report.set_count != l->names.count)
		r = fail(&l->res, -EBADMSG, "dae-compile answered nonsense");
	else if (r < 0)
		fail(&l->res, r, e->text);
	if (r == 0)
		r = prepare_names(l, res->report.sets);
	settle(l, r < 0 ? r : take(l));
}

/* The sets of the new rules that known names are in. -EINPROGRESS: they are
 * being matched. */
static int look_at_names(struct reload *l)
{
	struct task_error e = { .text = "" };
	struct task_request q = { .name_count = 0 };
	int r;

	if (l->q.dry_run)
		return 0;
	r = learn_list_names(kernel_learn(l->s->kernel), &l->names);
	if (r < 0)
		return fail(&l->res, r, "not enough memory for the names");
	if (!l->names.count || !l->next.plan->rules.h->domain_sets)
		return prepare_names(l, NULL);
	q.names = l->names.names;
	q.name_count = l->names.count;
	r = compiling_match(l->s->compiling, &q, l->next.plan->names_fd,
			    on_matched, l, &e);
	return r < 0 ? fail(&l->res, r, e.text) : -EINPROGRESS;
}

static void on_compiled(void *arg, int r, struct launch_result *res,
			const struct task_error *e)
{
	struct reload *l = arg;

	compile_tell_warnings(l->next.config, &res->report, &l->res.diags);
	if (r < 0 && e->pos.line)
		compile_tell_error(l->next.config, e, &l->res.diags);
	if (r < 0) {
		r = fail(&l->res, r, e->text);
	} else {
		r = kernel_plan_take(l->next.plan, res);
		r = r < 0 ? fail(&l->res, r, "the compiled rules are not sound")
			  : look_at_names(l);
	}
	if (r == -EINPROGRESS)
		return;
	settle(l, r < 0 ? r : take(l));
}

static int compile(struct reload *l)
{
	const struct config *c = l->next.config;
	struct kernel_error err = { .text = "" };
	struct task_error e = { .text = "" };
	struct task_request q = { .routing = &c->routing,
				  .group_count = c->group_count };
	int r;

	r = kernel_plan_new(l->s->kernel, c, &l->next.plan, &err);
	if (r < 0)
		return fail(&l->res, r, err.text);
	q.group_ids = l->next.plan->group_ids;
	r = compiling_start(l->s->compiling, &q, on_compiled, l, &e);
	if (r == 0)
		return 0;
	kernel_forget_plan(l->s->kernel);
	if (e.pos.line)
		compile_tell_error(c, &e, &l->res.diags);
	return fail(&l->res, r, e.text);
}

/* -EINPROGRESS: it has begun. Else it is over: *res is what it came to. */
static int begin(struct supervisor *s, enum reload_cause cause,
		 const struct ctl_reload_request *q, struct ctl_outcome *res)
{
	struct reload *l;
	int r;

	if (s->reload || !s->is_ready)
		return fail(res, -EBUSY,
			    s->is_ready ? "a reload is under way"
					: "the start is under way");
	l = calloc(1, sizeof(*l));
	if (!l)
		return fail(res, -ENOMEM, "out of memory");
	l->s = s;
	l->cause = cause;
	l->q = *q;
	l->next.ca_fd = -1;
	l->res = *res;
	r = prepare(s, &l->next, cause, &l->res);
	if (r == 0)
		r = compile(l);
	if (r == 0) {
		s->reload = l;
		res->diags = (struct config_diags){ 0 };
		return -EINPROGRESS;
	}
	*res = l->res;
	next_clear(&l->next);
	free(l);
	return r;
}

int reload(struct supervisor *s, const struct ctl_reload_request *q,
	   struct ctl_outcome *res)
{
	if (!q->dry_run && confirm_is_pending(s->confirm))
		return refuse_pending(res);
	return begin(s, RELOAD_CONTROL, q, res);
}

int reload_back(struct supervisor *s, struct ctl_outcome *res)
{
	static const struct ctl_reload_request plain = { .confirm_ms = 0 };

	return begin(s, RELOAD_BACK, &plain, res);
}

void reload_by_signal(struct supervisor *s)
{
	static const struct ctl_reload_request plain = { .confirm_ms = 0 };
	struct ctl_outcome res = { .r = 0 };
	char text[64];
	int r;

	if (s->reload || !s->is_ready) {
		s->reload_again = true; /* when that one is over */
		return;
	}
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)(clock_mono_ns() / NS_PER_US));
	notify_send(text);
	r = confirm_is_pending(s->confirm)
		    ? refuse_pending(&res)
		    : begin(s, RELOAD_SIGNAL, &plain, &res);
	if (r == -EINPROGRESS)
		return;
	reload_log_diags(&res.diags);
	config_diags_clear(&res.diags);
	log_error("reload: %s", res.message);
	notify_send("READY=1");
}

void reload_stop(struct supervisor *s)
{
	struct reload *l = TAKE_PTR(s->reload);

	if (!l)
		return;
	next_clear(&l->next);
	learn_list_clear(&l->names);
	config_diags_clear(&l->res.diags);
	free(l);
}
