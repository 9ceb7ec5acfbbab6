// Workers: caches and sticky queues, sessions, types known by no name, draining, dying.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Sessions runs three activities in one session and tells the processes they ran in; a session that fails is made anew.
// It waits for the signal `go` after the first activity, once.
func Sessions(ctx workflow.Context, heartbeat time.Duration) ([]string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: kShort})
	options := &workflow.SessionOptions{CreationTimeout: time.Minute, ExecutionTimeout: 2 * time.Minute, HeartbeatTimeout: heartbeat}
	told := false
	wait := func(session workflow.Context) error {
		return workflow.Await(session, func() bool {
			told = told || workflow.GetSignalChannel(ctx, "go").ReceiveAsync(nil)
			return told
		})
	}
	for {
		session, err := workflow.CreateSession(ctx, options)
		if err != nil {
			return nil, err
		}
		places, err := inSession(session, wait)
		if workflow.GetSessionInfo(session).SessionState != workflow.SessionStateFailed {
			workflow.CompleteSession(session)
			return places, err
		}
	}
}

func inSession(session workflow.Context, wait func(workflow.Context) error) ([]string, error) {
	var places []string
	for step := range 3 {
		if step == 1 {
			if err := wait(session); err != nil {
				return nil, err
			}
		}
		var place string
		if err := workflow.ExecuteActivity(session, Place).Get(session, &place); err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// Place tells the process it runs in.
func Place(context.Context) (string, error) { return fmt.Sprint(os.Getpid()), nil }

// Drains ends when its worker is told to stop.
func Drains(ctx context.Context) (string, error) {
	select {
	case <-activity.GetWorkerStopChannel(ctx):
		return "drained", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// blocked counts the tasks of Blocks in this process.
var blocked atomic.Int32

// Blocks holds its first task up for longer than a workflow may.
func Blocks(workflow.Context) (string, error) {
	if blocked.Add(1) == 1 {
		time.Sleep(1500 * time.Millisecond) //workflowcheck:ignore it is what the scenario is about
	}
	return "late", nil
}

func anyWorkflow(ctx workflow.Context, args converter.EncodedValues) (string, error) {
	var word string
	if err := args.Get(&word); err != nil {
		return "", err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	var told string
	err := workflow.ExecuteActivity(ctx, "activity of no name", word).Get(ctx, &told)
	return workflow.GetInfo(ctx).WorkflowType.Name + "/" + told, err
}

func anyActivity(ctx context.Context, args converter.EncodedValues) (string, error) {
	var word string
	err := args.Get(&word)
	return activity.GetInfo(ctx).ActivityType.Name + "/" + word, err
}

// lastQueue is the queue of the run's last workflow task.
func (t *Bench) lastQueue(run client.WorkflowRun) *taskqueuepb.TaskQueue {
	scheduled := ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
	return scheduled[len(scheduled)-1].GetWorkflowTaskScheduledEventAttributes().GetTaskQueue()
}

func init() {
	workflows = append(workflows, Sessions, Blocks)
	activities = append(activities, Place, Drains)

	scenario("sticky/later tasks name the sticky queue and its normal one (B26)", func(t *Bench) {
		run := t.start(OneStep, "x")
		result[string](t, run)
		queue := t.lastQueue(run)
		same(t, "the kind", enumspb.TASK_QUEUE_KIND_STICKY, queue.GetKind())
		same(t, "the normal one", t.queue, queue.GetNormalName())
	})

	scenario("sticky/ResetStickyTaskQueue gives the next task to the normal queue", func(t *Bench) {
		run := t.start(Collects)
		same(t, "the values", []string(nil), query[[]string](t, run, "values")) // so its first task is done
		request := &workflowservice.ResetStickyTaskQueueRequest{Namespace: t.house.namespace, Execution: execution(run)}
		needed[*workflowservice.ResetStickyTaskQueueResponse](t)(t.WorkflowService().ResetStickyTaskQueue(t.ctx, request))
		t.signal(run, "add", "x")
		same(t, "the kind", enumspb.TASK_QUEUE_KIND_NORMAL, t.lastQueue(run).GetKind())
		t.signal(run, "finish", nil)
		same(t, "the values", []string{"x"}, result[[]string](t, run))
	})

	scenarioOf(Scenario{Name: "sticky/a purged cache is filled from history", Phase: Alone, Body: func(t *Bench) {
		run := t.start(Collects)
		for _, value := range []string{"a", "b", "c"} {
			t.signal(run, "add", value)
			same(t, "the last value", value, lastOf(query[[]string](t, run, "values")))
			worker.PurgeStickyWorkflowCache()
		}
		t.signal(run, "finish", nil)
		same(t, "the values", []string{"a", "b", "c"}, result[[]string](t, run))
	}})

	scenario("sticky/a stopped worker leaves its runs to the next one", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		t.withWorker(queue, worker.Options{}, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Collects)
			t.signal(run, "add", "first")
			same(t, "the values", []string{"first"}, query[[]string](t, run, "values"))
		})
		t.signal(run, "add", "between")
		t.withWorker(queue, worker.Options{}, func() {
			t.signal(run, "finish", nil)
			same(t, "the values", []string{"first", "between"}, result[[]string](t, run))
		})
	})

	scenario("worker/killed in mid-run, the next one goes on (E16)", func(t *Bench) {
		queue := t.id()
		options := client.StartWorkflowOptions{TaskQueue: queue, WorkflowTaskTimeout: 2 * time.Second}
		kill := t.workerProcess(queue)
		collecting := t.startWith(options, Collects)
		t.signal(collecting, "add", "one")
		same(t, "the values", []string{"one"}, query[[]string](t, collecting, "values"))
		retry := &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond}
		pausing := t.startWith(options, Runs, "Pauses", workflow.ActivityOptions{StartToCloseTimeout: 3 * time.Second, RetryPolicy: retry}, time.Second)
		t.pendingStarted(pausing)
		kill()
		t.signal(collecting, "add", "two")
		kill = t.workerProcess(queue)
		defer kill()
		t.signal(collecting, "finish", nil)
		same(t, "the values", []string{"one", "two"}, result[[]string](t, collecting))
		t.need(pausing.Get(t.ctx, nil))
	})

	scenario("worker/stopped, it lets its activities drain", func(t *Bench) {
		queue := t.id()
		polling := newWorker(t.Client, queue, worker.Options{WorkerStopTimeout: kShort})
		t.need(polling.Start())
		run := t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Runs, "Drains", workflow.ActivityOptions{StartToCloseTimeout: time.Minute}, nil)
		t.pendingStarted(run)
		polling.Stop()
		t.withWorker(queue, worker.Options{}, func() { same(t, "the result", "drained", result[string](t, run)) })
	})

	scenario("worker/two on one queue share the work", func(t *Bench) {
		queue := t.id()
		identities := map[string]bool{}
		t.withWorker(queue, worker.Options{Identity: "first"}, func() {
			t.withWorker(queue, worker.Options{Identity: "second"}, func() {
				var runs []client.WorkflowRun
				for range 40 {
					runs = append(runs, t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, OneStep, "x"))
				}
				for _, run := range runs {
					same(t, "the result", "x", result[string](t, run))
					for _, event := range ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED) {
						identities[event.GetWorkflowTaskStartedEventAttributes().GetIdentity()] = true
					}
				}
			})
		})
		same(t, "who worked", map[string]bool{"first": true, "second": true}, identities)
	})

	scenario("worker/a workflow that blocks fails its task, which is tried again", func(t *Bench) {
		run := t.start(Blocks)
		same(t, "the result", "late", result[string](t, run))
		t.that(blocked.Load() >= 2, "tasks: %d", blocked.Load())
	})

	scenario("worker/a type that nobody knows keeps its task", func(t *Bench) {
		run := t.start("Nobody knows")
		until(t, func() ([]*historypb.HistoryEvent, error) {
			return ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED), nil
		}, func(failed []*historypb.HistoryEvent) bool { return len(failed) > 0 })
		same(t, "failed tasks in history", 1, len(ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)))
		t.need(t.TerminateWorkflow(t.ctx, run.GetID(), "", "seen"))
	})

	scenario("worker/dynamic workflows and activities take every name", func(t *Bench) {
		queue := t.id()
		polling := worker.New(t.Client, queue, worker.Options{})
		polling.RegisterDynamicWorkflow(anyWorkflow, workflow.DynamicRegisterOptions{})
		polling.RegisterDynamicActivity(anyActivity, activity.DynamicRegisterOptions{})
		t.running(polling, func() {
			run := t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, "workflow of no name", "x")
			same(t, "the result", "workflow of no name/activity of no name/x", result[string](t, run))
		})
	})

	scenario("worker/pollers that scale", func(t *Bench) {
		queue := t.id()
		scaling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{InitialNumberOfPollers: 2})
		t.withWorker(queue, worker.Options{WorkflowTaskPollerBehavior: scaling, ActivityTaskPollerBehavior: scaling}, func() {
			var runs []client.WorkflowRun
			for range 50 {
				runs = append(runs, t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, OneStep, "x"))
			}
			for _, run := range runs {
				same(t, "the result", "x", result[string](t, run))
			}
		})
	})

	scenario("session/its activities run in one process, and only so many sessions at once", func(t *Bench) {
		queue := t.id()
		kill := t.workerProcess(queue)
		defer kill()
		t.withWorker(queue, worker.Options{EnableSessionWorker: true, MaxConcurrentSessionExecutionSize: 1}, func() {
			var runs []client.WorkflowRun
			for range 4 {
				runs = append(runs, t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Sessions, kShort))
			}
			for _, run := range runs {
				t.signal(run, "go", nil)
			}
			for _, run := range runs {
				places := result[[]string](t, run)
				same(t, "the places", []string{places[0], places[0], places[0]}, places)
			}
		})
	})

	scenario("session/its worker dies, and it is made anew elsewhere", func(t *Bench) {
		queue := t.id()
		kill := t.workerProcess(queue)
		run := t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Sessions, 4*time.Second)
		t.stepDone(run)
		kill()
		t.withWorker(queue, worker.Options{EnableSessionWorker: true}, func() {
			t.signal(run, "go", nil)
			here := fmt.Sprint(os.Getpid())
			same(t, "the places", []string{here, here, here}, result[[]string](t, run))
		})
	})
}

func lastOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
