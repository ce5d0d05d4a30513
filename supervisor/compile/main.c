/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dae-compile: gives up what it was started with, closes the door behind it,
 * turns rules and lists into images, and ends. Started by the supervisor or by
 * daectl alone; see task.h for what it is handed.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/text.h"
#include "supervisor/compile/calls.h"
#include "supervisor/compile/expand.h"
#include "supervisor/compile/task.h"

#define DATA_MAX (384ULL << 20)
#define ADDRESS_MAX (1024ULL << 20)
#define CPU_MAX_S 60
#define OOM_SCORE 700 /* before any worker */

struct args {
	uid_t uid;
	gid_t gid;
	pid_t parent;
};

static int parse_args(int argc, char **argv, struct args *ret)
{
	uint64_t n[3];

	if (argc != 4)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		if (text_parse_uint(argv[i + 1], UINT32_MAX, &n[i]) < 0)
			return -EINVAL;
	*ret = (struct args){ .uid = (uid_t)n[0],
			      .gid = (gid_t)n[1],
			      .parent = (pid_t)n[2] };
	return 0;
}

static int give_up_privilege(const struct args *a)
{
	struct priv_limits limits = { .data_bytes = DATA_MAX,
				      .address_bytes = ADDRESS_MAX,
				      .file_bytes = TASK_IMAGE_MAX,
				      .files = 256,
				      .cpu_s = CPU_MAX_S,
				      .oom_score_adj = OOM_SCORE };
	struct confine_report report;
	int r;

	r = priv_limit(&limits);
	if (r == 0)
		r = priv_drop(a->uid, a->gid, a->parent);
	if (r == 0)
		r = confine_enter(compile_calls(), &report);
	return r < 0 ? log_err_r(r, "compile: privileges not dropped") : 0;
}

/* A sealed file of the starter's. NULL: not there, or too large. */
static const void *map_file(int fd, size_t max, size_t *ret_len)
{
	off_t len = lseek(fd, 0, SEEK_END);
	void *p;

	if (len <= 0 || (uint64_t)len > max)
		return NULL;
	p = mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fd, 0);
	*ret_len = (size_t)len;
	return p == MAP_FAILED ? NULL : p;
}

/* Filled and sealed: nobody, we included, changes it any more. */
static int put_file(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

static int run_compile(struct task_decoded *d, struct task_report *report)
{
	struct compiled c = { .names = NULL };
	int fds[TASK_FILES_MAX], r;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = TASK_FD_FILES + (int)i;
	r = compile_rules(d, fds, &c, report);
	if (r == 0)
		r = put_file(TASK_FD_NAMES, c.names, c.names_len);
	if (r == 0)
		r = put_file(TASK_FD_RULES, c.rules, c.rules_len);
	compiled_clear(&c);
	return r;
}

static int run_match(const struct task_request *q, struct task_report *report)
{
	const void *image;
	size_t len = 0;

	image = map_file(TASK_FD_NAMES, TASK_IMAGE_MAX, &len);
	return image ? compile_match(q, image, len, report) : -EBADMSG;
}

static int run(struct task_report *report)
{
	struct task_decoded d = { .arena = NULL };
	const void *request;
	size_t len = 0;
	int r;

	request = map_file(TASK_FD_REQUEST, TASK_REQUEST_MAX, &len);
	if (!request)
		return -EBADMSG;
	r = task_request_decode(request, len, &d);
	munmap((void *)request, len);
	if (r < 0)
		return r;
	r = d.q.kind == TASK_COMPILE ? run_compile(&d, report)
				     : run_match(&d.q, report);
	task_decoded_clear(&d);
	return report->is_error ? 0 : r;
}

static int tell(const struct task_report *report)
{
	auto_free void *text = NULL;
	size_t len;
	int r;

	r = task_report_encode(report, &text, &len);
	return r < 0 ? r : put_file(TASK_FD_REPORT, text, len);
}

int main(int argc, char **argv)
{
	struct task_report report = { .is_error = false };
	struct args a;
	int r;

	log_init("dae-compile");
	if (parse_args(argc, argv, &a) < 0) {
		fputs("dae-compile is started by dae-supervisor\n", stderr);
		return WORKER_EXIT_INTERNAL;
	}
	mallopt(M_ARENA_MAX, 1);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || give_up_privilege(&a) < 0)
		return WORKER_EXIT_SANDBOX;
	r = run(&report);
	if (r == 0)
		r = tell(&report);
	task_report_clear(&report);
	if (r == 0)
		return WORKER_EXIT_DRAINED;
	log_err_r(r, "compile: the job failed");
	if (r == -EBADMSG)
		return WORKER_EXIT_PROTOCOL;
	return r == -ENOMEM ? WORKER_EXIT_NOMEM : WORKER_EXIT_INTERNAL;
}
