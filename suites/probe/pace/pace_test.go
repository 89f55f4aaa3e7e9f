package pace_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/probe/pace"
)

func TestAHostIsAskedAtABoundedRateWhoeverAsks(t *testing.T) {
	const interval, asks = 10 * time.Millisecond, 12
	p := pace.Every(interval)
	start := time.Now()
	var wg sync.WaitGroup
	for range asks {
		wg.Go(func() {
			if err := p.Wait(t.Context(), "Carnet.example"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took < (asks-1)*interval {
		t.Errorf("%d requests took %s", asks, took)
	}
	if r := p.Of("carnet.example"); r.Requests != asks || r.PerSecond != 100 {
		t.Errorf("%+v", r)
	}
}

func TestThisMachineIsNotSpared(t *testing.T) {
	p := pace.Every(time.Hour)
	for _, host := range []string{"127.0.0.1", "localhost", "::1", "127.0.0.1", "::1"} {
		if err := p.Wait(t.Context(), host); err != nil {
			t.Fatal(err)
		}
	}
	if r := p.Of("::1"); r.Requests != 2 || r.PerSecond != 0 {
		t.Errorf("%+v", r)
	}
	var none *pace.Pace
	if err := none.Wait(t.Context(), "carnet.example"); err != nil || none.Of("carnet.example") != (pace.Rate{}) {
		t.Error("no pace bounds something")
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	p := pace.Every(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	if err := p.Wait(ctx, "carnet.example"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Wait(ctx, "carnet.example"); err == nil {
		t.Error("waited for an hour")
	}
	if err := p.Wait(t.Context(), "other.example"); err != nil {
		t.Error("one host waits for another")
	}
}
