// SPDX-License-Identifier: GPL-2.0-or-later
package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const dnsMessage = "application/dns-message"

// handler answers by path.
func (s *server) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "ok\n")
	})
	m.HandleFunc("/status/", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/status/"))
		if err != nil {
			n = http.StatusBadRequest
		}
		w.WriteHeader(n)
	})
	m.HandleFunc("/early-hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	})
	m.HandleFunc("/stall", func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	m.HandleFunc("/stall-body", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	m.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		panic(http.ErrAbortHandler)
	})
	m.HandleFunc("/forget", func(w http.ResponseWriter, r *http.Request) {
		if a, err := net.ResolveUDPAddr("udp", r.RemoteAddr); err == nil {
			s.forget(a)
		}
		<-r.Context().Done()
	})
	m.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		w.Write(bytes.Repeat([]byte("0123456789"), 20000))
		io.WriteString(w, "needle")
	})
	m.HandleFunc("/dns-query", serveDoh)
	m.HandleFunc("/dns-text", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a captive portal")
	})
	m.HandleFunc("/dns-big", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", dnsMessage)
		w.Write(make([]byte, 200000))
	})
	return m
}

func serveDoh(w http.ResponseWriter, r *http.Request) {
	q, err := io.ReadAll(io.LimitReader(r.Body, 65535))
	if err != nil || r.Method != http.MethodPost ||
		r.Header.Get("content-type") != dnsMessage ||
		r.Header.Get("accept") != dnsMessage {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	what, a := answer(q)
	if what == "stall" {
		time.Sleep(time.Minute)
	}
	if a == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("content-type", dnsMessage)
	w.Write(a)
}
