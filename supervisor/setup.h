/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bringing the daemon up, part by part. */
#pragma once

struct config;
struct supervisor;

/* Everything but timers and signals. 0 or -errno, after a message. */
int setup_all(struct supervisor *s);
/* Open the CA bundle of @c: its ca_file, else the system's. A descriptor or
 * -errno, after a message. */
int setup_open_ca(const struct config *c);
