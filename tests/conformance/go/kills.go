// The server killed with SIGKILL under load, by seed. Nothing acknowledged may be lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	kInFlight = 200
	kStarting = 20 // more, whose start is under way at the kill
	kRounds   = 3
)

// Landed is what a flight brings home.
type Landed struct {
	Sum  int
	Came []int
}

// Flies makes rounds of an activity and a timer, collects signals, and ends by `finish`.
func Flies(ctx workflow.Context, rounds int) (Landed, error) {
	var told Landed
	retry := &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 1.2}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second, RetryPolicy: retry})
	for round := range rounds {
		var value int
		if err := workflow.ExecuteActivity(ctx, Number, round).Get(ctx, &value); err != nil {
			return told, err
		}
		told.Sum += value
		if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
			return told, err
		}
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	for value := 0; workflow.GetSignalChannel(ctx, "add").ReceiveAsync(&value); {
		told.Came = append(told.Came, value)
	}
	return told, nil
}

func Number(_ context.Context, value int) (int, error) { return value, nil }

// again repeats a call that is safe to repeat until the server answers it.
func again(ctx context.Context, call func() error) error {
	for {
		err := call()
		var unavailable *serviceerror.Unavailable
		var deadline *serviceerror.DeadlineExceeded
		var canceled *serviceerror.Canceled
		if err == nil || ctx.Err() != nil || !(errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.As(err, &canceled)) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// flight is one workflow, followed over whatever happens to the server between.
type flight struct {
	options client.StartWorkflowOptions
	signals []int
}

func (own *flight) start(t *Bench) error {
	if err := again(t.ctx, func() error {
		_, err := t.ExecuteWorkflow(t.ctx, own.options, Flies, kRounds)
		return err
	}); err != nil {
		return err
	}
	for _, value := range own.signals {
		if err := again(t.ctx, func() error { return t.SignalWorkflow(t.ctx, own.options.ID, "", "add", value) }); err != nil {
			return err
		}
	}
	return nil
}

func (own *flight) land(t *Bench) error {
	if err := again(t.ctx, func() error { return t.SignalWorkflow(t.ctx, own.options.ID, "", "finish", nil) }); err != nil {
		return err
	}
	var told Landed
	if err := again(t.ctx, func() error { return t.GetWorkflow(t.ctx, own.options.ID, "").Get(t.ctx, &told) }); err != nil {
		return err
	}
	// A signal whose answer was lost is sent again, so it may be there twice, but never not at all.
	slices.Sort(told.Came)
	if came := slices.Compact(told.Came); told.Sum != kRounds*(kRounds-1)/2 || !slices.Equal(came, own.signals) {
		return fmt.Errorf("%s: sum %d, signals %v", own.options.ID, told.Sum, came)
	}
	return nil
}

// each runs one call a flight, all at once, and ends the scenario by the first error.
func each(t *Bench, flights []*flight, call func(*flight) error) {
	errs := make([]error, len(flights))
	var group sync.WaitGroup
	for at, own := range flights {
		group.Go(func() { errs[at] = call(own) })
	}
	group.Wait()
	t.need(errors.Join(errs...))
}

func killOnce(t *Bench, seed uint64) {
	chance := rand.New(rand.NewPCG(seed, seed))
	queue := t.id()
	plan := func(many int) (flights []*flight) {
		for at := range many {
			own := &flight{options: client.StartWorkflowOptions{
				ID: t.id(), TaskQueue: queue, WorkflowTaskTimeout: 5 * time.Second, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			}}
			if at%3 == 0 {
				own.signals = []int{1, 2}
			}
			flights = append(flights, own)
		}
		return flights
	}
	t.withWorker(queue, worker.Options{}, func() {
		flights, late := plan(kInFlight), plan(kStarting)
		each(t, flights, func(own *flight) error { return own.start(t) })
		time.Sleep(time.Duration(chance.Int64N(int64(1500 * time.Millisecond)))) // the seed's moment
		started := make(chan error, 1)
		go func() {
			defer close(started)
			errs := make([]error, len(late))
			var group sync.WaitGroup
			for at, own := range late {
				group.Go(func() { errs[at] = own.start(t) })
			}
			group.Wait()
			started <- errors.Join(errs...)
		}()
		time.Sleep(time.Duration(chance.Int64N(int64(30 * time.Millisecond))))
		t.server("kill")
		time.Sleep(time.Duration(chance.Int64N(int64(300 * time.Millisecond))))
		t.server("start")
		t.need(<-started)
		each(t, append(flights, late...), func(own *flight) error { return own.land(t) })
	})
}

func seeds() uint64 {
	if told, err := strconv.ParseUint(os.Getenv("CONFORMANCE_KILLS"), 10, 16); err == nil {
		return told
	}
	if os.Getenv("CI") != "" {
		return 2
	}
	return 20
}

func init() {
	workflows = append(workflows, Flies)
	activities = append(activities, Number)
	for seed := uint64(1); seed <= seeds(); seed++ {
		name := fmt.Sprintf("kill/200 workflows in flight, all end right, seed %d", seed)
		scenarioOf(Scenario{Name: name, Phase: Last, Seconds: 600, Body: func(t *Bench) { killOnce(t, seed) }})
	}
}
