// Local activities: markers in history, retries inside and outside the task, tasks that are kept alive.
package main

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// RunsLocal runs one local activity by name, and after it a timer, so that its result is replayed.
func RunsLocal(ctx workflow.Context, name string, options workflow.LocalActivityOptions, arg string) (any, error) {
	if options.StartToCloseTimeout == 0 {
		options.StartToCloseTimeout = kShort
	}
	var told any
	if err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, options), name, arg).Get(ctx, &told); err != nil {
		return nil, err
	}
	return told, workflow.Sleep(ctx, 10*time.Millisecond)
}

// WaitsLocally gives back the signal that came while its local activity ran.
func WaitsLocally(ctx workflow.Context, span time.Duration) (string, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: kShort})
	if err := workflow.ExecuteLocalActivity(ctx, Pauses, span).Get(ctx, nil); err != nil {
		return "", err
	}
	var value string
	workflow.GetSignalChannel(ctx, "add").Receive(ctx, &value)
	return value, nil
}

// RetriesLocally gives back the attempt that its local activity succeeded in.
func RetriesLocally(ctx workflow.Context, retry temporal.RetryPolicy, attempt int32) (int32, error) {
	options := workflow.LocalActivityOptions{StartToCloseTimeout: kShort, RetryPolicy: &retry}
	var told int32
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, options), FailsLocally, attempt).Get(ctx, &told)
	return told, err
}

// FailsLocally fails before the given attempt.
func FailsLocally(ctx context.Context, until int32) (int32, error) {
	attempt := activity.GetInfo(ctx).Attempt
	if attempt < until {
		return 0, fmt.Errorf("attempt %d", attempt)
	}
	return attempt, nil
}

func init() {
	workflows = append(workflows, RunsLocal, RetriesLocally, WaitsLocally)
	activities = append(activities, FailsLocally)

	scenario("local activity/leaves a marker of Go's family and no activity event (B.6)", func(t *Bench) {
		run := t.start(RunsLocal, "Echo", workflow.LocalActivityOptions{}, "x")
		same(t, "the result", "x", result[string](t, run))
		events := t.events(run)
		same(t, "scheduled activities", 0, len(ofKind(events, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)))
		marker := ofKind(events, enumspb.EVENT_TYPE_MARKER_RECORDED)[0].GetMarkerRecordedEventAttributes()
		same(t, "the marker", "LocalActivity", marker.GetMarkerName())
		t.that(marker.GetDetails()["data"] != nil && marker.GetDetails()["result"] != nil, "its details: %v", marker.GetDetails())
	})

	scenario("local activity/is retried inside its task, and by a timer when the wait is long", func(t *Bench) {
		quick := temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond, BackoffCoefficient: 1}
		run := t.start(RetriesLocally, quick, int32(3))
		same(t, "the attempt", 3, result[int](t, run))
		same(t, "timers", 0, len(ofKind(t.events(run), enumspb.EVENT_TYPE_TIMER_STARTED)))
		slow := temporal.RetryPolicy{InitialInterval: 3 * time.Second, BackoffCoefficient: 1}
		run = t.startWith(client.StartWorkflowOptions{WorkflowTaskTimeout: 2 * time.Second}, RetriesLocally, slow, int32(2))
		same(t, "the attempt", 2, result[int](t, run))
		same(t, "timers", 1, len(ofKind(t.events(run), enumspb.EVENT_TYPE_TIMER_STARTED)))
	})

	scenario("local activity/its failure is the workflow's", func(t *Bench) {
		err := t.start(RunsLocal, "Breaks", workflow.LocalActivityOptions{}, "details").Get(t.ctx, nil)
		same(t, "the type", "Refused", refused[*temporal.ApplicationError](t, err).Type())
	})

	scenario("local activity/longer than its task, the task is kept alive and a signal is not lost (B7, B23)", func(t *Bench) {
		options := client.StartWorkflowOptions{WorkflowTaskTimeout: 2 * time.Second}
		run := t.startWith(options, WaitsLocally, 5*time.Second)
		until(t, func() (int, error) { return len(ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED)), nil },
			func(tasks int) bool { return tasks >= 2 })
		t.signal(run, "add", "meanwhile")
		same(t, "the signal", "meanwhile", result[string](t, run))
		events := t.events(run)
		same(t, "tasks timed out", 0, len(ofKind(events, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)))
		t.that(len(ofKind(events, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) >= 3, "completed tasks: %v", kinds(events))
	})
}
