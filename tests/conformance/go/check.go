package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"time"

	"go.temporal.io/sdk/client"
)

// unmet is what a check panics with, on the scenario's own goroutine; main.go recovers it.
type unmet struct{ text string }

// fail ends the scenario, naming the line outside this file that asked.
func (t *Bench) fail(format string, args ...any) {
	place := ""
	for depth := 1; depth < 8; depth++ {
		_, file, line, ok := runtime.Caller(depth)
		if ok && filepath.Base(file) != "check.go" && filepath.Base(file) != "harness.go" {
			place = fmt.Sprintf("%s:%d: ", filepath.Base(file), line)
			break
		}
	}
	panic(unmet{place + fmt.Sprintf(format, args...)})
}

// need ends the scenario on an error.
func (t *Bench) need(err error) {
	if err != nil {
		t.fail("%T: %v", err, err)
	}
}

func (t *Bench) that(met bool, format string, args ...any) {
	if !met {
		t.fail(format, args...)
	}
}

// needed is need for a call that gives a value, too.
func needed[V any](t *Bench) func(V, error) V {
	return func(value V, err error) V {
		t.need(err)
		return value
	}
}

func same[V any](t *Bench, what string, want, got V) {
	if !reflect.DeepEqual(want, got) {
		t.fail("%s: expected %v, came %v", what, want, got)
	}
}

// refused is the error in err's chain that is of type E; anything else ends the scenario.
func refused[E error](t *Bench, err error) E {
	var told E
	if err == nil {
		t.fail("expected %T, came no error", told)
	}
	if !errors.As(err, &told) {
		t.fail("expected %T, came %T: %v", told, err, err)
	}
	return told
}

// result waits for the run's end.
func result[V any](t *Bench, run client.WorkflowRun) V {
	var value V
	t.need(run.Get(t.ctx, &value))
	return value
}

// until asks until met, for what the server does in its own time; the scenario's clock ends it.
func until[V any](t *Bench, ask func() (V, error), met func(V) bool) V {
	for {
		value, err := ask()
		t.need(err)
		if met(value) {
			return value
		}
		select {
		case <-t.ctx.Done():
			t.fail("never met; last: %v", value)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
