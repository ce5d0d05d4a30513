// SPDX-License-Identifier: GPL-2.0-or-later
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type server struct {
	transport *quic.Transport
	resetKey  quic.StatelessResetKey
	doq       bool
	closeCode int
	reason    string

	mu  sync.Mutex
	ids []quic.ConnectionID // of the newest connections
}

// GenerateConnectionID remembers what it gives, so that the server can reset
// a connection as if it had forgotten it.
func (s *server) GenerateConnectionID() (quic.ConnectionID, error) {
	b := make([]byte, s.ConnectionIDLen())
	if _, err := rand.Read(b); err != nil {
		return quic.ConnectionID{}, err
	}
	id := quic.ConnectionIDFromBytes(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
	if len(s.ids) > 16 {
		s.ids = s.ids[1:]
	}
	return id, nil
}

func (s *server) ConnectionIDLen() int { return 8 }

// forget sends the stateless resets of RFC 9000 section 10.3 for whatever
// connection id the client at that address uses.
func (s *server) forget(to net.Addr) {
	s.mu.Lock()
	ids := append([]quic.ConnectionID(nil), s.ids...)
	s.mu.Unlock()
	for _, id := range ids {
		mac := hmac.New(sha256.New, s.resetKey[:])
		mac.Write(id.Bytes())
		packet := make([]byte, 32)
		rand.Read(packet)
		packet[0] = packet[0]&0x3f | 0x40
		packet = append(packet, mac.Sum(nil)[:16]...)
		s.transport.WriteTo(packet, to)
	}
}

func (s *server) accept(l *quic.Listener, h3 *http3.Server) error {
	for {
		conn, err := l.Accept(context.Background())
		if err != nil {
			return err
		}
		switch {
		case s.closeCode >= 0:
			conn.CloseWithError(
				quic.ApplicationErrorCode(s.closeCode), s.reason)
		case s.doq:
			go serveDoq(conn)
		default:
			go h3.ServeQUICConn(conn)
		}
	}
}

func tlsConfig(cert, key, alpn string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{alpn},
		// The leaf alone is what the client must judge.
		MinVersion: tls.VersionTLS13,
	}, nil
}

func serve(args []string) error {
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	addr := f.String("addr", "127.0.0.1:0", "where to listen")
	cert := f.String("cert", "", "certificate, PEM")
	key := f.String("key", "", "its key, PEM")
	alpn := f.String("alpn", "", "other than h3 or doq")
	group := f.String("group", "", "p256 or p521: the only key exchange")
	retry := f.Bool("retry", false, "answer with Retry first")
	v2 := f.Bool("v2", false, "speak QUIC version 2 alone")
	refuse := f.Bool("refuse", false, "CONNECTION_REFUSED for everyone")
	idle := f.Duration("idle", 30*time.Second, "idle timeout")
	doq := f.Bool("doq", false, "DNS over QUIC instead of HTTP/3")
	code := f.Int("close", -1, "close each connection with this code")
	reason := f.String("reason", "", "and this reason")
	f.Parse(args)

	proto := "h3"
	if *doq {
		proto = "doq"
	}
	if *alpn != "" {
		proto = *alpn
	}
	tc, err := tlsConfig(*cert, *key, proto)
	if err != nil {
		return err
	}
	switch *group {
	case "p256":
		tc.CurvePreferences = []tls.CurveID{tls.CurveP256}
	case "p521":
		tc.CurvePreferences = []tls.CurveID{tls.CurveP521}
	case "pq":
		tc.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768}
	}
	udp, err := net.ResolveUDPAddr("udp", *addr)
	if err != nil {
		return err
	}
	sock, err := net.ListenUDP("udp", udp)
	if err != nil {
		return err
	}
	s := &server{doq: *doq, closeCode: *code, reason: *reason}
	rand.Read(s.resetKey[:])
	s.transport = &quic.Transport{
		Conn:                  sock,
		ConnectionIDGenerator: s,
		StatelessResetKey:     &s.resetKey,
		VerifySourceAddress:   func(net.Addr) bool { return *retry },
	}
	qc := &quic.Config{MaxIdleTimeout: *idle}
	if *v2 {
		qc.Versions = []quic.Version{quic.Version2}
	}
	if *refuse {
		qc.GetConfigForClient = func(*quic.ClientInfo) (*quic.Config, error) {
			return nil, errors.New("refused")
		}
	}
	l, err := s.transport.Listen(tc, qc)
	if err != nil {
		return err
	}
	fmt.Println(sock.LocalAddr().(*net.UDPAddr).Port)
	return s.accept(l, &http3.Server{Handler: s.handler()})
}
