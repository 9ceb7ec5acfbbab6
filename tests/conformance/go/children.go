// Children and other workflows: their errors, their ends, their parents' ends; cancellation with cleaning up.
package main

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Parents runs one child by name and gives back what it gave back; its error is the parent's.
func Parents(ctx workflow.Context, name string, options workflow.ChildWorkflowOptions, arg string) (any, error) {
	var told any
	err := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), name, arg).Get(ctx, &told)
	return told, err
}

// Leaves starts a child and ends before it does.
func Leaves(ctx workflow.Context, id string, policy enumspb.ParentClosePolicy) (string, error) {
	options := workflow.ChildWorkflowOptions{WorkflowID: id, ParentClosePolicy: policy}
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), Ends, "never")
	var started workflow.Execution
	err := child.GetChildWorkflowExecution().Get(ctx, &started)
	return started.RunID, err
}

// SignalsChild sends two values to its child and gives back what the child collected.
func SignalsChild(ctx workflow.Context) ([]string, error) {
	child := workflow.ExecuteChildWorkflow(ctx, Collects)
	for _, value := range []string{"one", "two"} {
		if err := child.SignalChildWorkflow(ctx, "add", value).Get(ctx, nil); err != nil {
			return nil, err
		}
	}
	if err := child.SignalChildWorkflow(ctx, "finish", nil).Get(ctx, nil); err != nil {
		return nil, err
	}
	var values []string
	err := child.Get(ctx, &values)
	return values, err
}

// CancelsChild cancels its child once it runs, and gives back what the child made of that: this SDK always waits for it.
func CancelsChild(ctx workflow.Context) (string, error) {
	inner, cancel := workflow.WithCancel(ctx)
	child := workflow.ExecuteChildWorkflow(inner, CleansUpAfter)
	if err := child.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return "", err
	}
	cancel()
	var told string
	err := child.Get(ctx, &told)
	return told, err
}

