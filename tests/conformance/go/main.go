package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/worker"
)

const kTogether = 16 // scenarios at once: they mostly wait

// told is the line the runner reads.
type told struct {
	Suite  string `json:"suite"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Ms     int64  `json:"ms"`
	Reason string `json:"reason"`
	Oracle string `json:"oracle"`
}

var outLock sync.Mutex // standard output: a line at a time

func main() {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		serveWorker(os.Args[2])
		return
	}
	good, err := runSuite(os.Getenv("CONFORMANCE_ONLY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

func runSuite(only string) (bool, error) {
	var chosen []Scenario
	for _, each := range scenarios {
		if strings.Contains(each.Name, only) {
			chosen = append(chosen, each)
		}
	}
	if len(chosen) == 0 {
		return true, nil
	}
	house, err := openHouse()
	if err != nil {
		return false, err
	}
	shared := newWorker(house.client, house.queue, worker.Options{})
	if err := shared.Start(); err != nil {
		return false, err
	}
	good := runPhase(house, chosen, Together, kTogether)
	good = runPhase(house, chosen, Alone, 1) && good
	shared.Stop()
	return runPhase(house, chosen, Last, 1) && good, nil
}

func runPhase(house *House, chosen []Scenario, phase Phase, atOnce int) bool {
	queue := make(chan Scenario)
	verdicts := make(chan bool, len(chosen))
	var lanes sync.WaitGroup
	for range atOnce {
		lanes.Go(func() {
			for each := range queue {
				if each.When != nil && !each.When() {
					continue
				}
				verdicts <- runOne(house, each)
			}
		})
	}
	for _, each := range chosen {
		if each.Phase == phase {
			queue <- each
		}
	}
	close(queue)
	lanes.Wait()
	close(verdicts)
	good := true
	for verdict := range verdicts {
		good = good && verdict
	}
	return good
}

// runOne tells the scenario's end; a body that does not heed its context's end is left behind.
func runOne(house *House, each Scenario) bool {
	began := time.Now()
	limit := time.Duration(each.Seconds) * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	end := make(chan string, 1)
	go func() { end <- attempt(newBench(ctx, house, each.Name), each.Body) }()
	var reason string
	select {
	case reason = <-end:
	case <-time.After(limit + 10*time.Second): // its own context ends it first, and tells where
		reason = fmt.Sprintf("no end after %d s", each.Seconds)
	}
	line := told{"go", each.Name, "passed", time.Since(began).Milliseconds(), oneLine(reason), each.Oracle}
	if reason != "" {
		line.Status = "failed"
		fmt.Fprintf(os.Stderr, "%s: %s\n", each.Name, reason)
	}
	outLock.Lock()
	defer outLock.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return false
	}
	return reason == ""
}

// attempt runs the body; the answer is empty when it ended well.
func attempt(t *Bench, body func(*Bench)) (reason string) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case unmet:
			reason = thrown.text
		default:
			reason = fmt.Sprintf("panic: %v", thrown)
			fmt.Fprintf(os.Stderr, "%s\n", debug.Stack())
		}
	}()
	body(t)
	return ""
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = strings.ToValidUTF8(text[:600], "")
	}
	return text
}
