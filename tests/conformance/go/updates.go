// Updates and queries, of open and closed runs.
package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Sums is a sum that updates change: `add` (never below zero), `slowly` by an activity, `fail`; it ends by `finish`,
// when its handlers have ended.
func Sums(ctx workflow.Context, sum int) (int, error) {
	add := func(ctx workflow.Context, value int) (int, error) {
		sum += value
		return sum, nil
	}
	notNegative := func(_ workflow.Context, value int) error {
		if value < 0 {
			return temporal.NewApplicationError("below zero", "Negative", value)
		}
		return nil
	}
	slowly := func(ctx workflow.Context, value int) (string, error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
		if err := workflow.ExecuteActivity(ctx, Pauses, time.Second).Get(ctx, nil); err != nil {
			return "", err
		}
		sum += value
		return workflow.GetCurrentUpdateInfo(ctx).ID, nil
	}
	fail := func(workflow.Context) error { return temporal.NewApplicationError("refused", "Refused", 7) }
	if err := errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, "add", add, workflow.UpdateHandlerOptions{Validator: notNegative}),
		workflow.SetUpdateHandler(ctx, "slowly", slowly),
		workflow.SetUpdateHandler(ctx, "fail", fail),
		workflow.SetQueryHandler(ctx, "sum", func(factor int) (int, error) { return sum * factor, nil }),
		workflow.SetQueryHandler(ctx, "broken", func() (int, error) { return 0, errors.New("no answer") }),
	); err != nil {
		return 0, err
	}
	workflow.SetCurrentDetails(ctx, "summing")
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return sum, err
}

func (t *Bench) update(run client.WorkflowRun, stage client.WorkflowUpdateStage, id, name string, args ...any) (client.WorkflowUpdateHandle, error) {
	return t.UpdateWorkflow(t.ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateID: id, UpdateName: name, Args: args, WaitForStage: stage,
	})
}

// outcome waits for the update's end.
func outcome[V any](t *Bench, handle client.WorkflowUpdateHandle, err error) V {
	t.need(err)
	var value V
	t.need(handle.Get(t.ctx, &value))
	return value
}

func (t *Bench) finish(run client.WorkflowRun, want int) {
	t.signal(run, "finish", nil)
	same(t, "the sum", want, result[int](t, run))
}

