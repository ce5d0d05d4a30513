/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/spawn.h"
#include "supervisor/compile/geo_files.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

_Static_assert(TASK_FD_REQUEST == SPAWN_FIRST_FD, "the first descriptor");
_Static_assert(TASK_FD_FILES - TASK_FD_REQUEST + TASK_FILES_MAX <=
		       SPAWN_FDS_MAX,
	       "all can be handed over");

static int fail(struct task_error *e, int r, const char *text)
{
	*e = (struct task_error){ 0 };
	snprintf(e->text, sizeof(e->text), "%s", text);
	return r;
}

static int fail_errno(struct task_error *e, int r)
{
	*e = (struct task_error){ 0 };
	snprintf(e->text, sizeof(e->text), "the rules cannot be compiled: %s",
		 strerror(-r));
	return r;
}

static void launched_clear(struct launched *l)
{
	fd_close_ptr(&l->pidfd);
	fd_close_ptr(&l->report);
	fd_close_ptr(&l->rules);
	fd_close_ptr(&l->names);
	l->pid = 0;
}

static int empty_file(int *ret, const char *name)
{
	*ret = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *ret < 0 ? -errno : 0;
}

static int start(struct launched *l, const struct launch_how *how,
		 const int *fds, size_t count)
{
	char uid[16], gid[16], parent[16];
	char *argv[] = { (char *)how->path, uid, gid, parent, NULL };
	int r;

	snprintf(uid, sizeof(uid), "%u", (unsigned int)how->uid);
	snprintf(gid, sizeof(gid), "%u", (unsigned int)how->gid);
	snprintf(parent, sizeof(parent), "%u", (unsigned int)getpid());
	r = spawn_process(how->path, argv, fds, count, &l->pid);
	if (r < 0)
		return r;
	l->pidfd = (int)syscall(SYS_pidfd_open, l->pid, 0);
	if (l->pidfd < 0) {
		r = -errno;
		launch_kill(l);
	}
	return r;
}

/* @fds: [TASK_FD_NAMES - 3] is set for a match; files follow from there. */
static int launch(struct launched *ret, const struct launch_how *how,
		  struct task_request *q, int *fds, struct task_error *e)
{
	struct launched l = {
		.pidfd = -1, .report = -1, .rules = -1, .names = -1
	};
	auto_fd int request = -1;
	auto_free void *text = NULL;
	size_t len;
	int r;

	if (getrandom(&q->seed, sizeof(q->seed), 0) != sizeof(q->seed))
		return fail_errno(e, -errno);
	r = task_request_encode(q, &text, &len, e);
	if (r < 0)
		return r == -ENOMEM ? fail_errno(e, r) : r;
	request = fd_sealed_memfd("dae-request", text, len);
	r = request < 0 ? request : empty_file(&l.report, "dae-report");
	if (r == 0)
		r = empty_file(&l.rules, "dae-rules");
	if (r == 0 && q->kind == TASK_COMPILE)
		r = empty_file(&l.names, "dae-names");
	if (r == 0) {
		fds[0] = request;
		fds[1] = l.report;
		fds[2] = l.rules;
		if (q->kind == TASK_COMPILE)
			fds[3] = l.names;
		r = start(&l, how, fds, 4 + q->file_count);
	}
	if (r < 0) {
		launched_clear(&l);
		return fail_errno(e, r);
	}
	*ret = l;
	return 0;
}

int launch_compile(struct launched *ret, const struct launch_how *how,
		   const struct task_request *q, struct task_error *e)
{
	struct geo_files files = { .count = 0 };
	int fds[SPAWN_FDS_MAX], r;
	struct task_request full = *q;

	r = geo_files_open(&files, q->routing, how->config, e);
	if (r == 0) {
		full.kind = TASK_COMPILE;
		full.files = (const char *const *)files.names;
		full.file_count = files.count;
		memcpy(fds + 4, files.fds, files.count * sizeof(*fds));
		r = launch(ret, how, &full, fds, e);
	}
	geo_files_close(&files);
	return r;
}

int launch_match(struct launched *ret, const struct launch_how *how,
		 const struct task_request *q, int names_fd,
		 struct task_error *e)
{
	struct task_request full = { .kind = TASK_MATCH,
				     .names = q->names,
				     .name_count = q->name_count };
	int fds[4];

	fds[3] = names_fd;
	return launch(ret, how, &full, fds, e);
}

/* Nobody can change it any more, and it has a size that we are ready for. */
static int check_file(int fd, size_t max, size_t *ret_len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0)
		return -EBADMSG;
	if (st.st_size <= 0 || (uint64_t)st.st_size > max)
		return -EBADMSG;
	*ret_len = (size_t)st.st_size;
	return 0;
}

static int read_report(int fd, struct task_report *ret)
{
	size_t len;
	void *p;
	int r;

	r = check_file(fd, TASK_REPORT_MAX, &len);
	if (r < 0)
		return r;
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	r = task_report_decode(p, len, ret);
	munmap(p, len);
	return r;
}

static int check_end(int status, struct task_error *e)
{
	char text[96];

	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_DRAINED)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_NOMEM)
		return fail(e, -ENOMEM,
			    "the rules need more memory than dae-compile has");
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "dae-compile was ended by %s",
			 WTERMSIG(status) == SIGSYS
				 ? "its sandbox"
				 : strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "dae-compile ended with %d",
			 WEXITSTATUS(status));
	return fail(e, -ECHILD, text);
}

int launch_collect(struct launched *l, int status, struct launch_result *ret,
		   struct task_error *e)
{
	bool is_match = l->names < 0;
	int r;

	*ret = (struct launch_result)LAUNCH_RESULT_NONE;
	r = check_end(status, e);
	if (r < 0) {
		launched_clear(l);
		return r;
	}
	r = read_report(l->report, &ret->report);
	if (r == 0 && ret->report.is_error) {
		*e = ret->report.error;
		launched_clear(l);
		return -EINVAL;
	}
	if (r == 0 && !is_match) {
		r = check_file(l->rules, TASK_IMAGE_MAX, &ret->rules_len);
		if (r == 0)
			r = check_file(l->names, TASK_IMAGE_MAX,
				       &ret->names_len);
	}
	if (r == 0 && !is_match) {
		ret->rules_fd = TAKE_FD(l->rules);
		ret->names_fd = TAKE_FD(l->names);
	}
	launched_clear(l);
	return r < 0 ? fail(e, r, "dae-compile answered nonsense") : 0;
}

uint32_t launch_deadline_ms(const struct launch_how *how)
{
	return how->deadline_ms ? how->deadline_ms : LAUNCH_DEADLINE_MS;
}

int launch_wait(struct launched *l, const struct launch_how *how,
		struct launch_result *ret, struct task_error *e)
{
	struct pollfd p = { .fd = l->pidfd, .events = POLLIN };
	int status, r;

	do {
		r = poll(&p, 1, (int)launch_deadline_ms(how));
	} while (r < 0 && errno == EINTR);
	if (r <= 0) {
		launch_kill(l);
		return fail(e, -ETIMEDOUT, "dae-compile did not end in time");
	}
	while (waitpid(l->pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(e, -errno);
	return launch_collect(l, status, ret, e);
}

void launch_kill(struct launched *l)
{
	if (l->pid > 0) {
		kill(l->pid, SIGKILL);
		while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	launched_clear(l);
}

void launch_result_clear(struct launch_result *r)
{
	task_report_clear(&r->report);
	fd_close_ptr(&r->rules_fd);
	fd_close_ptr(&r->names_fd);
}
