// SPDX-License-Identifier: GPL-2.0-or-later
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rss is in kilobytes.
func rss() (all, anon int) {
	var size, resident, shared int
	b, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(b), &size, &resident, &shared)
	return resident * 4, (resident - shared) * 4
}

// probe is one HEAD on a connection of its own, certificate verified.
func probe(addr, url string, roots *x509.CertPool, close bool) error {
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		Dial: func(ctx context.Context, _ string, tc *tls.Config,
			qc *quic.Config) (*quic.Conn, error) {
			return dial(ctx, addr, tc, qc)
		},
	}
	req, err := http.NewRequest(http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	if close {
		tr.Close()
	}
	return err
}

// dial gives the connection a socket of its own, which ends with it.
func dial(ctx context.Context, addr string, tc *tls.Config,
	qc *quic.Config) (*quic.Conn, error) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	sock, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, err
	}
	t := &quic.Transport{Conn: sock}
	conn, err := t.Dial(ctx, to, tc, qc)
	if err != nil {
		t.Close()
		sock.Close()
		return nil, err
	}
	context.AfterFunc(conn.Context(), func() {
		t.Close()
		sock.Close()
	})
	return conn, nil
}

func client(args []string) error {
	f := flag.NewFlagSet("client", flag.ExitOnError)
	addr := f.String("addr", "", "server, ADDRESS:PORT")
	url := f.String("url", "", "what to ask for")
	ca := f.String("ca", "", "CA certificate, PEM")
	n := f.Int("n", 1, "probes")
	c := f.Int("c", 1, "probes at once")
	closing := f.Bool("close", true, "close each connection")
	f.Parse(args)

	pem, err := os.ReadFile(*ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	var begun, ok atomic.Int64
	var wg sync.WaitGroup
	before := cpu()
	for i := 0; i < *c; i++ {
		wg.Go(func() {
			for begun.Add(1) <= int64(*n) {
				if err := probe(*addr, *url, roots, *closing); err != nil {
					fmt.Fprintln(os.Stderr, err)
				} else {
					ok.Add(1)
				}
			}
		})
	}
	wg.Wait()
	spent := cpu() - before
	all, anon := rss()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"n": *n, "ok": ok.Load(),
		"cpu_us":  float64(spent.Microseconds()) / float64(*n),
		"rss_kb":  all,
		"anon_kb": anon, "goroutines": runtime.NumGoroutine(),
	})
}
