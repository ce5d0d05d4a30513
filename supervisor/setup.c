/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/log.h"
#include "dae_build_id.h"
#include "supervisor/accounts.h"
#include "supervisor/asks.h"
#include "supervisor/compiling.h"
#include "supervisor/confirm.h"
#include "supervisor/control.h"
#include "supervisor/crew_events.h"
#include "supervisor/datapath/fence.h"
#include "supervisor/dispatch.h"
#include "supervisor/matching.h"
#include "supervisor/own_cgroup.h"
#include "supervisor/reload.h"
#include "supervisor/state_file.h"
#include "supervisor/supervisor.h"

#define SYSTEM_CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define WORKER_FILES 1024
/* One probe may have so much live at once: a hostile peer ends its probe only. */
#define WORKER_HEAP_BUDGET (512U << 10)

int setup_open_ca(const struct config *c)
{
	const char *path = c->supervisor.ca_file ? c->supervisor.ca_file
						 : SYSTEM_CA_BUNDLE;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (c->supervisor.ca_file)
		return log_err_r(-errno, "setup: cannot open ca_file %s", path);
	log_warn("setup: %s: %s: no certificate can be verified "
		 "(install ca-certificates)",
		 path, strerror(errno));
	return fd_sealed_memfd("no-ca", "", 0);
}

static int load_config(struct supervisor *s)
{
	auto_diags struct config_diags diags = { .count = 0 };
	int r = confirm_new(&s->confirm, s);

	if (r == 0)
		r = confirm_load(s->confirm, &s->config, &diags);
	reload_log_diags(&diags);
	if (r < 0)
		return log_err_r(r, "setup: %s cannot be used", s->opt.config);
	log_max_level = (enum log_level)s->config->global.log_level;
	r = supervisor_limits(s->config, &s->config->supervisor.recycle,
			      &s->limits, &s->policy);
	if (r < 0)
		return log_err_r(r,
				 "setup: memory_total does not hold a worker");
	return 0;
}

static int make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return log_err_r(-errno, "setup: cannot make %s", path);
	return 0;
}

/* Who the workers run as: never the supervisor's own user. */
static int find_worker_user(struct supervisor *s)
{
	int r = accounts_user(s->opt.worker_user, &s->worker_uid,
			      &s->worker_gid);

	if (r < 0) {
		log_error("setup: no user %s (systemd-sysusers makes it, see "
			  "dae-supervisor.conf in /usr/lib/sysusers.d)",
			  s->opt.worker_user);
		return r;
	}
	if (s->worker_uid == 0 || s->worker_uid == geteuid()) {
		log_error("setup: workers must not run as user %s",
			  s->opt.worker_user);
		return -EPERM;
	}
	return 0;
}

/* Without it the seccomp list and the sockets' handling remain: say so. */
static int raise_fence(struct supervisor *s)
{
	struct fence_options opt = { .worker_uid = s->worker_uid };
	struct datapath_error why = { .text = "" };
	struct own_cgroup cg;
	int r;

	r = own_cgroup_enter(&cg);
	opt.cgroup = cg.path;
	if (r == 0)
		r = fence_open(&s->fence, &opt, &why);
	if (r == 0)
		return 0;
	snprintf(s->fence_warning, sizeof(s->fence_warning),
		 "no second fence around workers' sockets: %.180s",
		 why.text[0] ? why.text : strerror(-r));
	log_warn("setup: %s", s->fence_warning);
	return 0;
}

static int start_pool(struct supervisor *s)
{
	struct pool_config c = {
		.uid = s->worker_uid,
		.gid = s->worker_gid,
		.build_id = DAE_BUILD_ID,
		.files = WORKER_FILES,
		.heap_budget = WORKER_HEAP_BUDGET,
		.so_mark = s->config->supervisor.so_mark,
		.limits = s->limits,
		.policy = s->policy,
		.ops = &crew_events_ops,
		.arg = s,
	};
	int r;

	if (asprintf(&s->worker_path, "%s/dae-worker", s->opt.libexec) < 0)
		return -ENOMEM;
	if (access(s->worker_path, X_OK) < 0)
		return log_err_r(-errno, "setup: no worker at %s",
				 s->worker_path);
	s->ca_fd = setup_open_ca(s->config);
	if (s->ca_fd < 0)
		return s->ca_fd;
	c.worker_path = s->worker_path;
	c.ca_fd = s->ca_fd;
	r = pool_new(&s->pool, s->base, &c);
	return r < 0 ? log_err_r(r, "setup: cannot make the pool") : 0;
}

static int start_prober(struct supervisor *s)
{
	struct prober_now now = supervisor_now();
	int r;

	r = prober_new(&s->prober, s->config, NULL, &now);
	if (r < 0)
		return log_err_r(r, "setup: cannot make the prober");
	s->loaded_ns = s->saved_ns = now.mono_ns;
	s->config_generation = 1;
	return state_file_load(s->opt.state_dir, s->prober, &now);
}

static int start_kernel(struct supervisor *s)
{
	struct kernel_options opt = { .pin_dir = s->opt.bpf_dir,
				      .state_dir = s->opt.state_dir,
				      .flow_entries = s->limits.flow_entries };
	int r;

	r = kernel_new(&s->kernel, &opt);
	return r < 0 ? log_err_r(r, "setup: kernel state") : 0;
}

static int start_compiler(struct supervisor *s)
{
	int r;

	if (asprintf(&s->compile_path, "%s/dae-compile", s->opt.libexec) < 0)
		return -ENOMEM;
	if (access(s->compile_path, X_OK) < 0)
		return log_err_r(-errno, "setup: no rule compiler at %s",
				 s->compile_path);
	s->compile_how = (struct launch_how){ .path = s->compile_path,
					      .uid = s->worker_uid,
					      .gid = s->worker_gid,
					      .config = s->opt.config };
	r = compiling_new(&s->compiling, s->base, &s->compile_how);
	return r < 0 ? r : matching_new(&s->matching, s);
}

int setup_all(struct supervisor *s)
{
	/* the socket says whether another daemon runs, before the kernel is
	 * told anything that is not its; the fence finds the control group
	 * that the pool then divides */
	static int (*const parts[])(struct supervisor * s) = {
		load_config,  find_worker_user, control_start, start_prober,
		start_kernel, raise_fence,	start_pool,    start_compiler,
	};
	int r;

	r = make_dir(s->opt.runtime_dir);
	if (r == 0)
		r = make_dir(s->opt.state_dir);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i](s);
	if (r < 0)
		return r;
	r = asks_new(&s->asks, s);
	return r < 0 ? r : dispatch_new(&s->dispatch, s);
}
