// Starting and following: ids and policies, delays, chains of runs, and the errors that Get gives back.
package main

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Returns gives back what it was given.
func Returns(_ workflow.Context, text string) (string, error) { return text, nil }

// OneStep gives back what its one activity gave back.
func OneStep(ctx workflow.Context, text string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	var told string
	err := workflow.ExecuteActivity(ctx, Echo, text).Get(ctx, &told)
	return told, err
}

// CountsDown is n+1 runs.
func CountsDown(ctx workflow.Context, n, runs int) (int, error) {
	if n > 0 {
		return 0, workflow.NewContinueAsNewError(ctx, CountsDown, n-1, runs+1)
	}
	return runs + 1, nil
}

// FailsUntil fails in each attempt before the given one.
func FailsUntil(ctx workflow.Context, attempt int) (int, error) {
	now := int(workflow.GetInfo(ctx).Attempt)
	if now < attempt {
		return 0, temporal.NewApplicationError(fmt.Sprintf("attempt %d", now), "TooEarly")
	}
	return now, nil
}

// CountsByCron adds one to the last run's result, and ends the chain as cancelled at three.
func CountsByCron(ctx workflow.Context) (int, error) {
	count := 0
	if workflow.HasLastCompletionResult(ctx) {
		if err := workflow.GetLastCompletionResult(ctx, &count); err != nil {
			return 0, err
		}
	}
	if count == 2 {
		return 0, temporal.NewCanceledError("counted to", count)
	}
	return count + 1, nil
}

// Ends ends in the way it is told.
func Ends(ctx workflow.Context, how string) error {
	switch how {
	case "application":
		cause := temporal.NewApplicationError("inner", "Inner", 7)
		return temporal.NewNonRetryableApplicationError("outer", "Outer", cause, "detail", 42)
	case "plain":
		return errors.New("no type of its own")
	case "timeout":
		return temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, errors.New("too slow"))
	case "canceled":
		return temporal.NewCanceledError("by itself")
	default:
		return workflow.Sleep(ctx, time.Hour)
	}
}

