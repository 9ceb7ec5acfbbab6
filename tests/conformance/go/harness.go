// Stock Go clients and workers against a Temporal server. Protocol: tests/conformance/README.md.
// One file a subject: its workflows, its activities, its scenarios. Scenarios register themselves; main.go runs them.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

// Phase says when a scenario runs.
type Phase int

const (
	Together Phase = iota // with all others at once
	Alone                 // after them, one at a time
	Last                  // after those: kills the server
)

// Scenario is one named proof. Its body ends early by a failed check.
type Scenario struct {
	Name    string
	Phase   Phase
	Seconds int
	Oracle  string
	When    func() bool // asked when its turn comes; where it says no, nothing is told; unset: always
	Body    func(t *Bench)
}

const (
	kSeconds     = 180 // for one scenario, on a machine that does other things
	kShort       = 20 * time.Second
	kThrottle    = 200 * time.Millisecond
	kStopTimeout = 2 * time.Second
)

var (
	scenarios  []Scenario
	workflows  []any // functions that every worker of the suite registers
	activities []any
)

func scenario(name string, body func(t *Bench)) {
	scenarioOf(Scenario{Name: name, Body: body})
}

func scenarioOf(told Scenario) {
	if told.Seconds == 0 {
		told.Seconds = kSeconds
	}
	scenarios = append(scenarios, told)
}

// House is what all scenarios share: one connection and one worker on one queue.
type House struct {
	client    client.Client
	address   string
	namespace string
	queue     string
	mark      string
}

func openHouse() (*House, error) {
	mark := make([]byte, 3)
	if _, err := rand.Read(mark); err != nil {
		return nil, err
	}
	house := &House{address: os.Getenv("CONFORMANCE_ADDRESS"), namespace: os.Getenv("CONFORMANCE_NAMESPACE"), mark: hex.EncodeToString(mark)}
	house.queue = "shared-" + house.mark
	var err error
	house.client, err = client.Dial(house.options())
	return house, err
}

func (house *House) options() client.Options {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	return client.Options{HostPort: house.address, Namespace: house.namespace, Logger: log.NewStructuredLogger(logger)}
}

// newWorker is a worker over all workflows and activities of the suite.
func newWorker(c client.Client, queue string, options worker.Options) worker.Worker {
	options.MaxHeartbeatThrottleInterval, options.DefaultHeartbeatThrottleInterval = kThrottle, kThrottle
	if options.WorkerStopTimeout == 0 {
		options.WorkerStopTimeout = kStopTimeout
	}
	built := worker.New(c, queue, options)
	if !options.DisableWorkflowWorker {
		for _, function := range workflows {
			built.RegisterWorkflow(function)
		}
	}
	for _, function := range activities {
		built.RegisterActivity(function)
	}
	return built
}

// Bench is one scenario's hands: a client, ids of its own, the shared queue, its clock.
type Bench struct {
	client.Client
	house  *House
	ctx    context.Context
	queue  string
	prefix string
	serial atomic.Int64
}

var kNoIdCharacters = regexp.MustCompile(`[^A-Za-z0-9]+`)

func newBench(ctx context.Context, house *House, name string) *Bench {
	prefix := fmt.Sprintf("%s-%s", kNoIdCharacters.ReplaceAllString(name, "-"), house.mark)
	return &Bench{Client: house.client, house: house, ctx: ctx, queue: house.queue, prefix: prefix}
}

// id is a name nobody else uses: for workflows, queues, schedules.
func (t *Bench) id() string { return fmt.Sprintf("%s-%d", t.prefix, t.serial.Add(1)) }

// start starts a workflow on the shared queue.
func (t *Bench) start(workflow any, args ...any) client.WorkflowRun {
	return t.startWith(client.StartWorkflowOptions{}, workflow, args...)
}

// startWith starts a workflow; the id and the queue are filled in where they are empty.
func (t *Bench) startWith(options client.StartWorkflowOptions, workflow any, args ...any) client.WorkflowRun {
	return needed[client.WorkflowRun](t)(t.ExecuteWorkflow(t.ctx, t.filled(options), workflow, args...))
}

func (t *Bench) filled(options client.StartWorkflowOptions) client.StartWorkflowOptions {
	if options.ID == "" {
		options.ID = t.id()
	}
	if options.TaskQueue == "" {
		options.TaskQueue = t.queue
	}
	return options
}

// signal sends to the workflow's current run.
func (t *Bench) signal(run client.WorkflowRun, name string, value any) {
	t.need(t.SignalWorkflow(t.ctx, run.GetID(), "", name, value))
}

func query[V any](t *Bench, run client.WorkflowRun, name string, args ...any) V {
	told, err := t.QueryWorkflow(t.ctx, run.GetID(), run.GetRunID(), name, args...)
	t.need(err)
	var value V
	t.need(told.Get(&value))
	return value
}

// withWorker runs body while a worker of its own polls queue.
func (t *Bench) withWorker(queue string, options worker.Options, body func()) {
	t.running(newWorker(t.Client, queue, options), body)
}

// running runs body while the worker polls, and stops it whatever happens.
func (t *Bench) running(polling worker.Worker, body func()) {
	t.need(polling.Start())
	defer polling.Stop()
	body()
}

// clientWith is a client of other options, closed with the scenario's clock.
func (t *Bench) clientWith(change func(*client.Options)) client.Client {
	options := t.house.options()
	change(&options)
	made := needed[client.Client](t)(client.Dial(options))
	context.AfterFunc(t.ctx, made.Close)
	return made
}

func (t *Bench) events(run client.WorkflowRun) []*historypb.HistoryEvent {
	return t.eventsOf(run.GetID(), run.GetRunID())
}

func (t *Bench) eventsOf(workflowID, runID string) []*historypb.HistoryEvent {
	pages := t.GetWorkflowHistory(t.ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var told []*historypb.HistoryEvent
	for pages.HasNext() {
		told = append(told, needed[*historypb.HistoryEvent](t)(pages.Next()))
	}
	return told
}

func execution(run client.WorkflowRun) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()}
}

// kinds are the names of the events: what a history reads like.
func kinds(events []*historypb.HistoryEvent) []string {
	told := make([]string, len(events))
	for at, event := range events {
		told[at] = event.GetEventType().String()
	}
	return told
}

// ofKind are the events of one type, in order.
func ofKind(events []*historypb.HistoryEvent, kind enumspb.EventType) []*historypb.HistoryEvent {
	var told []*historypb.HistoryEvent
	for _, event := range events {
		if event.GetEventType() == kind {
			told = append(told, event)
		}
	}
	return told
}

// server asks the control port of the runner: kill, start or restart.
func (t *Bench) server(verb string) {
	line, err := net.Dial("tcp", os.Getenv("CONFORMANCE_RESTART"))
	t.need(err)
	defer line.Close()
	_, err = fmt.Fprintln(line, verb)
	t.need(err)
	answer, err := bufio.NewReader(line).ReadString('\n')
	t.need(err)
	same(t, "the control port", "ok", strings.TrimSpace(answer))
}
