/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all DNS probes share, whatever carries them: the question of the job,
 * and the judgement of an answer. */
#pragma once

#include "worker/net/dns_wire.h"
#include "worker/probe/probe.h"

/*
 * The job's question into *q and as a message into @buf (DNS_QUERY_MAX bytes).
 * The id is random, or 0 if @zero_id (DoH, DoH3, DoQ). Length of the message,
 * or failed (p->fail is set).
 */
ssize_t dns_check_ask(struct probe *p, struct dns_question *q, bool zero_id,
		      uint8_t *buf);
/*
 * Judge a message. PROBE_DONE, failed (p->fail is set), or PROBE_GOING: it does
 * not answer our question; over a datagram socket wait on, over a stream
 * fail with dns_check_mismatch().
 */
int dns_check_answer(struct probe *p, const struct dns_question *q,
		     const void *msg, size_t len);
int dns_check_mismatch(struct probe *p);
