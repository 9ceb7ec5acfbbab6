// What Go writes as markers: side effects, versions. And code that changes under a run.
package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Dice throws once by a side effect, and follows a value that changes by mutable ones: three asks, two values.
func Dice(ctx workflow.Context) ([]int, error) {
	var thrown int
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return rand.IntN(1 << 30) }).Get(&thrown); err != nil {
		return nil, err
	}
	told := []int{thrown}
	equal := func(a, b any) bool { return a == b }
	for _, value := range []int{1, 1, 2} {
		var seen int
		if err := workflow.MutableSideEffect(ctx, "level", func(workflow.Context) any { return value }, equal).Get(&seen); err != nil {
			return nil, err
		}
		told = append(told, seen)
	}
	if err := workflow.SetQueryHandler(ctx, "thrown", func() ([]int, error) { return told, nil }); err != nil {
		return nil, err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return told, nil
}

// Versioned has one change.
func Versioned(ctx workflow.Context) (workflow.Version, error) {
	return workflow.GetVersion(ctx, "a-change", workflow.DefaultVersion, 2), nil
}

// released is one workflow type over three releases of its code.
const released = "Released"

func firstRelease(ctx workflow.Context) (string, error) {
	return stepsOf(ctx, "first")
}

func secondRelease(ctx workflow.Context) (string, error) {
	version := workflow.GetVersion(ctx, "new-step", workflow.DefaultVersion, 1)
	if version == workflow.DefaultVersion {
		return stepsOf(ctx, "first")
	}
	return stepsOf(ctx, "first", "second")
}

func otherRelease(ctx workflow.Context) (string, error) {
	return "", workflow.Sleep(ctx, 1<<40)
}

func stepsOf(ctx workflow.Context, steps ...string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	for _, step := range steps {
		if err := workflow.ExecuteActivity(ctx, Echo, step).Get(ctx, nil); err != nil {
			return "", err
		}
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return strings.Join(steps, " "), nil
}

// withRelease runs body while a worker of this release polls the queue.
func (t *Bench) withRelease(queue string, options worker.Options, code any, body func()) {
	polling := newWorker(t.Client, queue, options)
	polling.RegisterWorkflowWithOptions(code, workflow.RegisterOptions{Name: released})
	t.running(polling, body)
}

func markers(events []*historypb.HistoryEvent) []string {
	var told []string
	for _, event := range ofKind(events, enumspb.EVENT_TYPE_MARKER_RECORDED) {
		told = append(told, event.GetMarkerRecordedEventAttributes().GetMarkerName())
	}
	return told
}

// stepDone waits until the run's only activity has ended.
func (t *Bench) stepDone(run client.WorkflowRun) {
	until(t, func() (int, error) {
		return len(ofKind(t.events(run), enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)), nil
	},
		func(done int) bool { return done > 0 })
}

func init() {
	workflows = append(workflows, Dice, Versioned)

	scenario("marker/side effects are thrown once, mutable ones when they change (B.6)", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		var thrown []int
		t.withWorker(queue, worker.Options{}, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Dice)
			thrown = query[[]int](t, run, "thrown")
		})
		kill := t.workerProcess(queue) // it has no cache of the run
		defer kill()
		t.signal(run, "finish", nil)
		same(t, "replayed", thrown, result[[]int](t, run))
		same(t, "the levels", []int{1, 1, 2}, thrown[1:])
		same(t, "the markers", []string{"SideEffect", "MutableSideEffect", "MutableSideEffect"}, markers(t.events(run)))
	})

	scenario("version/leaves a marker and TemporalChangeVersion, which lists find (B16)", func(t *Bench) {
		run := t.start(Versioned)
		same(t, "the version", 2, result[int](t, run))
		same(t, "the marker", []string{"Version"}, markers(t.events(run)))
		request := &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("TemporalChangeVersion = 'a-change-2' AND WorkflowId = '%s'", run.GetID()),
		}
		until(t, func() (int, error) {
			told, err := t.ListWorkflow(t.ctx, request)
			return len(told.GetExecutions()), err
		}, func(found int) bool { return found == 1 })
	})

	scenario("version/a run goes on over a release, a new one takes the new way", func(t *Bench) {
		queue := t.id()
		options := client.StartWorkflowOptions{TaskQueue: queue}
		var old client.WorkflowRun
		t.withRelease(queue, worker.Options{}, firstRelease, func() {
			old = t.startWith(options, released)
			t.stepDone(old)
		})
		t.withRelease(queue, worker.Options{}, secondRelease, func() {
			young := t.startWith(options, released)
			t.signal(old, "finish", nil)
			t.signal(young, "finish", nil)
			same(t, "the old way", "first", result[string](t, old))
			same(t, "the new way", "first second", result[string](t, young))
		})
	})

	scenario("version/other code fails the task, not the run; the right code goes on (B12)", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		t.withRelease(queue, worker.Options{}, firstRelease, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, released)
			t.stepDone(run)
		})
		t.signal(run, "finish", nil)
		t.withRelease(queue, worker.Options{}, otherRelease, func() {
			failed := until(t, func() ([]*historypb.HistoryEvent, error) {
				return ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED), nil
			}, func(events []*historypb.HistoryEvent) bool { return len(events) > 0 })
			cause := failed[0].GetWorkflowTaskFailedEventAttributes().GetCause()
			same(t, "the cause", enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, cause)
		})
		t.withRelease(queue, worker.Options{}, firstRelease, func() { same(t, "the result", "first", result[string](t, run)) })
	})

	scenario("version/other code fails the run when the worker's policy says so (B12)", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		t.withRelease(queue, worker.Options{}, firstRelease, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, released)
			t.stepDone(run)
		})
		t.signal(run, "finish", nil)
		t.withRelease(queue, worker.Options{WorkflowPanicPolicy: worker.FailWorkflow}, otherRelease, func() {
			err := run.Get(t.ctx, nil)
			refused[*temporal.WorkflowExecutionError](t, err)
			t.that(strings.Contains(err.Error(), "TMPRL1100"), "the words: %v", err)
		})
	})
}
