// Signals and selectors; and the order in which a Go worker sees what happened.
package main

import (
	"context"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Collects gives back what `add` brought until `finish`; `values` tells it meanwhile.
func Collects(ctx workflow.Context) ([]string, error) {
	var values []string
	if err := workflow.SetQueryHandler(ctx, "values", func() ([]string, error) { return values, nil }); err != nil {
		return nil, err
	}
	finished := false
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, "add"), func(channel workflow.ReceiveChannel, _ bool) {
		var value string
		channel.Receive(ctx, &value)
		values = append(values, value)
	})
	selector.AddReceive(workflow.GetSignalChannel(ctx, "finish"), func(channel workflow.ReceiveChannel, _ bool) {
		channel.Receive(ctx, nil)
		finished = true
	})
	for !finished || selector.HasPending() {
		selector.Select(ctx)
	}
	return values, nil
}

// Selects waits on a timer, an activity, a child and a signal, and tells the order in which they came.
func Selects(ctx workflow.Context) ([]string, error) {
	var order []string
	note := func(name string) func(workflow.Future) {
		return func(workflow.Future) { order = append(order, name) }
	}
	short := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(workflow.NewTimer(ctx, 3*time.Second), note("timer"))
	selector.AddFuture(workflow.ExecuteActivity(short, Pauses, time.Second), note("activity"))
	selector.AddReceive(workflow.GetSignalChannel(ctx, "go"), func(channel workflow.ReceiveChannel, _ bool) {
		channel.Receive(ctx, nil)
		order = append(order, "signal")
		selector.AddFuture(workflow.ExecuteChildWorkflow(ctx, Returns, "x"), note("child"))
	})
	for len(order) < 4 {
		selector.Select(ctx)
	}
	return order, nil
}

// Signals sends `add` to another workflow, and tells what came of it.
func Signals(ctx workflow.Context, id, value string) error {
	return workflow.SignalExternalWorkflow(ctx, id, "", "add", value).Get(ctx, nil)
}

// SignalsItself closes at once, while a signal that its local activity sent to it waits: the server must not let it.
func SignalsItself(ctx workflow.Context) (string, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: kShort})
	channel := workflow.GetSignalChannel(ctx, "add")
	var value string
	if channel.ReceiveAsync(&value) {
		return value, nil
	}
	if err := workflow.ExecuteLocalActivity(ctx, SignalOwn, "buffered").Get(ctx, nil); err != nil {
		return "", err
	}
	if channel.ReceiveAsync(&value) {
		return value, nil
	}
	return "nothing came", nil
}

// SignalOwn signals the workflow that called it.
func SignalOwn(ctx context.Context, value string) error {
	own := activity.GetInfo(ctx).WorkflowExecution
	return activity.GetClient(ctx).SignalWorkflow(ctx, own.ID, own.RunID, "add", value)
}

func init() {
	workflows = append(workflows, Collects, Selects, Signals, SignalsItself)
	activities = append(activities, SignalOwn)

	scenario("signal/with start: a new run, then the running one", func(t *Bench) {
		options := t.filled(client.StartWorkflowOptions{})
		first, err := t.SignalWithStartWorkflow(t.ctx, options.ID, "add", "one", options, Collects)
		t.need(err)
		second, err := t.SignalWithStartWorkflow(t.ctx, options.ID, "add", "two", options, Collects)
		t.need(err)
		same(t, "the run", first.GetRunID(), second.GetRunID())
		t.signal(first, "finish", nil)
		same(t, "the values", []string{"one", "two"}, result[[]string](t, first))
		same(t, "the second event", enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, t.events(first)[1].GetEventType())
	})

	scenario("signal/two hundred keep their order", func(t *Bench) {
		run := t.start(Collects)
		var sent []string
		for range 200 {
			sent = append(sent, t.id())
			t.signal(run, "add", sent[len(sent)-1])
		}
		t.signal(run, "finish", nil)
		same(t, "the values", sent, result[[]string](t, run))
	})

	scenario("signal/a buffered one refuses the close, and is seen by the next task (E6)", func(t *Bench) {
		run := t.start(SignalsItself)
		same(t, "the result", "buffered", result[string](t, run))
		failed := ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)
		same(t, "failed tasks", 1, len(failed))
		cause := failed[0].GetWorkflowTaskFailedEventAttributes().GetCause()
		same(t, "the cause", enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, cause)
	})

	scenario("signal/from one workflow to another, and to none", func(t *Bench) {
		to := t.start(Collects)
		t.need(t.start(Signals, to.GetID(), "sent").Get(t.ctx, nil))
		t.signal(to, "finish", nil)
		same(t, "the values", []string{"sent"}, result[[]string](t, to))
		err := t.start(Signals, t.id(), "lost").Get(t.ctx, nil)
		// The workflow meets UnknownExternalWorkflowExecutionError; its own failure carries that as a type.
		same(t, "the type", "UnknownExternalWorkflowExecutionError", refused[*temporal.ApplicationError](t, err).Type())
	})

	scenario("selector/timer, activity, child and signal in the order of their events", func(t *Bench) {
		run := t.start(Selects)
		t.signal(run, "go", nil)
		order := result[[]string](t, run)
		var came []string
		names := map[string]string{"TimerFired": "timer", "ActivityTaskCompleted": "activity",
			"ChildWorkflowExecutionCompleted": "child", "WorkflowExecutionSignaled": "signal"}
		for _, kind := range kinds(t.events(run)) {
			if name := names[kind]; name != "" {
				came = append(came, name)
			}
		}
		t.that(slices.Equal(came, order), "told %v, history %v", order, kinds(t.events(run)))
	})
}
