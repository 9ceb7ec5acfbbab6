// The kitchen-sink workflow of kitchen_sink.md in Go. Left out, as Go has no such kinds of cancellation: activities by ABANDON
// (steps 9, 10), children by TRY_CANCEL, WAIT_CANCELLATION_REQUESTED and ABANDON (steps 21, 22, 25 to 28). Otherwise in Go: an
// activity cancelled in the task that started it is in history (step 11), a wait that was met leaves its timer (step 19).
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// sink is what one run of the workflow knows.
type sink struct {
	ctx     workflow.Context
	at      int
	total   int
	notes   []string
	opened  bool
	settled bool
}

// kitchenStep is what the sink does once the driver sent n.
type kitchenStep struct {
	n  int
	do func(own *sink) error
}

// KitchenSink is run 1, which continues as run 2.
func KitchenSink(ctx workflow.Context, run int) (string, error) {
	own := &sink{ctx: ctx}
	if err := own.listen(); err != nil {
		return "", err
	}
	steps := firstRun()
	if run == 2 {
		steps = secondRun()
	}
	gate := workflow.GetSignalChannel(ctx, "step")
	for at, step := range steps {
		if at > 0 {
			var n int
			gate.Receive(ctx, &n)
			if n != step.n {
				return "", fmt.Errorf("step %d came for %d", n, step.n)
			}
		}
		if err := step.do(own); err != nil {
			return "", err
		}
		own.at = step.n
	}
	return "sunk", nil
}

// listen sets the handlers of both runs; it writes nothing.
func (own *sink) listen() error {
	add := func(_ workflow.Context, value int) (int, error) {
		own.total += value
		return own.total, nil
	}
	notNegative := func(_ workflow.Context, value int) error {
		if value < 0 {
			return errors.New("below zero")
		}
		return nil
	}
	later := func(ctx workflow.Context) (string, error) {
		return "settled", workflow.Await(ctx, func() bool { return own.settled })
	}
	workflow.Go(own.ctx, func(ctx workflow.Context) {
		selector := workflow.NewSelector(ctx)
		selector.AddReceive(workflow.GetSignalChannel(ctx, "note"), func(channel workflow.ReceiveChannel, _ bool) {
			var text string
			channel.Receive(ctx, &text)
			own.notes = append(own.notes, text)
		})
		selector.AddReceive(workflow.GetSignalChannel(ctx, "open"), func(channel workflow.ReceiveChannel, _ bool) {
			channel.Receive(ctx, nil)
			own.opened = true
		})
		selector.AddReceive(workflow.GetSignalChannel(ctx, "settle"), func(channel workflow.ReceiveChannel, _ bool) {
			channel.Receive(ctx, nil)
			own.settled = true
		})
		for {
			selector.Select(ctx)
		}
	})
	return errors.Join(
		workflow.SetQueryHandler(own.ctx, "at", func() (int, error) { return own.at, nil }),
		workflow.SetQueryHandler(own.ctx, "total", func() (int, error) { return own.total, nil }),
		workflow.SetQueryHandler(own.ctx, "notes", func() ([]string, error) { return own.notes, nil }),
		workflow.SetUpdateHandlerWithOptions(own.ctx, "add", add, workflow.UpdateHandlerOptions{Validator: notNegative}),
		workflow.SetUpdateHandler(own.ctx, "later", later),
	)
}

