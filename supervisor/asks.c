/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/asks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base.h"
#include "supervisor/core/prober.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/supervisor.h"

#define ASKS_MAX 32
#define ASK_ANSWERS_MAX 120 /* checks x rounds of one request */

struct ask {
	LIST_ENTRY(ask) entries;
	uint64_t cookie, ticket;
	struct ctl_probe_request q;
	uint32_t rounds_left, pending;
	size_t count;
	struct ctl_probe_answer answers[ASK_ANSWERS_MAX];
};

LIST_HEAD(ask_list, ask);

struct asks {
	struct supervisor *s;
	struct ask_list list;
	uint64_t last_cookie;
	unsigned int count;
};

int asks_new(struct asks **ret, struct supervisor *s)
{
	struct asks *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->s = s;
	LIST_INIT(&a->list);
	*ret = a;
	return 0;
}

static void ask_drop(struct asks *a, struct ask *k)
{
	LIST_REMOVE(k, entries);
	a->count--;
	free(k);
}

void asks_free(struct asks **ap)
{
	struct asks *a = TAKE_PTR(*ap);

	if (!a)
		return;
	while (!LIST_EMPTY(&a->list))
		ask_drop(a, LIST_FIRST(&a->list));
	free(a);
}

static void answer(struct ask *k, unsigned int check, const struct job *j,
		   const struct result *r)
{
	struct ctl_probe_answer *w;

	if (k->count == ASK_ANSWERS_MAX)
		return;
	w = &k->answers[k->count++];
	*w = (struct ctl_probe_answer){ .target = k->q.target,
					.check = (uint8_t)check,
					.worker = j ? j->worker : 0,
					.result = *r };
}

/* A scheduled probe of the same check that is under way serves as well. */
static bool join_running(struct asks *a, struct ask *k, uint32_t check)
{
	struct job_table *t = a->s->prober->jobs;
	struct job_stats st;

	job_table_stats(t, &st);
	for (uint32_t i = 0; i < st.live; i++) {
		struct job *j = job_table_at(t, i);

		if (j->check == check && j->cookie == 0) {
			j->cookie = k->cookie;
			return true;
		}
	}
	return false;
}

static void ask_check(struct asks *a, struct ask *k, unsigned int i)
{
	uint32_t check = target_check_id(k->q.target, i);
	struct prober_now now = supervisor_now();
	struct result res = { .outcome = OUTCOME_ABORTED };
	struct job *j;
	int r;

	r = prober_ask(a->s->prober, check, k->cookie, &now, &j);
	if (r == 0)
		j->is_trial = !k->q.commit;
	if (r == 0 || (r == -EBUSY && join_running(a, k, check)))
		k->pending++;
	else
		answer(k, i, NULL, &res);
}

/* Ask all checks of one round; more if they all end at once. */
static void next_round(struct asks *a, struct ask *k)
{
	while (!k->pending && k->rounds_left) {
		k->rounds_left--;
		for (unsigned int i = 0; i < TARGET_CHECKS; i++)
			if (k->q.checks & 1U << i)
				ask_check(a, k, i);
	}
	if (k->pending)
		return;
	ctl_server_probe_done(a->s->ctl, k->ticket, k->answers, k->count);
	ask_drop(a, k);
}

int asks_start(struct asks *a, uint64_t ticket,
	       const struct ctl_probe_request *q)
{
	uint32_t checks = (uint32_t)__builtin_popcount(q->checks);
	struct ask *k;

	if (a->count == ASKS_MAX)
		return -EBUSY;
	if (!checks || !q->count || q->count > ASK_ANSWERS_MAX / checks)
		return -E2BIG;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->cookie = ++a->last_cookie;
	k->ticket = ticket;
	k->q = *q;
	k->rounds_left = q->count;
	LIST_INSERT_HEAD(&a->list, k, entries);
	a->count++;
	return 0;
}

void asks_begin(struct asks *a)
{
	struct ask *k = LIST_FIRST(&a->list);

	while (k) {
		struct ask *next = LIST_NEXT(k, entries);

		if (!k->pending)
			next_round(a, k);
		k = next;
	}
}

void asks_final(struct asks *a, const struct prober_final *f)
{
	struct ask *k;

	if (!f->job.cookie)
		return;
	LIST_FOREACH(k, &a->list, entries)
		if (k->cookie == f->job.cookie)
			break;
	if (!k)
		return;
	answer(k, f->job.check % TARGET_CHECKS, &f->job, &f->result);
	k->pending--;
	next_round(a, k);
}
