package selftest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// seed of every trial: the same people and data, so that what differs is the
// flaw.
const seed = 1

// configuration is what an editor enters once: the base path and client that
// his manifest fixes, and what the service is told of Mon espace santé. Two
// trials never use one at the same time, since a base path is one run's.
type configuration struct {
	basePath string
	mes      reference.MES
}

// configureOnce notes, as an editor would from what `etalon doctor` shows, the
// addresses of n corners of the sandbox; the spaces in which they were read are
// gone afterwards, and each trial finds the same ones again.
func configureOnce(ctx context.Context, bench *run.Bench, n int) (chan configuration, error) {
	out := make(chan configuration, n)
	for i := range n {
		raw := make([]byte, 24)
		_, _ = rand.Read(raw) // never fails since Go 1.24
		c := configuration{basePath: fmt.Sprintf("/mes-%d", i+1)}
		client := control.Client{ID: fmt.Sprintf("carnet-clair-%d", i+1), Secret: hex.EncodeToString(raw), Auth: "client_secret_basic"}
		space, err := bench.API.CreateSpace(ctx, control.SpaceRequest{BasePath: c.basePath, Seed: seed, Client: client})
		if err != nil {
			return nil, fmt.Errorf("note the addresses to configure: %w", err)
		}
		c.mes = reference.MES{
			Endpoints: reference.Endpoints(space.Endpoints), Client: reference.Client{ID: client.ID, Secret: client.Secret},
			ClientAuth: client.Auth, OID: space.OID, CA: space.CA,
		}
		if err := bench.API.DeleteSpace(ctx, space.ID); err != nil {
			return nil, fmt.Errorf("note the addresses to configure: %w", err)
		}
		out <- c
	}
	return out, nil
}

// start starts the reference service with some parts, configured by the action
// configure or, once and for all, by hand. The function it returns ends it.
func (t *tester) start(ctx context.Context, variant string, parts reference.Parts) (*demo.Service, func(), error) {
	if t.configurations == nil || variant != "" {
		s, err := demo.Start(ctx, varied(parts, variant))
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
	c := <-t.configurations
	s, err := demo.Start(ctx, demo.Options{Parts: parts, MES: &c.mes, DisableConfigure: true, ClientSecret: c.mes.Client.Secret})
	if err != nil {
		t.configurations <- c
		return nil, nil, err
	}
	s.Manifest.Candidate.Sandbox.BasePath = c.basePath
	return s, func() { s.Close(); t.configurations <- c }, nil
}
