// SPDX-License-Identifier: GPL-2.0-or-later
package main

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/quic-go/quic-go"
)

const headerLen = 12

// questionEnd is where the first question ends, or 0.
func questionEnd(q []byte) int {
	for i := headerLen; i < len(q); i += 1 + int(q[i]) {
		if q[i] == 0 {
			if i+5 > len(q) {
				return 0
			}
			return i + 5
		}
	}
	return 0
}

// answer makes the answer to an A query, faulty as the first label says, which
// is returned too.
func answer(q []byte) (string, []byte) {
	end := questionEnd(q)
	if end == 0 || len(q) < headerLen+1 {
		return "", nil
	}
	what := string(q[headerLen+1 : headerLen+1+int(q[headerLen])])
	a := append([]byte(nil), q[:end]...)
	a[2], a[3] = 0x81, 0x80
	for i := 6; i < headerLen; i++ {
		a[i] = 0
	}
	a[7] = 1
	a = append(a, 0xc0, headerLen, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4,
		192, 0, 2, 1)
	switch what {
	case "nx":
		a[3], a[7] = 0x83, 0
		a = a[:end]
	case "servfail":
		a[3], a[7] = 0x82, 0
		a = a[:end]
	case "id":
		a[0] = 0x12
	case "other":
		a[headerLen+1] = 'O' + 2
	case "damaged":
		a = a[:len(a)-3]
	case "empty":
		a[7] = 0
		a = a[:end]
	}
	return what, a
}

func serveDoq(conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go serveDoqStream(conn, s)
	}
}

// A query without FIN, or with an id, is an error (RFC 9250 section 4.2).
func serveDoqStream(conn *quic.Conn, s *quic.Stream) {
	q, err := io.ReadAll(s)
	if err != nil || len(q) < 2+headerLen || q[2] != 0 || q[3] != 0 ||
		int(binary.BigEndian.Uint16(q)) != len(q)-2 {
		conn.CloseWithError(2, "bad query")
		return
	}
	what, a := answer(q[2:])
	out := binary.BigEndian.AppendUint16(nil, uint16(len(a)))
	out = append(out, a...)
	switch what {
	case "stall":
		time.Sleep(time.Minute)
	case "reset":
		s.CancelWrite(1)
		return
	case "stop":
		// A server in trouble may also stop reading; its answer is
		// then a reset.
		s.CancelRead(4)
		s.CancelWrite(4)
		return
	case "close":
		conn.CloseWithError(4, "too busy")
		return
	case "uni":
		if u, err := conn.OpenUniStream(); err == nil {
			u.Write([]byte("unasked"))
			u.Close()
		}
	case "fin":
		out = nil
	case "half":
		out = out[:len(out)/2]
	case "slow":
		for _, b := range out {
			s.Write([]byte{b})
			time.Sleep(time.Millisecond)
		}
		out = nil
	}
	s.Write(out)
	s.Close()
}
