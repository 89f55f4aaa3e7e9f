// Package demo starts the bundled reference service as a candidate, with trust
// roots of its own on loopback, so that certificates can be judged without a
// network.
package demo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// pilotToken guards the pilot of the bundled service, which listens on loopback
// and holds no one's data; it is a secret all the same, and redacted.
const pilotToken = "jeton-du-pilote-de-demonstration"

// Service is the reference service, started, with its manifest read.
type Service struct {
	Reference *reference.Service
	Manifest  *candidate.Manifest
	Roots     *x509.CertPool
	Resolver  string // of the service's domain name, on loopback
	folder    string // of the manifest and the application
}

// Options say how the reference service is started.
type Options struct {
	Parts            reference.Parts
	MES              *reference.MES // configuration made once
	DisableConfigure bool
	App              string // address of return of the phone's application; empty: patients come back to the site
	ClientAuth       string // what the manifest agrees on; empty: the default
	Listen           reference.Listen
	ClientSecret     string // of MES, for the manifest's env:MES_CLIENT_SECRET
	Logger           *slog.Logger
}

// callTimeout is how long the reference service waits for an answer here: a run
// in which answers never come is not to last longer than the rest of it, and a
// loaded machine must not be taken for an outage.
const callTimeout = 2 * time.Second

// idle is after how long without an act patients are signed out here: it is waited
// for in full.
const idle = 5 * time.Second

// Start starts the reference service in this process.
func Start(ctx context.Context, o Options) (*Service, error) {
	folder, err := os.MkdirTemp("", "etalon-demo-")
	if err != nil {
		return nil, fmt.Errorf("start the reference service: %w", err)
	}
	s, err := start(ctx, o, folder)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func start(ctx context.Context, o Options, folder string) (*Service, error) {
	ref, err := reference.Start(ctx, reference.Config{
		PilotToken: pilotToken, Parts: o.Parts, MES: o.MES, DisableConfigure: o.DisableConfigure, App: o.App, ClientAuth: o.ClientAuth, Listen: o.Listen, Logger: o.Logger,
		CallTimeout: callTimeout, Folder: folder, Idle: idle, Journeys: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start the reference service: %w", err)
	}
	s, err := describe(ref, folder, o.ClientSecret)
	if err != nil {
		ref.Close()
		return nil, err
	}
	return s, nil
}

func describe(ref *reference.Service, folder, clientSecret string) (*Service, error) {
	m, err := candidate.Parse(ref.Manifest(), "candidate.yaml", folder, func(name string) (string, bool) {
		switch name {
		case "ETALON_PILOT_TOKEN":
			return pilotToken, true
		case "MES_CLIENT_SECRET":
			return clientSecret, clientSecret != ""
		}
		if value, ok := reference.Secret(name); ok {
			return value, true
		}
		return os.LookupEnv(name)
	})
	if err != nil {
		return nil, fmt.Errorf("the reference service's own manifest: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ref.CA()) {
		return nil, fmt.Errorf("the reference service gave no certificate authority")
	}
	return &Service{Reference: ref, Manifest: m, Roots: roots, Resolver: ref.Addresses().Resolver, folder: folder}, nil
}

// Close ends the service and removes what it published.
func (s *Service) Close() {
	s.Reference.Close()
	_ = os.RemoveAll(s.folder) // a folder of our own, of which nothing is left but its place
}
