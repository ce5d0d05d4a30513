/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, for the control plane. */
#pragma once

#include "supervisor/ctl/ctl.h"

struct supervisor;

void learn_ask_view(const struct supervisor *s, struct ctl_names *ret);
/* ctl_ops.learn and .forget; -EINPROGRESS: @res comes later. */
int learn_ask(void *ctx, const struct ctl_learn_request *q,
	      struct ctl_learn_answer *ret, struct ctl_outcome *res);
int learn_ask_forget(void *ctx, const char *what, struct ctl_outcome *res);
