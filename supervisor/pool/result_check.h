/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker's word, before anything believes it. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * Read result @i of the payload of a MSG_RESULTS, and check that every value is
 * one that exists and every text is printable and ends. -EBADMSG.
 */
int result_read(const uint8_t *payload, size_t len, size_t i,
		struct result *ret);
/* Is this a result that a job of this kind (enum job_kind) can have? */
int result_fits_kind(const struct result *r, unsigned int kind);
