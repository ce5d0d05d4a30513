/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_probe.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_target.h"

static json_t *phases_json(const struct result *r)
{
	auto_json json_t *j = json_object();

	for (unsigned int p = 0; j && p < PHASE_COUNT; p++)
		if (json_object_set_new(j, phase_name(p),
					ctl_json_int(r->phase_us[p],
						     r->phase_us[p])) < 0)
			return NULL;
	return json_incref(j);
}

static json_t *foreign_json(const struct result *r)
{
	if (r->foreign_kind == FOREIGN_NONE)
		return json_null();
	return json_pack("{s:s, s:I}", "kind", foreign_name(r->foreign_kind),
			 "code", (json_int_t)r->foreign);
}

static json_t *peer_json(const struct sockaddr_storage *peer)
{
	char buf[ADDR_STRLEN];
	struct addr a;
	uint16_t port;

	if (!peer ||
	    (peer->ss_family != AF_INET && peer->ss_family != AF_INET6))
		return json_null();
	addr_from_sockaddr(peer, &a, &port);
	return json_string(addr_format_port(&a, port, buf));
}

json_t *ctl_probe_json(const char *name, const char *cls,
		       const struct sockaddr_storage *peer,
		       const struct result *r)
{
	char detail[MSG_DETAIL_MAX + 1];

	memcpy(detail, r->detail, MSG_DETAIL_MAX);
	detail[MSG_DETAIL_MAX] = '\0';
	return json_pack(
		"{s:o, s:o, s:o, s:b, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:I, "
		"s:I, s:I, s:I, s:o, s:i}",
		"name", ctl_json_text(name), "class", ctl_json_text(cls),
		"peer", peer_json(peer), "ok", r->outcome == OUTCOME_OK,
		"outcome", outcome_name(r->outcome), "text",
		outcome_text(r->outcome), "ours", outcome_is_ours(r->outcome),
		"phase", phase_name(r->phase), "foreign", foreign_json(r),
		"detail", ctl_json_text(detail[0] ? detail : NULL), "phases_us",
		phases_json(r), "bytes_tx", (json_int_t)r->bytes_tx, "bytes_rx",
		(json_int_t)r->bytes_rx, "peak_bytes",
		(json_int_t)r->peak_bytes, "leaked_bytes",
		(json_int_t)r->leaked_bytes, "cert_not_after",
		r->cert_not_after > 0
			? ctl_json_wall((uint64_t)r->cert_not_after * NS_PER_S)
			: json_null(),
		"rcode", r->rcode);
}

static json_t *answer_json(const struct ctl_view *v,
			   const struct ctl_probe_answer *a)
{
	const struct target *t;
	const char *cls = NULL;
	json_t *j;

	t = target_table_get(v->prober->targets, a->target);
	if (t && a->check < TARGET_CHECKS)
		cls = check_class_name(t->checks[a->check].cls);
	j = ctl_probe_json(t ? t->name : NULL, cls, &a->peer, &a->result);
	if (j &&
	    json_object_set_new(j, "worker", json_integer(a->worker)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

json_t *ctl_probe_answers(const struct ctl_view *v,
			  const struct ctl_probe_answer *answers, size_t count)
{
	auto_json json_t *list = json_array();

	for (size_t i = 0; list && i < count; i++)
		if (ctl_json_append(list, answer_json(v, &answers[i])) < 0)
			return NULL;
	return json_incref(list);
}
