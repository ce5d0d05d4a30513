/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/kernel_host.h"
#include "supervisor/kernel_ids.h"
#include "supervisor/kernel_links.h"
#include "supervisor/kernel_plan.h"
#include "supervisor/kernel_route.h"
#include "supervisor/rules/rules.h"

/* A supervisor whose heart has not beaten for so long is lost. */
#define KERNEL_LOSS_AFTER_NS (10 * NS_PER_S)

struct kernel {
	char ids_path[PATH_MAX];
	char sysctl_path[PATH_MAX];
	char *pin_dir;
	uint32_t flow_entries;
	struct kernel_ids ids;
	struct kernel_plan *plan; /* in force; NULL: none yet */
	struct learn *learn;
	bool is_active;
	struct datapath *dp;
	const struct config *config; /* of the last kernel_apply() */
	uint64_t epoch;
	uint64_t beat_ns;  /* last heartbeat, 0: none */
	char warning[160]; /* of interfaces that are left out */
};

static int kernel_fail(struct kernel_error *e, int r, const char *what,
		       const struct datapath_error *why)
{
	e->pos = (struct config_pos){ 0 };
	if (why && why->text[0])
		snprintf(e->text, sizeof(e->text), "%s: %.200s", what,
			 why->text);
	else
		snprintf(e->text, sizeof(e->text), "%s: %s", what,
			 strerror(-r));
	return r;
}

int kernel_new(struct kernel **ret, const struct kernel_options *opt)
{
	struct kernel *k = calloc(1, sizeof(*k));
	auto_free char *saved = NULL;
	ssize_t len;
	int n;

	if (!k)
		return -ENOMEM;
	k->flow_entries = opt->flow_entries;
	n = learn_new(&k->learn);
	if (n < 0) {
		kernel_free(&k);
		return n;
	}
	k->pin_dir = opt->pin_dir ? strdup(opt->pin_dir) : NULL;
	n = snprintf(k->ids_path, sizeof(k->ids_path), "%s/kernel-ids",
		     opt->state_dir);
	if (n >= (int)sizeof(k->ids_path) - 16 ||
	    (opt->pin_dir && !k->pin_dir)) {
		kernel_free(&k);
		return -ENAMETOOLONG;
	}
	snprintf(k->sysctl_path, sizeof(k->sysctl_path), "%.4000s/sysctls",
		 opt->state_dir);
	len = fd_read_file(k->ids_path, KERNEL_IDS_IMAGE_MAX, &saved);
	if (len >= 0 && kernel_ids_decode(&k->ids, saved, (size_t)len) < 0)
		log_warn("kernel: %s is damaged, numbers start anew",
			 k->ids_path);
	*ret = k;
	return 0;
}

void kernel_free(struct kernel **kp)
{
	struct kernel *k = TAKE_PTR(*kp);

	if (!k)
		return;
	learn_free(&k->learn);
	datapath_close(&k->dp);
	kernel_plan_free(&k->plan);
	kernel_ids_clear(&k->ids);
	free(k->pin_dir);
	free(k);
}

static int number_groups(struct kernel *k, const struct config *c,
			 struct kernel_plan *p, struct kernel_error *e)
{
	auto_free const char **names = NULL;
	int r;

	names = calloc(c->group_count + 1, sizeof(*names));
	if (!names)
		return kernel_fail(e, -ENOMEM, "rules", NULL);
	for (size_t i = 0; i < c->group_count; i++)
		names[i] = c->groups[i].name;
	r = rules_id_assign(&k->ids.groups, names, c->group_count,
			    p->group_ids);
	return r < 0 ? kernel_fail(e, r, "more groups than the kernel holds",
				   NULL)
		     : 0;
}

static int number_targets(struct kernel *k, const struct config *c,
			  struct kernel_plan *p, struct kernel_error *e)
{
	int r;

	for (size_t i = 0; i < c->node_count; i++) {
		if (!node_scheme_can_carry(c->nodes[i].scheme))
			continue;
		r = kernel_ids_target(&k->ids, c->nodes[i].identity);
		if (r < 0)
			return kernel_fail(
				e, r, "more than 1024 nodes can carry flows",
				NULL);
		p->target_ids[i] = (uint16_t)r;
	}
	return 0;
}

