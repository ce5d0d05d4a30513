/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/result_check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/job.h"

/* Printable ASCII, then nothing but NUL, of which there is at least one. */
static bool is_clean_detail(const char *s)
{
	size_t n = strnlen(s, MSG_DETAIL_MAX);

	if (n == MSG_DETAIL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	for (size_t i = n; i < MSG_DETAIL_MAX; i++)
		if (s[i])
			return false;
	return true;
}

static bool has_sane_addrs(const struct result *r)
{
	if (r->naddrs > MSG_ADDRS_MAX)
		return false;
	if (r->naddrs == 0)
		return r->addr_family == 0;
	return r->addr_family == 4 || r->addr_family == 6;
}

int result_read(const uint8_t *payload, size_t len, size_t i,
		struct result *ret)
{
	struct result r;

	if (i >= len / sizeof(r))
		return -EBADMSG;
	memcpy(&r, payload + i * sizeof(r), sizeof(r));
	if (r.job_id == 0 || r.outcome >= OUTCOME_COUNT ||
	    r.phase >= PHASE_COUNT || r.foreign_kind >= FOREIGN_COUNT ||
	    r.rcode > 0xfff)
		return -EBADMSG;
	if (!has_sane_addrs(&r) || !is_clean_detail(r.detail))
		return -EBADMSG;
	*ret = r;
	return 0;
}

int result_fits_kind(const struct result *r, unsigned int kind)
{
	if (kind != JOB_RESOLVE)
		return r->naddrs ? -EBADMSG : 0;
	return r->outcome == OUTCOME_OK && r->naddrs == 0 ? -EBADMSG : 0;
}