func firstRun() []kitchenStep {
	var future workflow.Future
	var cancel workflow.CancelFunc
	starts := func(begin func(own *sink, ctx workflow.Context) workflow.Future) func(*sink) error {
		return func(own *sink) error {
			var inner workflow.Context
			inner, cancel = workflow.WithCancel(own.ctx)
			future = begin(own, inner)
			return nil
		}
	}
	cancels := func(own *sink) error {
		cancel()
		if err := future.Get(own.ctx, nil); !temporal.IsCanceledError(err) {
			return fmt.Errorf("it was not cancelled: %w", err)
		}
		return nil
	}
	held := func(label string, wait bool) func(*sink) error {
		return starts(func(_ *sink, ctx workflow.Context) workflow.Future {
			options := workflow.ActivityOptions{HeartbeatTimeout: 3 * time.Second, WaitForCancellation: wait}
			return kitchenActivity(ctx, options, "held", label)
		})
	}
	return []kitchenStep{
		{1, (*sink).beginsFirst},
		{2, awaits(workflow.ActivityOptions{}, "once")},
		{3, awaits(workflow.ActivityOptions{RetryPolicy: evenly(100*time.Millisecond, 5)}, "flaky")},
		{4, fails(func(own *sink) workflow.Future { return kitchenActivity(own.ctx, workflow.ActivityOptions{}, "broken") })},
		{5, held("try", false)},
		{6, cancels},
		{7, held("wait", true)},
		{8, cancels},
		{11, func(own *sink) error {
			inner, stop := workflow.WithCancel(own.ctx)
			never := kitchenActivity(inner, workflow.ActivityOptions{}, "once")
			stop()
			if err := never.Get(own.ctx, nil); !temporal.IsCanceledError(err) {
				return fmt.Errorf("it was not cancelled: %w", err)
			}
			return nil
		}},
		{12, awaitsLocal("quick", evenly(time.Second, 1))},
		{13, awaitsLocal("moody", evenly(10*time.Millisecond, 5))},
		{14, awaitsLocal("sleepy", evenly(11*time.Second, 2))}, // longer than a task: this SDK then waits by a timer
		{15, func(own *sink) error { return workflow.Sleep(own.ctx, 200*time.Millisecond) }},
		{16, starts(func(_ *sink, ctx workflow.Context) workflow.Future { return workflow.NewTimer(ctx, time.Hour) })},
		{17, cancels},
		{18, opens(200*time.Millisecond, false)},
		{19, opens(time.Hour, true)},
		{20, func(own *sink) error {
			return kitchenChild(own.ctx, "done", workflow.ChildWorkflowOptions{}).Get(own.ctx, nil)
		}},
		{23, starts(func(own *sink, ctx workflow.Context) workflow.Future {
			child := kitchenChild(ctx, "wait", workflow.ChildWorkflowOptions{WaitForCancellation: true})
			_ = child.GetChildWorkflowExecution().Get(own.ctx, nil) // the future tells the same
			return child
		})},
		{24, cancels},
		{29, fails(func(own *sink) workflow.Future {
			again := workflow.ChildWorkflowOptions{WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE}
			return kitchenChild(own.ctx, "done", again)
		})},
		{30, func(own *sink) error {
			return workflow.SignalExternalWorkflow(own.ctx, kKitchenSink+"-target", "", "note", "hello").Get(own.ctx, nil)
		}},
		{31, fails(func(own *sink) workflow.Future {
			return workflow.SignalExternalWorkflow(own.ctx, kKitchenSink+"-nobody", "", "note", "hello")
		})},
		{32, func(own *sink) error {
			return workflow.RequestCancelExternalWorkflow(own.ctx, kKitchenSink+"-target", "").Get(own.ctx, nil)
		}},
		{33, fails(func(own *sink) workflow.Future {
			return workflow.RequestCancelExternalWorkflow(own.ctx, kKitchenSink+"-nobody", "")
		})},
		{34, func(*sink) error { return nil }},
		{35, func(*sink) error { return nil }},
		{36, func(own *sink) error { return workflow.NewContinueAsNewError(own.ctx, KitchenSink, 2) }},
	}
}

func secondRun() []kitchenStep {
	return []kitchenStep{
		{1, (*sink).versions},
		{2, func(own *sink) error {
			apart, _ := workflow.NewDisconnectedContext(own.ctx) // this SDK cancels the children of a cancelled context
			for _, last := range kLastChildren {
				child := kitchenChild(apart, last.label, workflow.ChildWorkflowOptions{ParentClosePolicy: last.policy})
				if err := child.GetChildWorkflowExecution().Get(apart, nil); err != nil {
					return err
				}
			}
			return nil
		}},
		{3, func(own *sink) error {
			own.ctx.Done().Receive(own.ctx, nil)
			return nil
		}},
		{4, func(*sink) error { return nil }},
	}
}

