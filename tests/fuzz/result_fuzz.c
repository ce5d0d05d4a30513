/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the supervisor reads: a record of a worker, and the results in it. The
 * first byte is the slot's state, the second the number of descriptors. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/job.h"
#include "common/msg.h"
#include "common/outcome.h"
#include "supervisor/pool/result_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *payload;
	struct msg_hdr hdr;
	struct result r;

	if (len < 2 || msg_check(msg_from_worker, data[0], data + 2, len - 2,
				 data[1], &hdr) < 0)
		return 0;
	assert(data[1] == 0 && data[0] != SLOT_KILLING);
	if (hdr.type != MSG_RESULTS)
		return 0;
	payload = data + 2 + sizeof(hdr);
	len -= 2 + sizeof(hdr);
	for (size_t i = 0; i < MSG_RESULTS_MAX + 1; i++) {
		if (result_read(payload, len, i, &r) < 0)
			continue;
		assert(i < len / sizeof(r));
		assert(strlen(r.detail) < MSG_DETAIL_MAX);
		assert(r.naddrs <= MSG_ADDRS_MAX);
		assert(strcmp(outcome_name(r.outcome), "?") != 0);
		assert(strcmp(phase_name(r.phase), "?") != 0);
		for (unsigned int k = 0; k < JOB_KIND_COUNT; k++)
			if (result_fits_kind(&r, k) == 0 && k != JOB_RESOLVE)
				assert(r.naddrs == 0);
	}
	return 0;
}
