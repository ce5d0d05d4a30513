/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker reads: a record of the supervisor, and the jobs in it. The
 * first byte is the number of descriptors that came with it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/job.h"
#include "common/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was read is sane, and reads the same when written again. */
static void write_and_compare(const struct job_spec *spec)
{
	static char arena[JOB_ARENA_SIZE];
	static uint8_t buf[JOB_ARENA_SIZE + 256];
	struct job_spec again;
	struct wcur w;
	struct rcur c;

	wcur_init(&w, buf, sizeof(buf));
	assert(job_encode(&w, spec) == 0);
	rcur_init(&c, buf, w.len);
	assert(job_decode(&c, arena, &again) == 0);
	assert(rcur_finish(&c) == 0 && again.id == spec->id);
	for (int i = 0; i < JOB_STR_COUNT; i++)
		assert(strcmp(again.str[i], spec->str[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char arena[JOB_ARENA_SIZE];
	struct job_spec spec;
	struct msg_hdr hdr;
	struct rcur c;
	uint16_t n;

	if (len < 1 || msg_check(msg_from_supervisor, 0, data + 1, len - 1,
				 data[0], &hdr) < 0)
		return 0;
	if (hdr.type != MSG_JOBS)
		return 0;
	rcur_init(&c, data + 1 + sizeof(hdr), len - 1 - sizeof(hdr));
	n = rcur_u16(&c);
	for (uint16_t i = 0; i < n && i < MSG_JOBS_MAX; i++) {
		if (job_decode(&c, arena, &spec) < 0)
			return 0;
		write_and_compare(&spec);
	}
	return 0;
}