// kLastChildren are the children of the second run, in order.
var kLastChildren = []struct {
	label  string
	policy enumspb.ParentClosePolicy
}{
	{"left", enumspb.PARENT_CLOSE_POLICY_ABANDON},
	{"killed", enumspb.PARENT_CLOSE_POLICY_TERMINATE},
	{"asked", enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL},
}

func (own *sink) beginsFirst() error {
	workflow.SideEffect(own.ctx, func(workflow.Context) any { return "dice" })
	return errors.Join(
		own.versions(),
		workflow.UpsertTypedSearchAttributes(own.ctx, kKeyword.ValueSet("sink"), kInt.ValueSet(7)),
		workflow.UpsertMemo(own.ctx, map[string]any{"kitchen": "sink"}),
	)
}

func (own *sink) versions() error {
	workflow.GetVersion(own.ctx, "kitchen-patch", workflow.DefaultVersion, 1)
	return nil
}

func evenly(interval time.Duration, attempts int32) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: interval, BackoffCoefficient: 1, MaximumAttempts: attempts}
}

func kitchenActivity(ctx workflow.Context, options workflow.ActivityOptions, name string, args ...any) workflow.Future {
	options.StartToCloseTimeout = time.Minute
	if options.RetryPolicy == nil {
		options.RetryPolicy = once()
	}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, args...)
}

func kitchenChild(ctx workflow.Context, label string, options workflow.ChildWorkflowOptions) workflow.ChildWorkflowFuture {
	options.WorkflowID = kKitchenSink + "-" + label
	return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), KitchenChild, label)
}

func awaits(options workflow.ActivityOptions, name string) func(*sink) error {
	return func(own *sink) error { return kitchenActivity(own.ctx, options, name).Get(own.ctx, nil) }
}

func awaitsLocal(name string, retry *temporal.RetryPolicy) func(*sink) error {
	return func(own *sink) error {
		options := workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: retry}
		return workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(own.ctx, options), name).Get(own.ctx, nil)
	}
}

// fails wants the future to fail.
func fails(begin func(own *sink) workflow.Future) func(*sink) error {
	return func(own *sink) error {
		if begin(own).Get(own.ctx, nil) == nil {
			return errors.New("it did not fail")
		}
		return nil
	}
}

// opens waits for the signal `open`.
func opens(limit time.Duration, want bool) func(*sink) error {
	return func(own *sink) error {
		met, err := workflow.AwaitWithTimeout(own.ctx, limit, func() bool { return own.opened })
		if met != want {
			return fmt.Errorf("the condition: %v", met)
		}
		return err
	}
}

// KitchenChild ends by the signal `finish`: as cancelled, if it was asked to be.
func KitchenChild(ctx workflow.Context, label string) (string, error) {
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return label, nil
}

// holds joins the activity `held` with the driver, by label.
type holds map[string]chan struct{}

func (own holds) held(ctx context.Context, label string) (string, error) {
	own["running "+label] <- struct{}{}
	release := own["release "+label]
	for ctx.Err() == nil || release != nil { // each that is held in Go is cancelled
		activity.RecordHeartbeat(ctx)
		select {
		case <-release:
			release = nil
		case <-time.After(100 * time.Millisecond):
		}
	}
	return "", ctx.Err()
}

// failing is an activity that fails in all attempts but the given one.
func failing(attempt int32, told string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if now := activity.GetInfo(ctx).Attempt; now < attempt {
			return "", fmt.Errorf("attempt %d", now)
		}
		return told, nil
	}
}

func registerKitchen(into worker.Registry, own holds) {
	into.RegisterWorkflow(KitchenSink)
	into.RegisterWorkflow(KitchenChild)
	broken := func(context.Context) error { return temporal.NewNonRetryableApplicationError("broken", "Broken", nil) }
	for name, body := range map[string]any{
		"once": failing(1, "once"), "flaky": failing(3, "done"), "broken": broken, "held": own.held,
		"quick": failing(1, "quick"), "moody": failing(3, "well"), "sleepy": failing(2, "awake"),
	} {
		into.RegisterActivityWithOptions(body, activity.RegisterOptions{Name: name})
	}
}
