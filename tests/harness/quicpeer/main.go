// SPDX-License-Identifier: GPL-2.0-or-later

// quicpeer is what the tests of QUIC probes talk to, and what the benchmark
// compares them with:
//
//	quicpeer serve [flags]   an HTTP/3 server (-doq: DNS over QUIC) that fails
//	                         as its flags, the path or the name asked for say
//	quicpeer client [flags]  an HTTP/3 client; prints its CPU time and memory
package main

import (
	"fmt"
	"os"
)

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "quicpeer:", err)
	os.Exit(1)
}

func main() {
	var err error

	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve":
		err = serve(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "client":
		err = client(os.Args[2:])
	default:
		err = fmt.Errorf("usage: quicpeer serve|client [flags]")
	}
	if err != nil {
		fatal(err)
	}
}
