/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of building a job that nodes, monitors and upstreams share. Private to
 * job_build.c and job_monitor.c; errors as in job_build.h. */
#pragma once

#include "common/base.h"
#include "supervisor/core/job_build.h"
#include "supervisor/core/job_url.h"

#define QTYPE_A 1
#define QTYPE_AAAA 28
#define DNS_CHECK_NAME "connectivitycheck.gstatic.com."

void job_parts_init(struct job_plan *p);
/* A string in the plan's scratch; NULL if there is no room. */
const char *job_parts_keep(struct job_plan *p, const char *fmt, ...)
	DAE_PRINTF(2, 3);
/* NULL counts as too long: it is what a full scratch returns. */
int job_parts_set_str(struct job_plan *p, enum job_str which, const char *s);
/* A name, or a literal: one of another family than @family (0: any) is no
 * address for this check. */
int job_parts_set_endpoint(struct job_endpoint *e, const char *host,
			   uint16_t port, uint8_t family);
/* Host or :authority, the name to verify, and the path of a request. */
int job_parts_set_request(struct job_plan *p, const char *host, uint16_t port,
			  uint16_t default_port, const char *path);
/* 200..499, or for a path that ends in generate_NNN exactly NNN. */
void job_parts_set_status(struct job_spec *spec, const char *path);
/* The URL's host and path as strings in the scratch; a path is never empty. */
int job_parts_keep_url(struct job_plan *p, const struct job_url *u,
		       const char **ret_host, const char **ret_path);
