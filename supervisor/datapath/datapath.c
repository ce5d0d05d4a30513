/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/datapath.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ruleset.h"
#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/datapath_host.h"
#include "supervisor/datapath/error.h"
#include "supervisor/datapath/generation.h"
#include "supervisor/datapath/internal.h"
#include "supervisor/datapath/local.h"
#include "supervisor/datapath/maps.h"

#define IFACES_MAX (DATAPATH_IFACES_MAX + 1) /* and lo */

struct datapath {
	struct datapath_options opt;
	char *pin_dir, *cgroup;
	bool is_tcx, reclassify;
	struct maps maps;
	struct generation *current, *next;
	uint64_t generation_count;
	struct attachment ifaces[IFACES_MAX];
	size_t iface_count;
	uint64_t last_rules[DAE_RULE_SLOTS]; /* of the generation before */
	bool wants_host; /* of the generations that are loaded */
	bool has_host;
	struct host_links host;
};

static uint32_t loss_of(enum loss_policy p)
{
	switch (p) {
	case LOSS_DIRECT:
		return DAE_LOSS_DIRECT;
	case LOSS_BLOCK:
		return DAE_LOSS_BLOCK;
	case LOSS_KEEP:
		break;
	}
	return DAE_LOSS_KEEP;
}

static int choose_attach(struct datapath *d, struct datapath_error *err)
{
	bool has_tcx = d->opt.attach != ATTACH_CLSACT && attach_has_tcx();

	d->is_tcx = has_tcx;
	if (d->opt.attach == ATTACH_TCX && !has_tcx)
		return error_set(err, -EOPNOTSUPP,
				 "attach: this kernel has no tcx (6.6 and "
				 "newer have, with CAP_BPF)");
	return 0;
}

int datapath_open(struct datapath **ret, const struct datapath_options *opt,
		  struct datapath_error *ret_err)
{
	struct datapath *d = calloc(1, sizeof(*d));
	int r = 0;

	if (!d)
		return error_set(ret_err, -ENOMEM, "datapath");
	error_capture_libbpf();
	d->opt = *opt;
	memset(d->maps.fd, -1, sizeof(d->maps.fd));
	if (opt->pin_dir) {
		d->pin_dir = strdup(opt->pin_dir);
		d->opt.pin_dir = d->pin_dir;
		if (!d->pin_dir)
			r = error_set(ret_err, -ENOMEM, "datapath");
		else if (mkdir(opt->pin_dir, 0700) < 0 && errno != EEXIST)
			r = error_set(ret_err, -errno, "mkdir %s",
				      opt->pin_dir);
	}
	d->cgroup = opt->cgroup ? strdup(opt->cgroup) : NULL;
	if (r == 0 && opt->cgroup && !d->cgroup)
		r = error_set(ret_err, -ENOMEM, "datapath");
	if (r == 0)
		r = choose_attach(d, ret_err);
	if (r == 0)
		r = maps_open(&d->maps, d->pin_dir, opt->flow_entries, ret_err);
	if (r != 0) {
		datapath_close(&d);
		return r;
	}
	maps_control(&d->maps)->loss = loss_of(opt->loss);
	maps_control(&d->maps)->loss_after_ns = opt->loss_after_ns;
	*ret = d;
	return 0;
}

void datapath_close(struct datapath **d)
{
	size_t i;

	if (!*d)
		return;
	for (i = 0; i < (*d)->iface_count; i++)
		attach_forget(&(*d)->ifaces[i]);
	host_forget(&(*d)->host);
	generation_free(&(*d)->next);
	generation_free(&(*d)->current);
	maps_close(&(*d)->maps);
	free((*d)->pin_dir);
	free((*d)->cgroup);
	free(*d);
	*d = NULL;
}

void datapath_set_reclassify(struct datapath *d, bool reclassify)
{
	d->reclassify = reclassify;
}

int datapath_load(struct datapath *d, const void *image, size_t len,
		  struct datapath_error *ret_err)
{
	struct generation_options opt = {
		.is_tcx = d->is_tcx,
		.mark = d->opt.mark,
		.mark_mask = d->opt.mark_mask,
		.udp_timeout_s = d->opt.udp_timeout_s,
		.has_host = d->wants_host,
		.so_mark = d->opt.so_mark,
		.pin_dir = d->pin_dir,
		.before = d->current,
		.reclassify = d->reclassify,
	};
	struct generation *g = NULL;
	struct ruleset rules;
	int r;

	r = ruleset_open(image, len, &rules);
	if (r < 0)
		return error_set(ret_err, r, "rule image");
	r = generation_new(&g, &d->maps, &rules, &opt, ret_err);
	if (r < 0)
		return r;
	g->number = ++d->generation_count;
	generation_free(&d->next);
	d->next = g;
	return 0;
}

void datapath_unload(struct datapath *d)
{
	generation_free(&d->next);
}

