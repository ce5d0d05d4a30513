/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor as the control plane sees it: its view and its operations. */
#pragma once

struct supervisor;

/* Open the control socket. 0 or -errno, after a message. */
int control_start(struct supervisor *s);
