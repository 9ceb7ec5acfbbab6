package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
)

const warmUp = 2 * time.Second

// taskQueue is the one of the worker that serves this lane.
func taskQueue(lane int) string { return fmt.Sprintf("bench-%d", lane%workers) }

// Step is one durable step: it does nothing, so that what is measured is the server.
func Step(_ context.Context, number int) (int, error) { return number + 1, nil }

// Steps runs `count` steps, one after the other, and returns how many were done.
func Steps(ctx workflow.Context, count int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	done := 0
	for done < count {
		if err := workflow.ExecuteActivity(ctx, Step, done).Get(ctx, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// Throughput of one phase. Times of the CPU are milliseconds for each workflow; cores: CPU seconds a second.
type Throughput struct {
	Workflows          int     `json:"workflows"`
	Seconds            float64 `json:"seconds"`
	WorkflowsPerSecond float64 `json:"workflows_per_second"`
	StepsPerSecond     float64 `json:"steps_per_second"`
	ServerCPUMs        float64 `json:"server_cpu_ms_per_workflow"`
	ServerCores        float64 `json:"server_cores"`
	LoadCPUMs          float64 `json:"load_cpu_ms_per_workflow"`
	LoadCores          float64 `json:"load_cores"`
	DiskBytes          float64 `json:"disk_bytes_per_workflow"`
}

// Latency of workflows run one after the other, from the start call to the result at the client.
type Latency struct {
	Workflows int     `json:"workflows"`
	MedianMs  float64 `json:"median_ms"`
	P99Ms     float64 `json:"p99_ms"`
}

// Load drives one server. Its workflow ids are unique over its life.
type Load struct {
	client client.Client
	server Process
	folder string
	open   int
	phase  int
}

// runOne starts one workflow and waits for its right result.
func (l *Load) runOne(ctx context.Context, id, queue string, steps int) error {
	started, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: queue}, Steps, steps)
	if err != nil {
		return err
	}
	done := 0
	if err := started.Get(ctx, &done); err != nil {
		return err
	}
	if done != steps {
		return fmt.Errorf("workflow %s: %d steps instead of %d", id, done, steps)
	}
	return nil
}

// throughput keeps `open` workflows open for `lasting`, then lets the open ones end; all of it counts.
func (l *Load) throughput(ctx context.Context, steps int, lasting time.Duration) (Throughput, error) {
	l.phase++
	before, err := l.sample()
	if err != nil {
		return Throughput{}, err
	}
	counts := make([]int, l.open)
	failures := make([]error, l.open)
	var all sync.WaitGroup
	for lane := 0; lane < l.open; lane++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Since(before.at) < lasting && failures[lane] == nil {
				id := fmt.Sprintf("bench-%d-%d-%d", l.phase, lane, counts[lane])
				failures[lane] = l.runOne(ctx, id, taskQueue(lane), steps)
				counts[lane]++
			}
		}()
	}
	all.Wait()
	after, err := l.sample()
	if err != nil {
		return Throughput{}, err
	}
	total := 0
	for lane, failure := range failures {
		if failure != nil {
			return Throughput{}, failure
		}
		total += counts[lane]
	}
	return figures(before, after, total, steps), nil
}

func figures(before, after sample, workflows, steps int) Throughput {
	seconds := after.at.Sub(before.at).Seconds()
	server := (after.server - before.server).Seconds()
	load := (after.load - before.load).Seconds()
	n := float64(workflows)
	return Throughput{
		Workflows:          workflows,
		Seconds:            seconds,
		WorkflowsPerSecond: n / seconds,
		StepsPerSecond:     n * float64(steps) / seconds,
		ServerCPUMs:        server * 1000 / n,
		ServerCores:        server / seconds,
		LoadCPUMs:          load * 1000 / n,
		LoadCores:          load / seconds,
		DiskBytes:          float64(after.disk-before.disk) / n,
	}
}

// lone runs one-step workflows one after the other; the first tenth is warming up.
func (l *Load) lone(ctx context.Context, count int) (Latency, error) {
	if count == 0 {
		return Latency{}, nil
	}
	l.phase++
	took := make([]float64, 0, count)
	for i := 0; i < count+count/10; i++ {
		begun := time.Now()
		if err := l.runOne(ctx, fmt.Sprintf("bench-%d-%d", l.phase, i), taskQueue(0), 1); err != nil {
			return Latency{}, err
		}
		if i >= count/10 {
			took = append(took, float64(time.Since(begun).Nanoseconds())/1e6)
		}
	}
	sort.Float64s(took)
	return Latency{Workflows: count, MedianMs: took[len(took)/2], P99Ms: took[len(took)*99/100]}, nil
}