static void save_ids(struct kernel *k)
{
	auto_free uint8_t *buf = malloc(KERNEL_IDS_IMAGE_MAX);
	int n = buf ? kernel_ids_encode(&k->ids, buf, KERNEL_IDS_IMAGE_MAX)
		    : -ENOMEM;

	if (n >= 0)
		n = fd_write_file_atomic(k->ids_path, buf, (size_t)n, 0600);
	if (n < 0)
		log_err_r(n, "kernel: cannot save %s", k->ids_path);
}

/* Only where there is a plan. */
static struct kernel_route in_force(const struct kernel *k)
{
	return (struct kernel_route){ .config = k->config,
				      .target_ids = k->plan->target_ids,
				      .group_ids = k->plan->group_ids,
				      .saved_sysctls = k->sysctl_path };
}

static int open_datapath(struct kernel *k, const struct config_supervisor *s,
			 struct kernel_error *e)
{
	struct datapath_options opt = {
		.pin_dir = k->pin_dir,
		.attach = s->attach,
		.loss = s->on_supervisor_loss,
		.loss_after_ns = KERNEL_LOSS_AFTER_NS,
		.mark = s->mark,
		.mark_mask = s->mark_mask,
		.so_mark = s->so_mark,
		.cgroup = kernel_host_cgroup(s),
		.flow_entries = k->flow_entries,
	};
	struct datapath_error why = { .text = "" };
	int r;

	if (k->dp)
		return 0;
	r = datapath_open(&k->dp, &opt, &why);
	return r < 0 ? kernel_fail(e, r, "datapath", &why) : 0;
}

static bool has_pins(const char *dir)
{
	DIR *d = dir ? opendir(dir) : NULL;
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d)) != NULL)
		found = e->d_name[0] != '.';
	if (d)
		closedir(d);
	return found;
}

/* An earlier process may have had other interfaces; ours are attached now. */
static void sweep(struct kernel *k, const struct kernel_links *links,
		  bool has_host)
{
	struct datapath_error why = { .text = "" };
	uint32_t keep[DATAPATH_IFACES_MAX + 1];

	memcpy(keep, links->ifindex, links->count * sizeof(*keep));
	keep[links->count] = has_host ? if_nametoindex("lo") : 0;
	if (datapath_sweep(k->pin_dir, keep, links->count + has_host, &why) < 0)
		log_warn("kernel: %s", why.text);
}

static int find_links(struct kernel *k, const struct config *c,
		      struct kernel_links *ret, struct kernel_error *e)
{
	char text[sizeof(k->warning)] = "";
	int r = kernel_links_find(ret, &c->global.lan_interface);

	if (r < 0)
		return kernel_fail(e, r, "lan_interface", NULL);
	if (ret->left_out)
		snprintf(text, sizeof(text),
			 "lan_interface matches %zu interfaces, %d can be "
			 "bound: flows of the others go direct",
			 ret->count + ret->left_out, DATAPATH_IFACES_MAX);
	if (*text && !*k->warning)
		log_warn("kernel: %s", text);
	memcpy(k->warning, text, sizeof(text));
	return 0;
}

static int apply_kernel(struct kernel *k, const struct config *c,
			struct kernel_plan *b, const struct prober *p,
			struct kernel_error *e)
{
	struct kernel_route route = { .config = c,
				      .target_ids = b->target_ids,
				      .group_ids = b->group_ids,
				      .saved_sysctls = k->sysctl_path };
	bool is_heir = !k->plan && has_pins(k->pin_dir);
	struct datapath_error why = { .text = "" };
	struct kernel_links links;
	int r;

