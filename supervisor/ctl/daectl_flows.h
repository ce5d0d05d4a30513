/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that choose flows, and how a flow is written. */
#pragma once

#include <jansson.h>

#include "supervisor/ctl/daectl_out.h"

/* Add --src and its like to @args. An exit code. */
int flows_add_filter(const struct daectl *d, json_t *args);
/* "192.0.2.1:53" of @addr and @port in @o; returns @buf, OUT_TEXT bytes. */
const char *flows_endpoint(const json_t *o, const char *addr, const char *port,
			   char *buf);
enum out_color flows_color(const char *verdict);
