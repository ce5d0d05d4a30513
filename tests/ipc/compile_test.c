/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dae-compile as a process: what it makes, and what its starter believes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/nameset.h"
#include "common/priv.h"
#include "common/ruleset.h"
#include "supervisor/compile/calls.h"
#include "supervisor/compile/launch.h"
#include "supervisor/compiling.h"
#include "supervisor/config/config_parse.h"
#include "tests/unit/dat_file.h"

static const char *program, *evil;
static char folder[] = "/tmp/dae-compile.XXXXXX";

static struct launch_how how_of(const char *path, const char *config)
{
	return (struct launch_how){
		.path = path,
		.uid = geteuid() ? PRIV_KEEP_IDS : 65534,
		.gid = geteuid() ? getgid() : 65534,
		.config = config,
	};
}

static struct config *parse(const char *routing)
{
	struct config_diags diags = { 0 };
	struct config *c = NULL;
	char text[4096];

	snprintf(text, sizeof(text),
		 "global { }\nnode { a: 'direct://' }\n"
		 "group { g { filter: name(a) policy: fixed(0) } }\n"
		 "routing {\n%s\nfallback: direct }\n"
		 "supervisor { mode: observe }\n",
		 routing);
	if (config_parse(&c, text, strlen(text), &diags) < 0)
		fail_msg("%s", diags.count ? diags.items[0].message : "?");
	config_diags_clear(&diags);
	return c;
}

/* Compile these rules, with files from our folder. */
static int compile(const char *routing, const char *const *names, size_t count,
		   struct launch_result *ret, struct task_error *e)
{
	static const uint16_t ids[] = { 7 };
	char path[PATH_MAX];
	struct launch_how how;
	auto_config struct config *c = parse(routing);
	struct task_request q = { .routing = &c->routing,
				  .group_ids = ids,
				  .group_count = 1,
				  .names = names,
				  .name_count = count };
	struct launched l;
	int r;

	snprintf(path, sizeof(path), "%s/config.dae", folder);
	how = how_of(program, path);
	*ret = (struct launch_result)LAUNCH_RESULT_NONE;
	r = launch_compile(&l, &how, &q, e);
	return r < 0 ? r : launch_wait(&l, &how, ret, e);
}

static void write_file(const char *name, const struct dat *d)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(fd_write_file_atomic(path, d->bytes, d->len, 0644), 0);
}

static int make_files(void **state DAE_UNUSED)
{
	struct dat list = { .len = 0 }, e = { .len = 0 };

	if (!mkdtemp(folder))
		return -1;
	dat_field_text(&e, 1, "CN");
	dat_domain(&e, 2, "site.cn", "ads");
	dat_domain(&e, 0, "word", NULL);
	dat_domain(&e, 1, "^r[0-9]\\.", NULL);
	dat_domain(&e, 1, "(?=bad)", NULL);
	dat_domain(&e, 3, "no name", NULL);
	dat_entry(&list, &e);
	write_file("geosite.dat", &list);
	list.len = e.len = 0;
	dat_field_text(&e, 1, "CN");
	dat_cidr(&e, "192.0.2.0/25");
	dat_cidr(&e, "192.0.2.128/25");
	dat_cidr(&e, "2001:db8::/32");
	dat_entry(&list, &e);
	e.len = 0;
	dat_field_text(&e, 1, "NOT");
	dat_cidr(&e, "198.51.100.0/24");
	dat_cidr(&e, "::/1");
	dat_field_int(&e, 3, 1);
	dat_entry(&list, &e);
	write_file("geoip.dat", &list);
	write_file("own.dat", &list);
	list.len -= 3;
	write_file("broken.dat", &list);
	return 0;
}

