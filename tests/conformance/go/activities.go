// Activities: errors, retries, heartbeats, completion from elsewhere, cancellation.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func Echo(_ context.Context, text string) (string, error) { return text, nil }

// Pauses takes its time and heeds its context.
func Pauses(ctx context.Context, span time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(span):
		return nil
	}
}

// Breaks fails in the way it is told.
func Breaks(ctx context.Context, how string) (int32, error) {
	attempt := activity.GetInfo(ctx).Attempt
	switch {
	case how == "panic":
		panic("no way out")
	case how == "details":
		return 0, temporal.NewNonRetryableApplicationError("refused", "Refused", errors.New("why"), "detail", 42)
	case how == "delay" && attempt == 1:
		options := temporal.ApplicationErrorOptions{NextRetryDelay: 1500 * time.Millisecond}
		return 0, temporal.NewApplicationErrorWithOptions("later", "Later", options)
	case how == "twice" && attempt < 3:
		return 0, fmt.Errorf("attempt %d", attempt)
	case how == "silence": // a heartbeat, and then none
		activity.RecordHeartbeat(ctx, "halfway", 50)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return attempt, nil
}

// Counts heartbeats each number, and fails once in the middle; the next attempt goes on from there.
func Counts(ctx context.Context, to int) ([]int, error) {
	from := 0
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &from); err != nil {
			return nil, err
		}
	}
	var counted []int
	for number := from + 1; number <= to; number++ {
		counted = append(counted, number)
		activity.RecordHeartbeat(ctx, number)
		if number == to/2 {
			return nil, errors.New("in the middle")
		}
	}
	return counted, nil
}

// tokens hands the task token of an activity from the worker to its scenario, by workflow id.
var tokens sync.Map

func tokenOf(workflowID string) chan []byte {
	made, _ := tokens.LoadOrStore(workflowID, make(chan []byte, 1))
	return made.(chan []byte)
}

// Later is ended by somebody else.
func Later(ctx context.Context, _ any) (string, error) {
	info := activity.GetInfo(ctx)
	tokenOf(info.WorkflowExecution.ID) <- info.TaskToken
	return "", activity.ErrResultPending
}

// Runs runs one activity by name, with the options; its error is the workflow's.
func Runs(ctx workflow.Context, name string, options workflow.ActivityOptions, arg any) (any, error) {
	if options.StartToCloseTimeout == 0 {
		options.StartToCloseTimeout = kShort
	}
	var told any
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, arg).Get(ctx, &told)
	return told, err
}

// CancelsActivity cancels its activity after `cancel`, and tells what it met and in which state the activity was then.
func CancelsActivity(ctx workflow.Context, wait bool) (string, error) {
	options := workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: kShort, WaitForCancellation: wait}
	inner, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	future := workflow.ExecuteActivity(inner, CleansUp)
	workflow.GetSignalChannel(ctx, "cancel").Receive(ctx, nil)
	cancel()
	var told string
	if err := future.Get(ctx, &told); err != nil {
		return fmt.Sprintf("%v", temporal.IsCanceledError(err)), nil
	}
	return told, nil
}

// CancelsWaiting cancels an activity that no worker took, and goes on in the same task: with a marker, another activity
// and a timer, or with its end.
func CancelsWaiting(ctx workflow.Context, queue string, end bool) error {
	options := workflow.ActivityOptions{StartToCloseTimeout: kShort, TaskQueue: queue}
	inner, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	waiting := workflow.ExecuteActivity(inner, Echo, "never")
	workflow.GetSignalChannel(ctx, "cancel").Receive(ctx, nil)
	cancel()
	if err := waiting.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return fmt.Errorf("it was not cancelled: %w", err)
	}
	if end {
		return nil
	}
	workflow.SideEffect(ctx, func(workflow.Context) any { return 1 })
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	echo := workflow.ExecuteActivity(ctx, Echo, "x")
	return errors.Join(workflow.Sleep(ctx, 10*time.Millisecond), echo.Get(ctx, nil))
}

// CleansUp heartbeats until it is cancelled; it then completes all the same.
func CleansUp(ctx context.Context) (string, error) {
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return "cleaned up", nil
		case <-time.After(kThrottle):
		}
	}
}

func once() *temporal.RetryPolicy { return &temporal.RetryPolicy{MaximumAttempts: 1} }

