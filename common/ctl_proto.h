/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's frames: a length of 4 bytes, big endian, then that many
 * bytes of JSON. A request is {"v":1,"id":N,"cmd":"...","args":{...}}, its
 * answer {"v":1,"id":N,"ok":true,"data":...} or {"v":1,"id":N,"ok":false,
 * "error":{"code":"...","message":"...","hint":"..."}}; an answer of several
 * frames has "more":true in all but the last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CTL_PROTO_VERSION 1
#define CTL_HEADER_LEN 4
#define CTL_FRAME_MAX (1U << 20) /* bytes of JSON in one frame */
#define CTL_SOCKET_PATH "/run/dae-supervisor/control.sock"

/* Write the header of a frame with @len bytes of JSON. 0, or -EMSGSIZE if that
 * is none or more than CTL_FRAME_MAX. */
int ctl_frame_begin(uint8_t header[CTL_HEADER_LEN], size_t len);

/*
 * The length of the JSON of the frame that starts at @buf, of which @have bytes
 * are there. -EAGAIN: the header is not whole yet; -EMSGSIZE: no length we
 * accept, close the connection.
 */
ssize_t ctl_frame_len(const void *buf, size_t have);