	r = find_links(k, c, &links, e);
	if (r < 0)
		return r;
	r = open_datapath(k, &c->supervisor, e);
	if (r < 0)
		return r;
	r = kernel_host_tell(k->dp, c);
	if (r < 0)
		return kernel_fail(e, r, "wan_interface", NULL);
	datapath_set_reclassify(k->dp,
				c->supervisor.reload_flows == FLOWS_RECLASSIFY);
	r = datapath_load(k->dp, b->image, b->image_len, &why);
	if (r < 0)
		return kernel_fail(e, r, "loading the rules", &why);
	learn_fill(k->learn, k->dp);
	/* what is left to fail leaves no trace that a retry would not mend */
	r = kernel_route_policies(&route, &why);
	if (r < 0)
		return kernel_fail(e, r, "policy routing", &why);
	kernel_route_sysctls(&route, &links);
	r = kernel_route_targets(&route, k->dp);
	if (r < 0)
		return kernel_fail(e, r, "nodes", NULL);
	kernel_route_groups(&route, k->dp, p, b->seen);
	datapath_refresh_local(k->dp);
	r = datapath_attach(k->dp, links.ifindex, links.count, &why);
	if (r < 0)
		return kernel_fail(e, r, "attaching", &why);
	if (is_heir)
		sweep(k, &links, kernel_host_is_wanted(c));
	return 0;
}

/* Numbers of nodes that are not in @c may be used again. */
static void forget_targets(struct kernel *k, const struct config *c)
{
	auto_free uint64_t *keep = calloc(c->node_count + 1, sizeof(*keep));

	if (!keep)
		return;
	for (size_t i = 0; i < c->node_count; i++)
		keep[i] = c->nodes[i].identity;
	kernel_ids_retain(&k->ids, keep, c->node_count);
}

void kernel_forget_plan(struct kernel *k)
{
	if (k->plan)
		forget_targets(k, k->config);
}

int kernel_plan_new(struct kernel *k, const struct config *c,
		    struct kernel_plan **ret, struct kernel_error *e)
{
	struct kernel_plan *p = kernel_plan_alloc(c->group_count,
						  c->node_count);
	int r;

	if (!p)
		return kernel_fail(e, -ENOMEM, "rules", NULL);
	r = number_groups(k, c, p, e);
	if (r == 0)
		r = number_targets(k, c, p, e);
	if (r < 0) {
		kernel_plan_free(&p);
		kernel_forget_plan(k);
		return r;
	}
	*ret = p;
	return 0;
}

/* Nothing of ours in the kernel: no program, pin, rule, route or sysctl. */
static void leave_kernel(struct kernel *k)
{
	struct datapath_error why = { .text = "" };

	learn_leave(k->learn);
	datapath_close(&k->dp);
	if (datapath_cleanup(k->pin_dir, k->sysctl_path, &why) < 0)
		log_warn("kernel: %s", why.text);
}

/* What was told to the kernel before it went wrong is taken back; lists of
 * groups when they are published next. */
static void restore(struct kernel *k)
{
	struct datapath_error why = { .text = "" };
	struct kernel_route route;

	if (!k->plan)
		return; /* at the start: what an earlier process left runs on */
	forget_targets(k, k->config);
	if (!k->is_active) {
		if (k->dp)
			leave_kernel(k);
		return;
	}
	datapath_unload(k->dp);
	kernel_host_tell(k->dp, k->config);
	route = in_force(k);
	kernel_route_forget(k->plan->seen, k->config->group_count);
	if (kernel_route_policies(&route, &why) < 0 ||
	    kernel_route_targets(&route, k->dp) < 0)
		log_warn("kernel: what was in force is not restored: %s",
			 why.text);
}

/* Mode observe, after mode route in this process or in the one before. */
static int stop_routing(struct kernel *k, struct kernel_error *e)
{
	int r = k->is_active ? datapath_detach(k->dp) : 0;

	if (r < 0)
		return kernel_fail(e, r, "detaching", NULL);
	if (k->is_active || (!k->plan && has_pins(k->pin_dir)))
		leave_kernel(k);
	k->is_active = false;
	return 0;
}

int kernel_apply(struct kernel *k, const struct config *c,
		 struct kernel_plan **plan, const struct prober *p,
		 struct kernel_error *e)
{
	bool is_route = c->supervisor.mode == MODE_ROUTE;
	int r;

