// Histories: followed as they grow, replayed by the SDK, cut off by a reset.
package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// replayer knows all workflows of the suite.
func replayer() worker.WorkflowReplayer {
	made := worker.NewWorkflowReplayer()
	for _, function := range workflows {
		made.RegisterWorkflow(function)
	}
	return made
}

func quiet() log.Logger {
	return log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// historyJSON is the history as the `temporal` command line and other languages' tools write it.
func historyJSON(events []*historypb.HistoryEvent) ([]byte, error) {
	return temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&historypb.History{Events: events})
}

func init() {
	scenario("history/a downloaded one is replayed from its file", func(t *Bench) {
		run := t.start(Sums, 1)
		handle, err := t.update(run, client.WorkflowUpdateStageCompleted, "", "slowly", 2)
		outcome[string](t, handle, err)
		t.finish(run, 3)
		text, err := historyJSON(t.events(run))
		t.need(err)
		file := os.Getenv("CONFORMANCE_SCRATCH") + "/" + t.id() + ".json"
		t.need(os.WriteFile(file, text, 0o600))
		t.need(replayer().ReplayWorkflowHistoryFromJSONFile(quiet(), file))
	})

	scenario("history/is fetched and replayed by its run; other code is told apart (B12)", func(t *Bench) {
		queue := t.id()
		var run client.WorkflowRun
		t.withRelease(queue, worker.Options{}, firstRelease, func() {
			run = t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, released)
			t.signal(run, "finish", nil)
			same(t, "the result", "first", result[string](t, run))
		})
		replay := func(code any) error {
			made := worker.NewWorkflowReplayer()
			made.RegisterWorkflowWithOptions(code, workflow.RegisterOptions{Name: released})
			own := workflow.Execution{ID: run.GetID(), RunID: run.GetRunID()}
			return made.ReplayWorkflowExecution(t.ctx, t.WorkflowService(), quiet(), t.house.namespace, own)
		}
		t.need(replay(firstRelease))
		t.need(replay(secondRelease))
		err := replay(otherRelease)
		t.that(err != nil && strings.Contains(err.Error(), "TMPRL1100"), "other code: %v", err)
	})

	scenario("history/is followed by a long poll while it grows (C32)", func(t *Bench) {
		run := t.start(Collects)
		pages := t.GetWorkflowHistory(t.ctx, run.GetID(), run.GetRunID(), true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var seen []*historypb.HistoryEvent
		sent := 0
		for pages.HasNext() {
			event := needed[*historypb.HistoryEvent](t)(pages.Next())
			seen = append(seen, event)
			if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED && sent < 4 {
				t.signal(run, map[bool]string{true: "add", false: "finish"}[sent < 3], "x")
				sent++
			}
		}
		for at, event := range seen {
			same(t, "the event's id", int64(at+1), event.GetEventId())
		}
		same(t, "the last event", enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, seen[len(seen)-1].GetEventType())
		same(t, "read again", kinds(t.events(run)), kinds(seen))
	})

	scenario("history/the close event comes when it comes, and none before (A10, C33)", func(t *Bench) {
		run := t.start(Collects)
		short, cancel := context.WithTimeout(t.ctx, kThrottle*10)
		defer cancel()
		err := t.GetWorkflow(t.ctx, run.GetID(), "").Get(short, nil)
		t.that(err != nil, "it ended before its end")
		ended := make(chan error, 1)
		go func() { ended <- t.GetWorkflow(t.ctx, run.GetID(), "").Get(t.ctx, nil) }()
		t.signal(run, "finish", nil)
		t.need(<-ended)
		pages := t.GetWorkflowHistory(t.ctx, run.GetID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
		same(t, "the close event", enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, needed[*historypb.HistoryEvent](t)(pages.Next()).GetEventType())
		same(t, "more", false, pages.HasNext())
	})

	scenario("history/pages of batches make the whole (C31)", func(t *Bench) {
		run := t.start(OneStep, "x")
		result[string](t, run)
		whole := t.events(run)
		request := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: t.house.namespace, Execution: execution(run), MaximumPageSize: 1}
		var paged []*historypb.HistoryEvent
		for {
			page := needed[*workflowservice.GetWorkflowExecutionHistoryResponse](t)(t.WorkflowService().GetWorkflowExecutionHistory(t.ctx, request))
			paged = append(paged, page.GetHistory().GetEvents()...)
			request.NextPageToken = page.GetNextPageToken()
			if len(request.NextPageToken) == 0 {
				break
			}
		}
		first, err := historyJSON(whole)
		t.need(err)
		second, err := historyJSON(paged)
		t.need(err)
		t.that(bytes.Equal(first, second), "whole: %v, paged: %v", kinds(whole), kinds(paged))
	})

	scenario("reset/a run goes on from an earlier task, its later signals are there again (E14)", func(t *Bench) {
		run := t.start(Collects)
		same(t, "no values", []string(nil), query[[]string](t, run, "values"))
		t.signal(run, "add", "again")
		same(t, "one value", []string{"again"}, query[[]string](t, run, "values"))
		request := &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: t.house.namespace, WorkflowExecution: execution(run), Reason: "once more",
			RequestId: t.id(), WorkflowTaskFinishEventId: 4, ResetReapplyType: enumspb.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
		}
		told := needed[*workflowservice.ResetWorkflowExecutionResponse](t)(t.ResetWorkflowExecution(t.ctx, request))
		refused[*temporal.TerminatedError](t, t.GetWorkflow(t.ctx, run.GetID(), run.GetRunID()).Get(t.ctx, nil))
		young := t.GetWorkflow(t.ctx, run.GetID(), told.GetRunId())
		t.need(t.SignalWorkflow(t.ctx, run.GetID(), "", "finish", nil))
		same(t, "the values", []string{"again"}, result[[]string](t, young))
		t.need(replayer().ReplayWorkflowHistory(quiet(), &historypb.History{Events: t.events(young)}))
	})
}