// CleansUpAfter waits to be cancelled, and then runs an activity and a timer in a context that is not.
func CleansUpAfter(ctx workflow.Context) (string, error) {
	err := workflow.Sleep(ctx, time.Hour)
	if !errors.Is(ctx.Err(), workflow.ErrCanceled) || !temporal.IsCanceledError(err) {
		return "", errors.New("it was not cancelled")
	}
	own, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := workflow.Sleep(own, 10*time.Millisecond); err != nil {
		return "", err
	}
	own = workflow.WithActivityOptions(own, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	var told string
	err = workflow.ExecuteActivity(own, Echo, "cleaned up").Get(own, &told)
	return told, err
}

// CancelsOther asks for another workflow's cancellation, and tells the type of what it met.
func CancelsOther(ctx workflow.Context, id string) (string, error) {
	err := workflow.RequestCancelExternalWorkflow(ctx, id, "").Get(ctx, nil)
	var unknown *temporal.UnknownExternalWorkflowExecutionError
	if errors.As(err, &unknown) {
		return "unknown", nil
	}
	return "asked", err
}

func init() {
	workflows = append(workflows, Parents, Leaves, SignalsChild, CancelsChild, CleansUpAfter, CancelsOther)

	scenario("child/its result comes back, with all time-outs left out or given", func(t *Bench) {
		given := workflow.ChildWorkflowOptions{WorkflowExecutionTimeout: time.Minute, WorkflowRunTimeout: 30 * time.Second, WorkflowTaskTimeout: 5 * time.Second}
		for _, options := range []workflow.ChildWorkflowOptions{{}, given} {
			run := t.start(Parents, "Returns", options, "x")
			same(t, "the result", "x", result[string](t, run))
			started := ofKind(t.events(run), enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)[0]
			child := started.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution()
			first := t.eventsOf(child.GetWorkflowId(), child.GetRunId())[0].GetWorkflowExecutionStartedEventAttributes()
			same(t, "its parent", run.GetID(), first.GetParentWorkflowExecution().GetWorkflowId())
			same(t, "its time-out", options.WorkflowExecutionTimeout, first.GetWorkflowExecutionTimeout().AsDuration())
			same(t, "its end is set", options.WorkflowExecutionTimeout > 0, first.GetWorkflowExecutionExpirationTime().GetSeconds() > 0)
		}
	})

	scenario("child/its failure, time-out and id in use have Go's types", func(t *Bench) {
		err := t.start(Parents, "Ends", workflow.ChildWorkflowOptions{WorkflowID: t.id()}, "application").Get(t.ctx, nil)
		outer := refused[*temporal.ChildWorkflowExecutionError](t, err)
		same(t, "the child's type", "Ends", outer.WorkflowType())
		same(t, "its failure", "Outer", refused[*temporal.ApplicationError](t, outer).Type())
		err = t.start(Parents, "Ends", workflow.ChildWorkflowOptions{WorkflowRunTimeout: time.Second}, "never").Get(t.ctx, nil)
		refused[*temporal.TimeoutError](t, refused[*temporal.ChildWorkflowExecutionError](t, err))
		other := t.start(Ends, "never")
		err = t.start(Parents, "Ends", workflow.ChildWorkflowOptions{WorkflowID: other.GetID()}, "never").Get(t.ctx, nil)
		same(t, "the type", "ChildWorkflowExecutionAlreadyStartedError", refused[*temporal.ApplicationError](t, err).Type())
		t.need(t.TerminateWorkflow(t.ctx, other.GetID(), "", "seen"))
	})

	scenario("child/ABANDON outlives its parent, TERMINATE and REQUEST_CANCEL do not", func(t *Bench) {
		for _, row := range []struct {
			policy enumspb.ParentClosePolicy
			end    enumspb.WorkflowExecutionStatus
		}{
			{enumspb.PARENT_CLOSE_POLICY_ABANDON, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING},
			{enumspb.PARENT_CLOSE_POLICY_TERMINATE, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED},
			{enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED},
		} {
			id := t.id()
			runID := result[string](t, t.start(Leaves, id, row.policy))
			if row.end != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				t.that(t.GetWorkflow(t.ctx, id, runID).Get(t.ctx, nil) != nil, "%v: it ended well", row.policy)
			}
			told := needed[*client.WorkflowExecutionDescription](t)(t.DescribeWorkflow(t.ctx, id, runID))
			same(t, row.policy.String(), row.end, told.Status)
			if row.end == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				t.need(t.TerminateWorkflow(t.ctx, id, "", "seen"))
			}
		}
	})

	scenario("child/is signalled by its parent", func(t *Bench) {
		same(t, "the values", []string{"one", "two"}, result[[]string](t, t.start(SignalsChild)))
	})

	scenario("child/cancelled by its parent, it cleans up", func(t *Bench) {
		same(t, "the result", "cleaned up", result[string](t, t.start(CancelsChild)))
	})

	scenario("cancel/is cleaned up after in a disconnected context", func(t *Bench) {
		run := t.start(CleansUpAfter)
		t.need(t.CancelWorkflow(t.ctx, run.GetID(), run.GetRunID()))
		t.need(t.CancelWorkflow(t.ctx, run.GetID(), run.GetRunID()))
		same(t, "the result", "cleaned up", result[string](t, run))
		asked := ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
		same(t, "requests in history (B25)", 1, len(asked))
	})

	scenario("cancel/unheeded by the workflow, the run ends as cancelled", func(t *Bench) {
		run := t.start(Ends, "never")
		t.need(t.CancelWorkflow(t.ctx, run.GetID(), ""))
		refused[*temporal.CanceledError](t, run.Get(t.ctx, nil))
	})

	scenario("cancel/of another workflow, and of none", func(t *Bench) {
		other := t.start(Ends, "never")
		same(t, "known", "asked", result[string](t, t.start(CancelsOther, other.GetID())))
		refused[*temporal.CanceledError](t, other.Get(t.ctx, nil))
		same(t, "unknown", "unknown", result[string](t, t.start(CancelsOther, t.id())))
	})
}