	r = is_route ? apply_kernel(k, c, *plan, p, e) : stop_routing(k, e);
	if (r < 0) {
		learn_stay(k->learn);
		if (is_route)
			restore(k);
		return r;
	}
	k->is_active = is_route;
	k->epoch += is_route;
	forget_targets(k, c);
	kernel_plan_free(&k->plan);
	k->plan = TAKE_PTR(*plan);
	k->config = c;
	learn_use(k->learn, &k->plan->rules, is_route ? k->dp : NULL);
	kernel_plan_rest(k->plan);
	if (is_route)
		save_ids(k);
	return 0;
}

void kernel_publish(struct kernel *k, const struct prober *p)
{
	struct kernel_route route;

	if (!k->is_active)
		return;
	route = in_force(k);
	if (kernel_route_groups(&route, k->dp, p, k->plan->seen))
		k->epoch++;
}

void kernel_beat(struct kernel *k, uint64_t now_ns)
{
	learn_expire(k->learn, now_ns);
	if (!k->is_active)
		return;
	datapath_beat(k->dp, now_ns);
	k->beat_ns = now_ns;
}

int kernel_refresh(struct kernel *k, struct kernel_error *e)
{
	struct datapath_error why = { .text = "" };
	struct kernel_links links;
	struct kernel_route route;
	int first = 0, r;

	if (!k->is_active)
		return 0;
	route = in_force(k);
	r = find_links(k, k->config, &links, e);
	if (r < 0)
		return r;
	/* one that fails does not keep the others from being done */
	r = datapath_attach(k->dp, links.ifindex, links.count, &why);
	if (r < 0)
		first = kernel_fail(e, r, "attaching", &why);
	r = datapath_refresh_local(k->dp);
	if (r == 0)
		r = kernel_host_tell(k->dp, k->config);
	if (r < 0 && first == 0)
		first = kernel_fail(e, r, "own addresses and routes", NULL);
	kernel_route_sysctls(&route, &links);
	r = kernel_route_policies(&route, &why);
	if (r < 0 && first == 0)
		first = kernel_fail(e, r, "policy routing", &why);
	return first;
}

const char *kernel_warning(const struct kernel *k)
{
	return k->is_active && *k->warning ? k->warning : NULL;
}

bool kernel_is_active(const struct kernel *k)
{
	return k->is_active;
}

struct learn *kernel_learn(const struct kernel *k)
{
	return k->learn;
}

const struct ruleset *kernel_rules(const struct kernel *k)
{
	return k->plan ? &k->plan->rules : NULL;
}

int kernel_names_fd(const struct kernel *k)
{
	return k->plan ? k->plan->names_fd : -1;
}

size_t kernel_group_of(const struct kernel *k, uint16_t id)
{
	for (size_t i = 0; k->plan && i < k->config->group_count; i++)
		if (k->plan->group_ids[i] == id)
			return i;
	return SIZE_MAX;
}

uint16_t kernel_group_id(const struct kernel *k, size_t index)
{
	return k->plan ? k->plan->group_ids[index] : 0;
}

size_t kernel_node_of(const struct kernel *k, uint16_t id)
{
	for (size_t i = 0; k->plan && i < k->config->node_count; i++)
		if (k->plan->target_ids[i] == id &&
		    node_scheme_can_carry(k->config->nodes[i].scheme))
			return i;
	return SIZE_MAX;
}

struct datapath *kernel_datapath(const struct kernel *k)
{
	return k->is_active ? k->dp : NULL;
}

uint32_t kernel_uplink_mark(const struct kernel *k, const struct config_node *n)
{
	size_t i;

	if (!k->plan || n->scheme != SCHEME_IFACE)
		return 0;
	i = (size_t)(n - k->config->nodes);
	return kernel_route_mark(&k->config->supervisor, n,
				 k->plan->target_ids[i]);
}

uint64_t kernel_epoch(const struct kernel *k)
{
	return k->epoch;
}

uint64_t kernel_last_beat_ns(const struct kernel *k)
{
	return k->beat_ns;
}
