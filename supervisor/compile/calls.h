/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of the system for dae-compile. */
#pragma once

#include "common/confine.h"

const struct confine_list *compile_calls(void);