func init() {
	workflows = append(workflows, Runs, CancelsActivity, CancelsWaiting)
	activities = append(activities, Echo, Pauses, Breaks, Counts, Later, CleansUp)

	scenario("activity/its failure is an ActivityError around Go's own type", func(t *Bench) {
		run := t.start(Runs, "Breaks", workflow.ActivityOptions{ActivityID: "broken"}, "details")
		err := run.Get(t.ctx, nil)
		outer := refused[*temporal.ActivityError](t, err)
		same(t, "the activity", "broken/Breaks", outer.ActivityID()+"/"+outer.ActivityType().GetName())
		same(t, "the retry state", enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE, outer.RetryState())
		inner := refused[*temporal.ApplicationError](t, err)
		var word string
		var number int
		t.need(inner.Details(&word, &number))
		same(t, "the cause", "Refused/refused/detail/42", fmt.Sprintf("%s/%s/%s/%d", inner.Type(), inner.Message(), word, number))
		t.that(strings.Contains(errors.Unwrap(inner).Error(), "why"), "the cause of the cause: %v", errors.Unwrap(inner))
	})

	scenario("activity/a panic is a PanicError with its stack", func(t *Bench) {
		err := t.start(Runs, "Breaks", workflow.ActivityOptions{RetryPolicy: once()}, "panic").Get(t.ctx, nil)
		thrown := refused[*temporal.PanicError](t, err)
		t.that(strings.Contains(thrown.Error(), "no way out"), "the words: %v", thrown)
		t.that(strings.Contains(thrown.StackTrace(), "Breaks"), "the stack: %s", thrown.StackTrace())
	})

	scenario("activity/is retried, and history shows the last attempt only (E2)", func(t *Bench) {
		retry := &temporal.RetryPolicy{InitialInterval: 50 * time.Millisecond}
		run := t.start(Runs, "Breaks", workflow.ActivityOptions{RetryPolicy: retry}, "twice")
		same(t, "the attempt", 3, result[int](t, run))
		started := ofKind(t.events(run), enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED)
		same(t, "started events", 1, len(started))
		told := started[0].GetActivityTaskStartedEventAttributes()
		same(t, "attempt and last failure", "3 attempt 2", fmt.Sprintf("%d %s", told.GetAttempt(), told.GetLastFailure().GetMessage()))
	})

	scenario("activity/asks for the delay of its next attempt", func(t *Bench) {
		began := time.Now()
		same(t, "the attempt", 2, result[int](t, t.start(Runs, "Breaks", workflow.ActivityOptions{}, "delay")))
		t.that(time.Since(began) >= 1500*time.Millisecond, "the next attempt came after %v", time.Since(began))
	})

	scenario("activity/time-outs tell their kind, the heartbeat's with its details (E3)", func(t *Bench) {
		silent := workflow.ActivityOptions{HeartbeatTimeout: time.Second, RetryPolicy: once()}
		heartbeat := t.start(Runs, "Breaks", silent, "silence")
		slow := workflow.ActivityOptions{StartToCloseTimeout: time.Second, RetryPolicy: once()}
		startToClose := t.start(Runs, "Pauses", slow, 5*time.Second)
		waiting := workflow.ActivityOptions{ScheduleToStartTimeout: time.Second, TaskQueue: t.id()}
		scheduleToStart := t.start(Runs, "Echo", waiting, "x")
		told := refused[*temporal.TimeoutError](t, heartbeat.Get(t.ctx, nil))
		same(t, "the kind", enumspb.TIMEOUT_TYPE_HEARTBEAT, told.TimeoutType())
		var word string
		var number int
		t.need(told.LastHeartbeatDetails(&word, &number))
		same(t, "the last heartbeat", "halfway 50", fmt.Sprintf("%s %d", word, number))
		kind := refused[*temporal.TimeoutError](t, startToClose.Get(t.ctx, nil)).TimeoutType()
		same(t, "the kind", enumspb.TIMEOUT_TYPE_START_TO_CLOSE, kind)
		kind = refused[*temporal.TimeoutError](t, scheduleToStart.Get(t.ctx, nil)).TimeoutType()
		same(t, "the kind", enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, kind)
	})

	scenario("activity/the next attempt goes on from the last heartbeat", func(t *Bench) {
		retry := &temporal.RetryPolicy{InitialInterval: 50 * time.Millisecond}
		options := workflow.ActivityOptions{HeartbeatTimeout: 10 * time.Second, RetryPolicy: retry}
		same(t, "the second attempt's numbers", []int{4, 5, 6}, result[[]int](t, t.start(Runs, "Counts", options, 6)))
	})

	scenario("activity/is completed from elsewhere, by token and by id", func(t *Bench) {
		byToken := t.start(Runs, "Later", workflow.ActivityOptions{}, nil)
		token := <-tokenOf(byToken.GetID())
		t.need(t.CompleteActivity(t.ctx, token, "by token", nil))
		same(t, "the result", "by token", result[string](t, byToken))
		t.that(t.CompleteActivity(t.ctx, token, "again", nil) != nil, "a second completion was taken")
		byID := t.start(Runs, "Later", workflow.ActivityOptions{ActivityID: "later"}, nil)
		<-tokenOf(byID.GetID())
		t.need(t.CompleteActivityByID(t.ctx, t.house.namespace, byID.GetID(), "", "later", "by id", nil))
		same(t, "the result", "by id", result[string](t, byID))
	})

	scenario("activity/fails from elsewhere, by token and by id", func(t *Bench) {
		byToken := t.start(Runs, "Later", workflow.ActivityOptions{}, nil)
		refusal := temporal.NewNonRetryableApplicationError("no", "Refused", nil)
		t.need(t.CompleteActivity(t.ctx, <-tokenOf(byToken.GetID()), nil, refusal))
		same(t, "the type", "Refused", refused[*temporal.ApplicationError](t, byToken.Get(t.ctx, nil)).Type())
		byID := t.start(Runs, "Later", workflow.ActivityOptions{ActivityID: "later", RetryPolicy: once()}, nil)
		<-tokenOf(byID.GetID())
		t.need(t.CompleteActivityByID(t.ctx, t.house.namespace, byID.GetID(), byID.GetRunID(), "later", nil, errors.New("plain")))
		same(t, "the words", "plain", refused[*temporal.ApplicationError](t, byID.Get(t.ctx, nil)).Message())
	})

	scenario("activity/hears of its cancellation from elsewhere, and confirms it", func(t *Bench) {
		options := workflow.ActivityOptions{ActivityID: "later", HeartbeatTimeout: kShort, WaitForCancellation: true}
		run := t.start(Runs, "Later", options, nil)
		token := <-tokenOf(run.GetID())
		t.need(t.RecordActivityHeartbeatByID(t.ctx, t.house.namespace, run.GetID(), "", "later", "alive"))
		t.need(t.CancelWorkflow(t.ctx, run.GetID(), ""))
		until(t, func() (bool, error) {
			return temporal.IsCanceledError(t.RecordActivityHeartbeat(t.ctx, token, "still alive")), nil
		}, func(told bool) bool { return told })
		t.need(t.CompleteActivity(t.ctx, token, nil, temporal.NewCanceledError("as asked")))
		refused[*temporal.CanceledError](t, run.Get(t.ctx, nil))
		same(t, "cancelled activities", 1, len(ofKind(t.events(run), enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED)))
	})

	scenario("activity/cancelled, the workflow goes on at once or waits for its cleaning up (B.4)", func(t *Bench) {
		for _, row := range []struct {
			wait bool
			want string
		}{{false, "true"}, {true, "cleaned up"}} {
			run := t.start(CancelsActivity, row.wait)
			t.pendingStarted(run)
			t.signal(run, "cancel", nil)
			same(t, fmt.Sprintf("waiting %v", row.wait), row.want, result[string](t, run))
		}
	})

	scenario("activity/cancelled before a worker took it, its end comes behind the task's commands (C.2)", func(t *Bench) {
		for _, end := range []bool{false, true} {
			run := t.start(CancelsWaiting, t.id(), end)
			until(t, func() (int, error) {
				return len(ofKind(t.events(run), enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)), nil
			},
				func(scheduled int) bool { return scheduled > 0 })
			t.signal(run, "cancel", nil)
			t.need(run.Get(t.ctx, nil))
			joined := strings.Join(kinds(t.events(run)), " ")
			want := "ActivityTaskCancelRequested MarkerRecorded ActivityTaskScheduled TimerStarted ActivityTaskCanceled"
			if end { // it has no task to tell it to
				want = "ActivityTaskCancelRequested WorkflowExecutionCompleted$"
			}
			t.that(strings.Contains(joined+"$", want), "history: %s", joined)
		}
	})

	scenario("activity/a pending one is described with its attempt, failure and heartbeat", func(t *Bench) {
		retry := &temporal.RetryPolicy{InitialInterval: time.Hour}
		run := t.start(Runs, "Counts", workflow.ActivityOptions{RetryPolicy: retry}, 6)
		told := until(t, func() (string, error) {
			described, err := t.DescribeWorkflowExecution(t.ctx, run.GetID(), "")
			if err != nil || len(described.GetPendingActivities()) == 0 {
				return "", err
			}
			one := described.GetPendingActivities()[0]
			return fmt.Sprintf("%s %s %d %s %s", one.GetActivityType().GetName(), one.GetState(), one.GetAttempt(),
				one.GetLastFailure().GetMessage(), one.GetHeartbeatDetails().GetPayloads()), nil
		}, func(words string) bool { return strings.Contains(words, "in the middle") })
		t.that(strings.HasPrefix(told, "Counts Scheduled 2 in the middle"), "described: %s", told)
		t.that(strings.Contains(told, `"3"`), "the heartbeat: %s", told)
		t.need(t.TerminateWorkflow(t.ctx, run.GetID(), "", "seen"))
	})

	scenario("activity/a task queue of its own, limited by the worker's rate", func(t *Bench) {
		queue := t.id()
		t.withWorker(queue, worker.Options{TaskQueueActivitiesPerSecond: 200, MaxConcurrentActivityExecutionSize: 2, DisableWorkflowWorker: true}, func() {
			var runs []client.WorkflowRun
			for range 20 {
				runs = append(runs, t.start(Runs, "Echo", workflow.ActivityOptions{TaskQueue: queue}, "x"))
			}
			for _, run := range runs {
				same(t, "the result", "x", result[string](t, run))
			}
		})
	})
}
