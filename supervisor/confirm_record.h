/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "reload --confirm" keeps on disk: the files of the configuration that
 * was in force before, and until when the new one may be confirmed. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_parse.h"

#define CONFIRM_BOOT_ID 40
#define CONFIRM_IMAGE_MAX (CONFIG_TOTAL_MAX + (2U << 20))

/* Now, by the wall, and since this start of the machine. */
struct confirm_clock {
	uint64_t wall_ms, boot_ms;
	char boot_id[CONFIRM_BOOT_ID];
};

struct confirm_file {
	char *path;
	char *text;
	size_t len;
	uint32_t include; /* as in struct config_file */
};

struct confirm_record {
	bool has_gone_back; /* these files run, not those on disk */
	uint64_t timeout_ms;
	struct confirm_clock deadline;
	uint64_t refused; /* fingerprint of what was not confirmed */
	struct confirm_file *files;
	size_t file_count;
};

/* Copy the files of @c; the rest of *ret is zero. 0 or -ENOMEM. */
int confirm_record_take(struct confirm_record *ret, const struct config *c);
void confirm_record_clear(struct confirm_record *r);
/* Into *ret (malloc). 0, -ENOMEM or -EMSGSIZE. */
int confirm_record_encode(const struct confirm_record *r, uint8_t **ret,
			  size_t *ret_len);
/* -EBADMSG if anything in it is wrong; *ret is untouched then. */
int confirm_record_decode(struct confirm_record *ret, const void *buf,
			  size_t len);
/* Milliseconds left, 0: it is time. In the same start of the machine by its
 * own clock, else by the wall; never more than was given at first. */
uint64_t confirm_record_left_ms(const struct confirm_record *r,
				const struct confirm_clock *now);
/* Parse and check the files as they were read then. Results as
 * config_parse_files(). */
int confirm_record_parse(const struct confirm_record *r, struct config **ret,
			 struct config_diags *diags);
/* Of the names and the text of all files; never 0. */
uint64_t confirm_fingerprint(const struct config *c);