static void sum_rules(const struct datapath *d, const struct generation *g,
		      uint64_t ret[DAE_RULE_SLOTS])
{
	const uint64_t *rules = g->rule_tally;
	uint32_t cpu, i;

	memset(ret, 0, DAE_RULE_SLOTS * sizeof(*ret));
	for (cpu = 0; cpu < d->maps.cpus; cpu++, rules += DAE_RULE_STRIDE)
		for (i = 0; i < DAE_RULE_SLOTS; i++)
			ret[i] += rules[i];
}

static struct attachment *find_iface(struct attachment *list, size_t count,
				     uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].ifindex == ifindex)
			return &list[i];
	return NULL;
}

/* Put the interfaces of @list back to the running generation, take the program
 * off those that had none. */
static void flip_back(struct datapath *d, struct attachment *list, size_t count)
{
	struct attachment *old;
	size_t i;

	for (i = 0; i < count; i++) {
		old = find_iface(d->ifaces, d->iface_count, list[i].ifindex);
		if (old && d->current) {
			attach_set(&list[i], d->current, d->pin_dir, NULL);
			*old = list[i];
		} else {
			attach_remove(&list[i], d->pin_dir);
		}
	}
}

/* Interfaces vanish at any time: between their listing and now is one. */
static bool is_gone(int r)
{
	return r == -ENODEV || r == -ENXIO;
}

static size_t list_lo(const struct datapath *d, struct attachment *list,
		      size_t n)
{
	uint32_t lo = if_nametoindex("lo");
	const struct attachment *old;

	old = find_iface((struct attachment *)d->ifaces, d->iface_count, lo);
	list[n++] = old ? *old
			: (struct attachment){
				  .ifindex = lo,
				  .has_mac = true,
				  .is_lo = true,
				  .is_tcx = d->is_tcx,
			  };
	return n;
}

/* The attachments for @ifindex: those there are, and new ones. */
static int list_wanted(const struct datapath *d, struct attachment *list,
		       const uint32_t *ifindex, size_t count,
		       struct datapath_error *err)
{
	const struct attachment *old;
	size_t i, n = 0;
	int r;

	for (i = 0; i < count; i++) {
		if (find_iface(list, n, ifindex[i]))
			continue;
		old = find_iface((struct attachment *)d->ifaces, d->iface_count,
				 ifindex[i]);
		r = attach_has_mac(ifindex[i]);
		if (is_gone(r))
			continue;
		if (r < 0)
			return error_set(err, r, "interface %u", ifindex[i]);
		list[n] = old ? *old
			      : (struct attachment){
					.ifindex = ifindex[i],
					.is_tcx = d->is_tcx,
				};
		list[n++].has_mac = r;
	}
	return (int)n;
}

/* attach_set(), which may make the link anew: the attachment that @a was
 * copied from must not keep the old one. */
static int set_one(struct datapath *d, struct attachment *a,
		   const struct generation *g, struct datapath_error *err)
{
	int r = attach_set(a, g, d->pin_dir, err);
	struct attachment *old = find_iface(d->ifaces, d->iface_count,
					    a->ifindex);

	if (old)
		old->link = a->link;
	return r;
}

/* Put the hooks of @g on the cgroup, or take them away if they are not wanted,
 * also those that an earlier process left. */
static int attach_host(struct datapath *d, const struct generation *g,
		       struct datapath_error *err)
{
	int r;

	if (!g->host) {
		if (d->has_host || (d->maps.was_adopted && !d->current))
			host_detach(&d->host, d->pin_dir);
		d->has_host = false;
		return 0;
	}
	if (!d->cgroup)
		return error_set(err, -ENOENT,
				 "host's traffic: no cgroup of version 2");
	host_publish_ports(&d->maps);
	r = host_attach(&d->host, g->host, d->cgroup, d->pin_dir, err);
	if (r == 0)
		d->has_host = true;
	else if (d->has_host && d->current && d->current->host)
		host_attach(&d->host, d->current->host, d->cgroup, d->pin_dir,
			    NULL);
	else
		host_detach(&d->host, d->pin_dir);
	return r;
}

int datapath_set_host(struct datapath *d, bool is_wanted, const uint32_t *wan,
		      size_t count)
{
	d->wants_host = is_wanted;
	return is_wanted ? host_publish(&d->maps, wan, count) : 0;
}

int datapath_attach(struct datapath *d, const uint32_t *ifindex, size_t count,
		    struct datapath_error *ret_err)
{
	struct generation *g = d->next ? d->next : d->current;
	struct attachment list[IFACES_MAX] = { 0 };
	size_t n, i;
	int r;