func init() {
	workflows = append(workflows, Returns, OneStep, CountsDown, FailsUntil, CountsByCron, Ends)

	scenario("start/an id in use attaches to its run, or is refused when asked so (A11)", func(t *Bench) {
		first := t.start(Ends, "never")
		options := t.filled(client.StartWorkflowOptions{ID: first.GetID()})
		same(t, "the run", first.GetRunID(), t.startWith(options, Ends, "never").GetRunID())
		options.WorkflowExecutionErrorWhenAlreadyStarted = true
		_, err := t.ExecuteWorkflow(t.ctx, options, Ends, "never")
		same(t, "the run in the refusal", first.GetRunID(), refused[*serviceerror.WorkflowExecutionAlreadyStarted](t, err).RunId)
		t.need(t.TerminateWorkflow(t.ctx, first.GetID(), "", "seen"))
	})

	scenario("start/conflict policies: the running run, or its end (C5, C6)", func(t *Bench) {
		first := t.start(Ends, "never")
		options := client.StartWorkflowOptions{ID: first.GetID(), WorkflowExecutionErrorWhenAlreadyStarted: true}
		options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
		same(t, "the run", first.GetRunID(), t.startWith(options, Returns, "x").GetRunID())
		options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
		second := t.startWith(options, Returns, "x")
		same(t, "the second's result", "x", result[string](t, second))
		refused[*temporal.TerminatedError](t, t.GetWorkflow(t.ctx, first.GetID(), first.GetRunID()).Get(t.ctx, nil))
	})

	scenario("start/reuse policies of a closed id (C3)", func(t *Bench) {
		failed := t.start(Ends, "plain")
		refused[*temporal.ApplicationError](t, failed.Get(t.ctx, nil))
		options := client.StartWorkflowOptions{ID: failed.GetID(), WorkflowExecutionErrorWhenAlreadyStarted: true}
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
		same(t, "after a failure", "x", result[string](t, t.startWith(options, Returns, "x")))
		_, err := t.ExecuteWorkflow(t.ctx, t.filled(options), Returns, "x")
		refused[*serviceerror.WorkflowExecutionAlreadyStarted](t, err)
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
		_, err = t.ExecuteWorkflow(t.ctx, t.filled(options), Returns, "x")
		refused[*serviceerror.WorkflowExecutionAlreadyStarted](t, err)
	})

	scenario("start/a start delay holds the first task back, with a signal too (C10)", func(t *Bench) {
		began := time.Now()
		delayed := t.startWith(client.StartWorkflowOptions{StartDelay: 2 * time.Second}, Returns, "late")
		signalled := t.startWith(client.StartWorkflowOptions{StartDelay: 2 * time.Second}, Collects)
		t.signal(signalled, "finish", nil)
		same(t, "the signalled run's result", []string(nil), result[[]string](t, signalled))
		t.that(time.Since(began) >= 2*time.Second, "the signalled run ended after %v", time.Since(began))
		same(t, "the delayed run's result", "late", result[string](t, delayed))
		t.that(time.Since(began) >= 2*time.Second, "it ended after %v", time.Since(began))
		attributes := t.events(delayed)[0].GetWorkflowExecutionStartedEventAttributes()
		same(t, "the backoff", 2*time.Second, attributes.GetFirstWorkflowTaskBackoff().AsDuration())
	})

	scenario("start/an eager start runs, whoever takes its first task", func(t *Bench) {
		queue := t.id()
		t.withWorker(queue, worker.Options{}, func() {
			for range 10 {
				run := t.startWith(client.StartWorkflowOptions{TaskQueue: queue, EnableEagerStart: true}, OneStep, "x")
				same(t, "the result", "x", result[string](t, run))
			}
		})
	})

	scenario("start/summary and details are described", func(t *Bench) {
		run := t.startWith(client.StartWorkflowOptions{StaticSummary: "one line", StaticDetails: "more\nlines"}, Returns, "x")
		result[string](t, run)
		told := needed[*client.WorkflowExecutionDescription](t)(t.DescribeWorkflow(t.ctx, run.GetID(), ""))
		same(t, "the summary", "one line", needed[string](t)(told.GetStaticSummary()))
		same(t, "the details", "more\nlines", needed[string](t)(told.GetStaticDetails()))
		same(t, "the status", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, told.Status)
	})

	scenario("chain/Get follows continue-as-new, or stops at it when asked (A12, E11)", func(t *Bench) {
		first := t.start(CountsDown, 3, 0)
		id, runID := first.GetID(), first.GetRunID()
		same(t, "runs", 4, result[int](t, first))
		err := t.GetWorkflow(t.ctx, id, runID).GetWithOptions(t.ctx, nil, client.WorkflowRunGetOptions{DisableFollowingRuns: true})
		refused[*workflow.ContinueAsNewError](t, err)
		same(t, "the last run is the current one", 4, result[int](t, t.GetWorkflow(t.ctx, id, "")))
		described := needed[*client.WorkflowExecutionDescription](t)(t.DescribeWorkflow(t.ctx, id, ""))
		started := t.eventsOf(id, described.WorkflowExecution.RunID)[0].GetWorkflowExecutionStartedEventAttributes()
		same(t, "the first run of the chain", runID, started.GetFirstExecutionRunId())
	})

	scenario("chain/Get follows the retries of a workflow (A12, E18)", func(t *Bench) {
		retry := &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond, MaximumAttempts: 5}
		run := t.startWith(client.StartWorkflowOptions{RetryPolicy: retry}, FailsUntil, 3)
		id, first := run.GetID(), run.GetRunID()
		same(t, "the attempt", 3, result[int](t, run))
		events := t.eventsOf(id, first)
		failed := events[len(events)-1].GetWorkflowExecutionFailedEventAttributes()
		same(t, "the first attempt's failure", "attempt 1", failed.GetFailure().GetMessage())
		t.that(failed.GetNewExecutionRunId() != "", "the first attempt names no next run")
	})

	scenario("chain/a cron goes on with its last result until it is cancelled (E18)", func(t *Bench) {
		run := t.startWith(client.StartWorkflowOptions{CronSchedule: "@every 1s"}, CountsByCron)
		err := run.Get(t.ctx, nil)
		var words string
		var count int
		t.need(refused[*temporal.CanceledError](t, err).Details(&words, &count))
		same(t, "counted to", 2, count)
	})

	scenario("error/an application error keeps type, details and cause", func(t *Bench) {
		err := t.start(Ends, "application").Get(t.ctx, nil)
		refused[*temporal.WorkflowExecutionError](t, err)
		outer := refused[*temporal.ApplicationError](t, err)
		var word string
		var number int
		t.need(outer.Details(&word, &number))
		same(t, "the outer", "Outer/outer/detail/42/true", fmt.Sprintf("%s/%s/%s/%d/%v", outer.Type(), outer.Message(), word, number, outer.NonRetryable()))
		inner := refused[*temporal.ApplicationError](t, errors.Unwrap(outer))
		t.need(inner.Details(&number))
		same(t, "the inner", "Inner/inner/7/false", fmt.Sprintf("%s/%s/%d/%v", inner.Type(), inner.Message(), number, inner.NonRetryable()))
	})

	scenario("error/plain, time-out, cancelled and terminated ends have types of their own", func(t *Bench) {
		same(t, "a plain error's type", "", refused[*temporal.ApplicationError](t, t.start(Ends, "plain").Get(t.ctx, nil)).Type())
		timeout := refused[*temporal.TimeoutError](t, t.start(Ends, "timeout").Get(t.ctx, nil))
		same(t, "its own time-out", enumspb.TIMEOUT_TYPE_START_TO_CLOSE, timeout.TimeoutType())
		refused[*temporal.CanceledError](t, t.start(Ends, "canceled").Get(t.ctx, nil))
		run := t.startWith(client.StartWorkflowOptions{WorkflowRunTimeout: time.Second}, Ends, "never")
		same(t, "the run's time-out", enumspb.TIMEOUT_TYPE_START_TO_CLOSE, refused[*temporal.TimeoutError](t, run.Get(t.ctx, nil)).TimeoutType())
	})

	scenario("terminate/ends a run with reason and details, once", func(t *Bench) {
		run := t.start(Ends, "never")
		t.need(t.TerminateWorkflow(t.ctx, run.GetID(), run.GetRunID(), "enough", "detail", 1))
		refused[*temporal.TerminatedError](t, run.Get(t.ctx, nil))
		events := t.events(run)
		told := events[len(events)-1].GetWorkflowExecutionTerminatedEventAttributes()
		same(t, "the reason", "enough", told.GetReason())
		same(t, "the number of details", 2, len(told.GetDetails().GetPayloads()))
		refused[*serviceerror.NotFound](t, t.TerminateWorkflow(t.ctx, run.GetID(), run.GetRunID(), "again"))
	})
}
