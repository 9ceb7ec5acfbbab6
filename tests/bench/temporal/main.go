// The load of `./dev bench temporal`: Temporal's Go SDK, client and worker in one process, against one server. It runs the
// phases in order and prints what each one measured as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

// The SDK lets one worker poll at most 1,000 times a second, which is 500 one-step workflows; so there are several, each on a
// task queue of its own. Together they have pollers enough that 64 open workflows never wait for one, on either server.
const (
	workers = 4
	pollers = 4
)

// Report is what the driver reads.
type Report struct {
	OneStep         Throughput `json:"one_step"`
	Lone            Latency    `json:"lone"`
	TenSteps        Throughput `json:"ten_steps"`
	RssPeakMiB      float64    `json:"rss_peak_mib"`     // after the one-step phase
	ClosedWorkflows int        `json:"closed_workflows"` // by then
}

// quiet drops the SDK's log: what fails is told by the calls.
type quiet struct{}

func (quiet) Debug(string, ...interface{}) {}
func (quiet) Info(string, ...interface{})  {}
func (quiet) Warn(string, ...interface{})  {}
func (quiet) Error(message string, keyvals ...interface{}) {
	fmt.Fprintln(os.Stderr, append([]interface{}{"load:", message}, keyvals...)...)
}

var _ log.Logger = quiet{}

func run() error {
	address := flag.String("address", "", "host:port of the server")
	pid := flag.Int("pid", 0, "the server's process, on this machine")
	open := flag.Int("open", 64, "workflows open at once")
	seconds := flag.Float64("seconds", 10, "each throughput phase")
	tenSteps := flag.Float64("ten-steps-seconds", 10, "the ten-step phase; 0: none")
	lone := flag.Int("lone", 100, "workflows one after the other; 0: none")
	folder := flag.String("folder", "", "the server's data folder")
	flag.Parse()

	connection, err := client.Dial(client.Options{HostPort: *address, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer connection.Close()
	for number := 0; number < workers; number++ {
		house := worker.New(connection, taskQueue(number), worker.Options{
			MaxConcurrentWorkflowTaskPollers: pollers,
			MaxConcurrentActivityTaskPollers: pollers,
		})
		house.RegisterWorkflow(Steps)
		house.RegisterActivity(Step)
		if err := house.Start(); err != nil {
			return err
		}
		defer house.Stop()
	}

	load := Load{client: connection, server: Process{pid: *pid}, folder: *folder, open: *open}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	warm, err := load.throughput(ctx, 1, warmUp)
	if err != nil {
		return err
	}
	var report Report
	if report.OneStep, err = load.throughput(ctx, 1, lasting(*seconds)); err != nil {
		return err
	}
	report.ClosedWorkflows = warm.Workflows + report.OneStep.Workflows
	if report.RssPeakMiB, err = load.server.rssPeakMiB(); err != nil {
		return err
	}
	if report.Lone, err = load.lone(ctx, *lone); err != nil {
		return err
	}
	if *tenSteps > 0 {
		if report.TenSteps, err = load.throughput(ctx, 10, lasting(*tenSteps)); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func lasting(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