	if (!g || count > DATAPATH_IFACES_MAX)
		return error_set(ret_err, g ? -E2BIG : -ENOENT, "attach");
	r = list_wanted(d, list, ifindex, count, ret_err);
	if (r < 0)
		return r;
	n = g->host ? list_lo(d, list, (size_t)r) : (size_t)r;
	for (i = 0; i < n;) {
		r = set_one(d, &list[i], g, ret_err);
		if (is_gone(r)) {
			list[i] = list[--n];
			continue;
		}
		if (r < 0) {
			flip_back(d, list, i);
			return r;
		}
		i++;
	}
	r = attach_host(d, g, ret_err);
	if (r < 0) {
		flip_back(d, list, n);
		return r;
	}
	for (i = 0; i < d->iface_count; i++)
		if (!find_iface(list, n, d->ifaces[i].ifindex))
			attach_remove(&d->ifaces[i], d->pin_dir);
	memcpy(d->ifaces, list, sizeof(list));
	d->iface_count = n;
	if (d->next) {
		if (d->current)
			sum_rules(d, d->current, d->last_rules);
		generation_free(&d->current);
		d->current = TAKE_PTR(d->next);
	}
	return 0;
}

int datapath_detach(struct datapath *d)
{
	size_t i;
	int r, q;

	r = d->has_host ? host_detach(&d->host, d->pin_dir) : 0;
	d->has_host = false;
	for (i = 0; i < d->iface_count; i++) {
		q = attach_remove(&d->ifaces[i], d->pin_dir);
		r = r < 0 ? r : q;
	}
	d->iface_count = 0;
	return r;
}

void datapath_beat(struct datapath *d, uint64_t now_mono_ns)
{
	__atomic_store_n(&maps_control(&d->maps)->beat_ns, now_mono_ns,
			 __ATOMIC_RELAXED);
}

int datapath_refresh_local(struct datapath *d)
{
	return local_refresh(&d->maps);
}

struct maps *datapath_maps(struct datapath *d)
{
	return &d->maps;
}

int datapath_ask_fd(struct datapath *d)
{
	struct generation *g = d->current ? d->current : d->next;

	return g ? generation_ask_fd(g) : -ENOENT;
}

int datapath_tap_fds(const struct datapath *d, int *ret_filter, int *ret_ring)
{
	const struct generation *g = d->current ? d->current : d->next;

	if (!g)
		return -ENOENT;
	generation_tap_fds(g, ret_filter, ret_ring);
	return 0;
}

int datapath_host_fd(const struct datapath *d, const char *hook)
{
	const struct generation *g = d->next ? d->next : d->current;

	return g && g->host ? host_program_fd(g->host, hook) : -ENOENT;
}

int datapath_program_fd(const struct datapath *d, bool has_mac)
{
	const struct generation *g = d->next ? d->next : d->current;

	return g ? generation_program_fd(g, has_mac) : -ENOENT;
}

int datapath_read_counters(const struct datapath *d,
			   struct datapath_counters *ret)
{
	const uint64_t *t = d->maps.mem[MAP_TALLY];
	uint32_t cpu, i;

	memset(ret, 0, sizeof(*ret));
	for (cpu = 0; cpu < d->maps.cpus; cpu++, t += DAE_TALLY_STRIDE) {
		for (i = 0; i < DAE_COUNT_MAX; i++)
			ret->counts[i] += t[i];
		for (i = 0; i < DAE_GROUPS_MAX; i++)
			ret->groups[i] += t[DAE_TALLY_GROUPS + i];
		ret->direct += t[DAE_TALLY_DIRECT];
		ret->block += t[DAE_TALLY_BLOCK];
	}
	if (!d->current && !d->next)
		return 0;
	sum_rules(d, d->current ? d->current : d->next, ret->rules);
	return 0;
}

void datapath_read_last_rules(const struct datapath *d,
			      uint64_t ret[DAE_RULE_SLOTS])
{
	memcpy(ret, d->last_rules, sizeof(d->last_rules));
}

int datapath_domain_set(struct datapath *d, const struct addr *a,
			const struct dae_bitmap *sets)
{
	struct generation *g = d->next ? d->next : d->current;

	return g ? domain_table_set(&g->domains, a, sets) : -ENOENT;
}

void datapath_read_domains(const struct datapath *d,
			   struct datapath_domains *ret)
{
	*ret = d->current ? d->current->domains.count
			  : (struct datapath_domains){ 0 };
}

void datapath_read_status(const struct datapath *d, struct datapath_status *ret)
{
	size_t i;

	*ret = (struct datapath_status){
		.is_attached = d->iface_count > 0,
		.has_host = d->has_host,
		.was_adopted = d->maps.was_adopted,
		.is_tcx = d->is_tcx,
		.interface_count = (uint32_t)(d->iface_count - d->has_host),
		.generation = d->current ? d->current->number : 0,
		.flow_entries = d->maps.flow_sets * 2,
	};
	if (d->current) {
		ret->map_bytes = d->current->bytes;
		return;
	}
	for (i = 0; i < MAP_COUNT; i++)
		ret->map_bytes += d->maps.bytes[i];
}