func init() {
	workflows = append(workflows, Sums)
	const kAccepted, kCompleted = client.WorkflowUpdateStageAccepted, client.WorkflowUpdateStageCompleted

	scenario("update/is accepted and completed in one task (E12)", func(t *Bench) {
		run := t.start(Sums, 1)
		handle, err := t.update(run, kCompleted, "", "add", 2)
		same(t, "the outcome", 3, outcome[int](t, handle, err))
		t.finish(run, 3)
		joined := strings.Join(kinds(t.events(run)), " ")
		want := "WorkflowTaskCompleted WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateCompleted"
		t.that(strings.Contains(joined, want), "history: %s", joined)
	})

	scenario("update/rejected by its validator leaves nothing in history (E13)", func(t *Bench) {
		run := t.start(Sums, 1)
		same(t, "the sum", 2, query[int](t, run, "sum", 2))
		before := len(t.events(run))
		handle, err := t.update(run, kCompleted, "", "add", -1)
		t.need(err)
		refusal := refused[*temporal.ApplicationError](t, handle.Get(t.ctx, nil))
		same(t, "the refusal", "Negative/below zero", refusal.Type()+"/"+refusal.Message())
		same(t, "events", before, len(t.events(run)))
		t.finish(run, 1)
	})

	scenario("update/an unknown one, and a failing handler, fail the update only", func(t *Bench) {
		run := t.start(Sums, 1)
		handle, err := t.update(run, kCompleted, "", "nonsense")
		t.need(err)
		t.that(strings.Contains(fmt.Sprint(handle.Get(t.ctx, nil)), "unknown update nonsense"), "%v", handle.Get(t.ctx, nil))
		handle, err = t.update(run, kCompleted, "", "fail")
		t.need(err)
		same(t, "the failure", "Refused", refused[*temporal.ApplicationError](t, handle.Get(t.ctx, nil)).Type())
		t.finish(run, 1)
	})

	scenario("update/accepted first, completed later; found again by its id, which is one update (C.8)", func(t *Bench) {
		run := t.start(Sums, 1)
		handle, err := t.update(run, kAccepted, "once", "slowly", 5)
		t.need(err)
		same(t, "its id", "once", handle.UpdateID())
		second, err := t.update(run, kCompleted, "once", "slowly", 5)
		same(t, "the second ask", "once", outcome[string](t, second, err))
		found := t.GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions{WorkflowID: run.GetID(), UpdateID: "once"})
		same(t, "found again", "once", outcome[string](t, found, nil))
		t.finish(run, 6)
	})

	scenario("update/the run waits for its handlers", func(t *Bench) {
		run := t.start(Sums, 1)
		handle, err := t.update(run, kAccepted, "", "slowly", 5)
		t.need(err)
		t.finish(run, 6)
		outcome[string](t, handle, nil)
	})

	scenario("update/with start: a new run, then the running one (C.9)", func(t *Bench) {
		options := t.filled(client.StartWorkflowOptions{})
		options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
		var runs []string
		for _, want := range []int{3, 5} {
			start := t.NewWithStartWorkflowOperation(options, Sums, 1)
			handle, err := t.UpdateWithStartWorkflow(t.ctx, client.UpdateWithStartWorkflowOptions{
				StartWorkflowOperation: start,
				UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "add", Args: []any{2}, WaitForStage: kCompleted},
			})
			same(t, "the outcome", want, outcome[int](t, handle, err))
			runs = append(runs, needed[client.WorkflowRun](t)(start.Get(t.ctx)).GetRunID())
		}
		same(t, "the run", runs[0], runs[1])
		t.finish(t.GetWorkflow(t.ctx, options.ID, ""), 5)
	})

	scenario("update/with start: a running id is refused when the policy says so", func(t *Bench) {
		run := t.start(Sums, 1)
		options := t.filled(client.StartWorkflowOptions{ID: run.GetID(), WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL})
		start := t.NewWithStartWorkflowOperation(options, Sums, 1)
		_, err := t.UpdateWithStartWorkflow(t.ctx, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: start,
			UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "add", Args: []any{2}, WaitForStage: kCompleted},
		})
		refused[*serviceerror.WorkflowExecutionAlreadyStarted](t, err)
		t.finish(run, 1)
	})

	scenario("update/a closed and an unknown run refuse it", func(t *Bench) {
		run := t.start(Sums, 1)
		t.finish(run, 1)
		_, err := t.update(run, kCompleted, "", "add", 1)
		refused[*serviceerror.NotFound](t, err)
		_, err = t.update(t.GetWorkflow(t.ctx, t.id(), ""), kCompleted, "", "add", 1)
		refused[*serviceerror.NotFound](t, err)
	})

	scenario("query/arguments, an unknown name, a failing handler", func(t *Bench) {
		run := t.start(Sums, 4)
		same(t, "the product", 12, query[int](t, run, "sum", 3))
		_, err := t.QueryWorkflow(t.ctx, run.GetID(), "", "nonsense")
		words := refused[*serviceerror.QueryFailed](t, err).Error()
		t.that(strings.Contains(words, "unknown queryType nonsense"), "the words: %s", words)
		_, err = t.QueryWorkflow(t.ctx, run.GetID(), "", "broken")
		same(t, "the words", "no answer", refused[*serviceerror.QueryFailed](t, err).Error())
		t.finish(run, 4)
	})

	scenario("query/a closed run is replayed for it, by a worker that never saw it", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		t.withWorker(queue, worker.Options{}, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Sums, 1)
			handle, err := t.update(run, kCompleted, "", "slowly", 2)
			outcome[string](t, handle, err)
			t.finish(run, 3)
		})
		kill := t.workerProcess(queue)
		defer kill()
		same(t, "the sum", 30, query[int](t, run, "sum", 10))
	})

	scenario("query/a reject condition is obeyed", func(t *Bench) {
		run := t.start(Sums, 4)
		ask := func(condition enumspb.QueryRejectCondition) *querypb.QueryRejected {
			request := &client.QueryWorkflowWithOptionsRequest{WorkflowID: run.GetID(), QueryType: "sum", Args: []any{1}, QueryRejectCondition: condition}
			return needed[*client.QueryWorkflowWithOptionsResponse](t)(t.QueryWorkflowWithOptions(t.ctx, request)).QueryRejected
		}
		t.that(ask(enumspb.QUERY_REJECT_CONDITION_NOT_OPEN) == nil, "an open run rejected it")
		t.finish(run, 4)
		same(t, "the status", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, ask(enumspb.QUERY_REJECT_CONDITION_NOT_OPEN).GetStatus())
		t.that(ask(enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY) == nil, "a run completed cleanly rejected it")
	})

	scenario("query/stack trace and metadata are there", func(t *Bench) {
		run := t.start(Sums, 4)
		stack := query[string](t, run, client.QueryTypeStackTrace)
		t.that(strings.Contains(stack, "Sums"), "the stack: %s", stack)
		words := query[*sdkpb.WorkflowMetadata](t, run, "__temporal_workflow_metadata").String()
		t.that(strings.Contains(words, "slowly") && strings.Contains(words, "summing"), "the metadata: %s", words)
		t.finish(run, 4)
	})
}
