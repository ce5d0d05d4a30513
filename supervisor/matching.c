/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/matching.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/nameset.h"
#include "supervisor/compiling.h"
#include "supervisor/supervisor.h"

#define ASKS_MAX 64

struct ask {
	char name[NAMESET_NAME_MAX + 1];
	matching_done *done;
	void *ctx;
	uint64_t token;
};

struct matching {
	struct supervisor *s;
	struct compiling *job;
	struct ask asks[ASKS_MAX]; /* the first @running are in the job */
	size_t count, running;
	uint64_t generation; /* of the rules that the job asks */
};

int matching_new(struct matching **ret, struct supervisor *s)
{
	struct matching *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->s = s;
	r = compiling_new(&m->job, s->base, &s->compile_how);
	if (r < 0) {
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void matching_free(struct matching **mp)
{
	struct matching *m = TAKE_PTR(*mp);

	if (!m)
		return;
	compiling_free(&m->job);
	free(m);
}

/* Answer those of the job; an answer may ask for more. */
static void answer(struct matching *m, int r, const struct dae_bitmap *sets,
		   const char *why)
{
	static const struct dae_bitmap none;
	struct ask done[ASKS_MAX];
	size_t n = m->running;

	memcpy(done, m->asks, n * sizeof(*done));
	m->count -= n;
	memmove(m->asks, m->asks + n, m->count * sizeof(*m->asks));
	m->running = 0;
	for (size_t i = 0; i < n; i++)
		done[i].done(done[i].ctx, done[i].token, r,
			     sets ? &sets[i] : &none, why);
}

static void on_matched(void *arg, int r, struct launch_result *res,
		       const struct task_error *e);

/* All that wait in one job, unless there is one. */
static int start(struct matching *m, struct task_error *e)
{
	const char *names[ASKS_MAX];
	struct task_request q = { .names = names, .name_count = m->count };
	int r;

	if (!m->count || m->running)
		return 0;
	for (size_t i = 0; i < m->count; i++)
		names[i] = m->asks[i].name;
	m->generation = m->s->config_generation;
	r = compiling_match(m->job, &q, kernel_names_fd(m->s->kernel),
			    on_matched, m, e);
	m->running = r < 0 ? 0 : m->count;
	return r;
}

static void on_matched(void *arg, int r, struct launch_result *res,
		       const struct task_error *e)
{
	struct task_error next = { .text = "" };
	struct matching *m = arg;

	if (r == 0 && m->generation != m->s->config_generation)
		m->running = 0; /* other rules meanwhile: ask those */
	else if (r == 0 && res->report.set_count != m->running)
		answer(m, -EBADMSG, NULL, "dae-compile answered nonsense");
	else
		answer(m, r, r == 0 ? res->report.sets : NULL, e->text);
	r = start(m, &next);
	if (r < 0) {
		m->running = m->count;
		answer(m, r, NULL, next.text);
	}
}

int matching_ask(struct matching *m, const char *name, matching_done *done,
		 void *ctx, uint64_t token)
{
	struct task_error e = { .text = "" };
	struct ask *a;
	int r;

	if (kernel_names_fd(m->s->kernel) < 0)
		return -ENOENT;
	if (m->count == ASKS_MAX)
		return -EBUSY;
	a = &m->asks[m->count];
	if (nameset_fold(name, strlen(name), a->name) < 0)
		return -EINVAL;
	a->done = done;
	a->ctx = ctx;
	a->token = token;
	m->count++;
	r = start(m, &e);
	if (r < 0)
		m->count--;
	return r;
}