static int remove_files(void **state DAE_UNUSED)
{
	static const char *const names[] = { "geosite.dat", "geoip.dat",
					     "own.dat", "broken.dat" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static unsigned int rule_of(const struct ruleset *rules, const char *dst,
			    const struct dae_bitmap *sets)
{
	struct ruleset_query q = { .l4proto = 6, .dport = 443 };
	struct ruleset_verdict v;

	addr_parse(dst, &q.dst);
	addr_parse(q.dst.family == 4 ? "10.0.0.1" : "fd00::1", &q.src);
	q.domain_sets = sets;
	assert_int_equal(ruleset_eval(rules, &q, &v), 0);
	return v.rule;
}

static void test_whole(void **state DAE_UNUSED)
{
	static const char routing[] =
		"dip(geoip:cn, 203.0.113.1) -> block\n"
		"dip(ext:\"own.dat:not\") && dport(80) -> block\n"
		"domain(geosite:cn@ads) -> g\n"
		"domain(geosite:cn, full: a.b) -> block\n";
	static const char *const names[] = { "www.site.cn", "x.word.org",
					     "r1.x",	    "nothing.org",
					     "A.B.",	    "..." };
	static const uint64_t want[] = { 3, 2, 2, 0, 2, 0 };
	struct launch_result res;
	struct ruleset rules;
	struct task_error e;
	void *image;

	assert_int_equal(compile(routing, names, ARRAY_LEN(names), &res, &e),
			 0);
	image = mmap(NULL, res.rules_len, PROT_READ, MAP_SHARED, res.rules_fd,
		     0);
	assert_true(image != MAP_FAILED);
	assert_int_equal(ruleset_open(image, res.rules_len, &rules), 0);
	assert_int_equal(rule_of(&rules, "192.0.2.200", NULL), 0);
	assert_int_equal(rule_of(&rules, "203.0.113.1", NULL), 0);
	assert_int_equal(rule_of(&rules, "2001:db8:1::", NULL), 0);
	assert_int_equal(rule_of(&rules, "203.0.113.2", NULL),
			 DAE_RULE_FALLBACK);
	assert_int_equal(res.report.set_count, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(res.report.sets[i].w[0], want[i]);
	assert_int_equal(rule_of(&rules, "203.0.113.2", &res.report.sets[0]),
			 2);
	assert_int_equal(rule_of(&rules, "203.0.113.2", &res.report.sets[1]),
			 3);
	/* what the list has of no use is said, once for each value */
	assert_true(res.report.warning_count >= 2);
	assert_non_null(strstr(res.report.warnings[0].text, "looking ahead"));
	assert_int_equal(res.report.warnings[0].pos.line, 8);
	munmap(image, res.rules_len);
	launch_result_clear(&res);
}

/* The list "not" is all but what it says: the complement is made of it. */
static void test_inverse(void **state DAE_UNUSED)
{
	struct launch_result res;
	struct ruleset rules;
	struct task_error e;
	void *image;

	assert_int_equal(compile("dip(geoip:not) -> block", NULL, 0, &res, &e),
			 0);
	image = mmap(NULL, res.rules_len, PROT_READ, MAP_SHARED, res.rules_fd,
		     0);
	assert_int_equal(ruleset_open(image, res.rules_len, &rules), 0);
	assert_int_equal(rule_of(&rules, "198.51.100.9", NULL),
			 DAE_RULE_FALLBACK);
	assert_int_equal(rule_of(&rules, "198.51.101.0", NULL), 0);
	assert_int_equal(rule_of(&rules, "198.51.99.255", NULL), 0);
	assert_int_equal(rule_of(&rules, "0.0.0.0", NULL), 0);
	assert_int_equal(rule_of(&rules, "2001:db8::", NULL),
			 DAE_RULE_FALLBACK);
	assert_int_equal(rule_of(&rules, "fd00::2", NULL), 0);
	munmap(image, res.rules_len);
	launch_result_clear(&res);
}

static void test_errors(void **state DAE_UNUSED)
{
	static const struct {
		const char *routing, *text;
		unsigned int column;
	} rows[] = {
		{ "dip(geoip:cm) -> block", "no list 'cm': did you mean 'cn'",
		  11 },
		{ "domain(geosite:nowhere) -> block", "none of its 1 lists",
		  16 },
		{ "domain(ext: 'own.dat:cn') -> block", "damaged", 13 },
		{ "dip(ext: 'broken.dat:cn') -> block", "damaged", 10 },
		{ "dip(ext: 'absent.dat:cn') -> block", "no absent.dat in",
		  10 },
		{ "dip(ext: '../own.dat:cn') -> block", "without a folder",
		  10 },
		{ "dip(ext: 'own.dat') -> block", "ext takes", 10 },
		{ "domain(regex: 'a(') -> block", "no regular expression", 15 },
		{ "domain(regex: '(a)\\1') -> block", "references back", 15 },
	};
	struct launch_result res;
	struct task_error e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		e = (struct task_error){ 0 };
		assert_true(compile(rows[i].routing, NULL, 0, &res, &e) < 0);
		if (!strstr(e.text, rows[i].text))
			fail_msg("%s: %s", rows[i].routing, e.text);
		assert_int_equal(e.pos.line, 5);
		assert_int_equal(e.pos.column, rows[i].column);
		launch_result_clear(&res);
	}
}

static void test_match(void **state DAE_UNUSED)
{
	static const char *const names[] = { "x.site.cn", "a.b", "none" };
	struct task_request q = { .names = names,
				  .name_count = ARRAY_LEN(names) };
	struct launch_how how = how_of(program, NULL);
	struct launch_result res, found;
	struct launched l;
	struct task_error e;

	assert_int_equal(compile("domain(geosite:cn) -> g\n"
				 "domain(a.b) -> block",
				 NULL, 0, &res, &e),
			 0);
	assert_int_equal(launch_match(&l, &how, &q, res.names_fd, &e), 0);
	assert_int_equal(launch_wait(&l, &how, &found, &e), 0);
	assert_int_equal(found.report.set_count, 3);
	assert_int_equal(found.report.sets[0].w[0], 1);
	assert_int_equal(found.report.sets[1].w[0], 2);
	assert_int_equal(found.report.sets[2].w[0], 0);
	assert_int_equal(found.rules_fd, -1);
	launch_result_clear(&found);
	/* an image that is none */
	assert_int_equal(launch_match(&l, &how, &q, res.rules_fd, &e), 0);
	assert_true(launch_wait(&l, &how, &found, &e) < 0);
	launch_result_clear(&found);
	launch_result_clear(&res);
}

/* Each way to lie is found out, and leaves no process and no descriptor. */
static void test_liars(void **state DAE_UNUSED)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "crash", "ended by Killed" }, { "silent", "nonsense" },
		{ "garbage", "nonsense" },	{ "unsealed", "nonsense" },
		{ "report", "nonsense" },	{ "empty", "nonsense" },
		{ "huge", "nonsense" },		{ "other", "ended with 1" },
	};
	auto_config struct config *c = parse("");
	struct task_request q = { .routing = &c->routing };
	struct launch_result res;
	char path[PATH_MAX];
	struct launch_how how;
	struct launched l;
	struct task_error e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(path, sizeof(path), "%s/evil-%s", folder,
			 rows[i].name);
		assert_int_equal(symlink(evil, path), 0);
		how = how_of(path, NULL);
		assert_int_equal(launch_compile(&l, &how, &q, &e), 0);
		assert_true(launch_wait(&l, &how, &res, &e) < 0);
		if (!strstr(e.text, rows[i].text))
			fail_msg("%s: %s", rows[i].name, e.text);
		assert_int_equal(res.rules_fd, -1);
		launch_result_clear(&res);
		assert_int_equal(unlink(path), 0);
	}
	how = how_of("/nonexistent/dae-compile", NULL);
	assert_int_equal(launch_compile(&l, &how, &q, &e), 0);
	assert_true(launch_wait(&l, &how, &res, &e) < 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_killed(void **state DAE_UNUSED)
{
	auto_config struct config *c = parse("");
	struct task_request q = { .routing = &c->routing };
	struct launch_how how;
	char path[PATH_MAX];
	struct launch_result res;
	struct launched l;
	struct task_error e;

	snprintf(path, sizeof(path), "%s/evil-hang", folder);
	assert_int_equal(symlink(evil, path), 0);
	how = how_of(path, NULL);
	assert_int_equal(launch_compile(&l, &how, &q, &e), 0);
	launch_kill(&l);
	assert_int_equal(l.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	/* its deadline */
	how.deadline_ms = 100;
	assert_int_equal(launch_compile(&l, &how, &q, &e), 0);
	assert_int_equal(launch_wait(&l, &how, &res, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "in time"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(unlink(path), 0);
}

/* What a job on the loop came to. */
struct heard {
	struct event_base *base;
	struct compiling *c;
	unsigned int count, ticks;
	int r;
	bool is_again; /* start another from the answer */
	const struct task_request *q;
	char text[sizeof(((struct task_error *)0)->text)];
};

static void on_done(void *arg, int r, struct launch_result *res,
		    const struct task_error *e)
{
	struct heard *h = arg;
	struct task_error busy;

	h->count++;
	h->r = r;
	snprintf(h->text, sizeof(h->text), "%s", e->text);
	assert_int_equal(r == 0, res->rules_fd >= 0);
	assert_false(compiling_is_busy(h->c));
	if (h->is_again) {
		h->is_again = false;
		assert_int_equal(compiling_start(h->c, h->q, on_done, h, &busy),
				 0);
		return;
	}
	event_base_loopbreak(h->base);
}

static void on_tick(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	struct heard *h = arg;

	h->ticks++;
}

static void run(struct heard *h, const struct launch_how *how)
{
	static const struct timeval tick = { .tv_usec = 1000 };
	struct event *timer = event_new(h->base, -1, EV_PERSIST, on_tick, h);
	struct task_error e;

	h->count = h->ticks = 0;
	assert_int_equal(compiling_new(&h->c, h->base, how), 0);
	event_add(timer, &tick);
	assert_int_equal(compiling_start(h->c, h->q, on_done, h, &e), 0);
	assert_true(compiling_is_busy(h->c));
	assert_int_equal(compiling_start(h->c, h->q, on_done, h, &e), -EBUSY);
	event_base_dispatch(h->base);
	event_free(timer);
	compiling_free(&h->c);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The loop turns meanwhile; one job at a time; the next from the answer; one
 * that hangs is ended; one under way is dropped with its owner. */
static void test_on_loop(void **state DAE_UNUSED)
{
	static const uint16_t ids[] = { 3 };
	auto_config struct config *c = parse("dport(1) -> g");
	struct task_request q = { .routing = &c->routing,
				  .group_ids = ids,
				  .group_count = 1 };
	struct heard h = { .base = event_base_new(), .q = &q };
	struct launch_how how = how_of(program, NULL);
	char path[PATH_MAX];
	struct task_error e;

	h.is_again = true;
	run(&h, &how);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.r, 0);
	snprintf(path, sizeof(path), "%s/evil-hang", folder);
	assert_int_equal(symlink(evil, path), 0);
	how = how_of(path, NULL);
	how.deadline_ms = 150;
	run(&h, &how);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.r, -ETIMEDOUT);
	assert_true(h.ticks > 10);
	h.count = 0;
	assert_int_equal(compiling_new(&h.c, h.base, &how), 0);
	assert_int_equal(compiling_start(h.c, &q, on_done, &h, &e), 0);
	compiling_free(&h.c);
	assert_int_equal(h.count, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(unlink(path), 0);
	event_base_free(h.base);
}

static bool has_line(const char *status, const char *line)
{
	const char *p = strstr(status, line);

	return p && (p == status || p[-1] == '\n') && p[strlen(line)] == '\n';
}

/* The process itself, caught at work on names that take their time. */
static void test_confined(void **state DAE_UNUSED)
{
	static const uint16_t ids[] = { 3 };
	static const char *names[400];
	auto_config struct config *c = parse(
		"domain(regex: '^(a+)+(a+)+(a+)+$') -> g");
	struct task_request q = { .routing = &c->routing,
				  .group_ids = ids,
				  .group_count = 1,
				  .names = names,
				  .name_count = ARRAY_LEN(names) };
	struct launch_how how = how_of(program, NULL);
	char path[64], uid[64], name[NAMESET_NAME_MAX + 1];
	auto_free char *text = NULL;
	struct launch_result res;
	struct launched l;
	struct task_error e;
	bool is_closed = false;

	memset(name, 'a', sizeof(name) - 2);
	strcpy(name + sizeof(name) - 2, "-");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = name;
	snprintf(uid, sizeof(uid), "Uid:\t%u\t%u\t%u\t%u",
		 geteuid() ? geteuid() : 65534, geteuid() ? geteuid() : 65534,
		 geteuid() ? geteuid() : 65534, geteuid() ? geteuid() : 65534);
	assert_int_equal(launch_compile(&l, &how, &q, &e), 0);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)l.pid);
	for (int i = 0; i < 2000 && !is_closed; i++) {
		free(TAKE_PTR(text));
		assert_true(fd_read_file(path, 8192, &text) > 0);
		is_closed = has_line(text, "Seccomp:\t2");
		usleep(1000);
	}
	assert_true(is_closed);
	assert_true(has_line(text, uid));
	assert_true(has_line(text, "Groups:\t ") || geteuid());
	assert_true(has_line(text, "NoNewPrivs:\t1"));
	assert_true(has_line(text, "CapPrm:\t0000000000000000"));
	assert_true(has_line(text, "CapEff:\t0000000000000000"));
	assert_true(has_line(text, "CapAmb:\t0000000000000000"));
	assert_int_equal(launch_wait(&l, &how, &res, &e), 0);
	assert_int_equal(res.report.given_up, ARRAY_LEN(names));
	launch_result_clear(&res);
}

/* A child that closes the sandbox as dae-compile does, then calls. */
static int status_of(int (*call)(void))
{
	struct confine_report report;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    confine_enter(compile_calls(), &report) < 0)
			_exit(99);
		syscall(SYS_exit_group, call() < 0 ? 98 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int call_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int call_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int call_fork(void)
{
	return fork();
}

static int call_memfd(void)
{
	return memfd_create("x", 0);
}

static int call_dup(void)
{
	return fcntl(0, F_DUPFD, 100);
}

static int call_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static int call_kill(void)
{
	return kill(1, 0);
}

static int call_memory(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0
		       ? -1
		       : 0;
}

static void test_sandbox(void **state DAE_UNUSED)
{
	static int (*const denied[])(void) = {
		call_socket, call_open,	       call_fork, call_memfd,
		call_dup,    call_exec_memory, call_kill,
	};
	int status;

	assert_int_equal(status_of(call_memory), 0);
	for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
		status = status_of(denied[i]);
		if (WIFEXITED(status) &&
		    WEXITSTATUS(status) == WORKER_EXIT_SANDBOX)
			continue; /* a debug build's way to die */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	cmocka_unit_test(test_inverse),
		cmocka_unit_test(test_errors),	cmocka_unit_test(test_match),
		cmocka_unit_test(test_liars),	cmocka_unit_test(test_killed),
		cmocka_unit_test(test_on_loop), cmocka_unit_test(test_confined),
		cmocka_unit_test(test_sandbox),
	};

	if (argc != 3)
		return 1;
	program = argv[1];
	evil = argv[2];
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
