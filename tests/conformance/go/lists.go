// Lists, counts, scans, search attributes, memo, task queues: what a Go client asks about what is there.
package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	filterpb "go.temporal.io/api/filter/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

var (
	kKeyword  = temporal.NewSearchAttributeKeyKeyword("CustomKeywordField")
	kText     = temporal.NewSearchAttributeKeyString("CustomStringField")
	kInt      = temporal.NewSearchAttributeKeyInt64("CustomIntField")
	kDouble   = temporal.NewSearchAttributeKeyFloat64("CustomDoubleField")
	kBool     = temporal.NewSearchAttributeKeyBool("CustomBoolField")
	kTime     = temporal.NewSearchAttributeKeyTime("CustomDatetimeField")
	kKeywords = temporal.NewSearchAttributeKeyKeywordList("CustomKeywordListField")
)

var kNoon = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)

// Attributes reads its typed attributes, changes one and takes one away, and changes its memo.
func Attributes(ctx workflow.Context) (string, error) {
	own := workflow.GetTypedSearchAttributes(ctx)
	number, _ := own.GetInt64(kInt)
	at, _ := own.GetTime(kTime)
	list, _ := own.GetKeywordList(kKeywords)
	if err := workflow.UpsertTypedSearchAttributes(ctx, kInt.ValueSet(number+1), kBool.ValueUnset()); err != nil {
		return "", err
	}
	if err := workflow.UpsertMemo(ctx, map[string]any{"second": 2, "first": nil}); err != nil {
		return "", err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return fmt.Sprintf("%d %s %v", number, at.Format(time.RFC3339), list), nil
}

// found lists until as many runs came as wanted, and gives back their ids in order of starting.
func (t *Bench) found(query string, want int) []string {
	told := until(t, func() ([]*workflowpb.WorkflowExecutionInfo, error) {
		page, err := t.ListWorkflow(t.ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		return page.GetExecutions(), err
	}, func(rows []*workflowpb.WorkflowExecutionInfo) bool { return len(rows) == want })
	var ids []string
	for _, row := range slices.Backward(told) {
		ids = append(ids, row.GetExecution().GetWorkflowId())
	}
	return ids
}

func init() {
	workflows = append(workflows, Attributes)

	scenario("list/typed search attributes: set, changed, taken away, found (C.13)", func(t *Bench) {
		keyword := t.id()
		attributes := temporal.NewSearchAttributes(kKeyword.ValueSet(keyword), kText.ValueSet("some words here"), kInt.ValueSet(41),
			kDouble.ValueSet(2.5), kBool.ValueSet(true), kTime.ValueSet(kNoon), kKeywords.ValueSet([]string{"a", "b"}))
		memo := map[string]any{"first": 1, "kept": "yes"}
		run := t.startWith(client.StartWorkflowOptions{TypedSearchAttributes: attributes, Memo: memo}, Attributes)
		t.signal(run, "finish", nil)
		same(t, "what the workflow read", "41 2024-05-06T12:00:00Z [a b]", result[string](t, run))
		own := fmt.Sprintf("CustomKeywordField = '%s'", keyword)
		for _, filter := range []string{"CustomIntField = 42", "CustomStringField = 'words'", "CustomDoubleField > 2.4", "CustomBoolField IS NULL",
			"CustomDatetimeField < '2024-05-06T13:00:00Z'", "CustomKeywordListField = 'b'", "ExecutionStatus = 'Completed'", "WorkflowType = 'Attributes'"} {
			same(t, filter, []string{run.GetID()}, t.found(own+" AND "+filter, 1))
		}
		t.found(own+" AND CustomIntField = 41", 0)
		told := needed[*client.WorkflowExecutionDescription](t)(t.DescribeWorkflow(t.ctx, run.GetID(), ""))
		number, _ := told.TypedSearchAttributes.GetInt64(kInt)
		same(t, "the number described", 42, number)
		same(t, "the memo", "kept=\"yes\" second=2", memoText(told.Memo))
	})

	scenario("list/pages, a scan, open and closed ones, counts by status", func(t *Bench) {
		keyword := t.id()
		options := client.StartWorkflowOptions{TypedSearchAttributes: temporal.NewSearchAttributes(kKeyword.ValueSet(keyword))}
		var started []string
		for at := range 5 {
			run := t.startWith(options, Ends, map[bool]string{true: "never", false: "plain"}[at < 2])
			started = append(started, run.GetID())
			if at >= 2 {
				t.that(run.Get(t.ctx, nil) != nil, "it ended well")
			}
		}
		own := fmt.Sprintf("CustomKeywordField = '%s'", keyword)
		t.found(own+" AND ExecutionStatus = 'Failed'", 3)
		t.found(own, 5)
		request := &workflowservice.ListWorkflowExecutionsRequest{Query: own, PageSize: 2}
		var paged []string
		for pages := 1; ; pages++ {
			page := needed[*workflowservice.ListWorkflowExecutionsResponse](t)(t.ListWorkflow(t.ctx, request))
			for _, row := range page.GetExecutions() {
				paged = append(paged, row.GetExecution().GetWorkflowId())
			}
			request.NextPageToken = page.GetNextPageToken()
			if len(request.NextPageToken) == 0 {
				break
			}
			t.that(pages < 5, "too many pages")
		}
		slices.Sort(paged)
		slices.Sort(started)
		same(t, "paged", started, paged)
		//lint:ignore SA1019 the deprecated call is what this asks for
		scanned := needed[*workflowservice.ScanWorkflowExecutionsResponse](t)(t.ScanWorkflow(t.ctx, &workflowservice.ScanWorkflowExecutionsRequest{Query: own}))
		same(t, "scanned", 5, len(scanned.GetExecutions()))
		counted := needed[*workflowservice.CountWorkflowExecutionsResponse](t)(
			t.CountWorkflow(t.ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: own + " GROUP BY ExecutionStatus"}))
		groups := map[string]int64{}
		for _, group := range counted.GetGroups() {
			groups[text(group.GetGroupValues()[0])] = group.GetCount()
		}
		same(t, "counted", map[string]int64{"Running": 2, "Failed": 3}, groups)
		one := &filterpb.WorkflowExecutionFilter{WorkflowId: started[0]}
		open := needed[*workflowservice.ListOpenWorkflowExecutionsResponse](t)(t.ListOpenWorkflow(t.ctx, &workflowservice.ListOpenWorkflowExecutionsRequest{
			Filters: &workflowservice.ListOpenWorkflowExecutionsRequest_ExecutionFilter{ExecutionFilter: one}}))
		closed := needed[*workflowservice.ListClosedWorkflowExecutionsResponse](t)(t.ListClosedWorkflow(t.ctx, &workflowservice.ListClosedWorkflowExecutionsRequest{
			Filters: &workflowservice.ListClosedWorkflowExecutionsRequest_ExecutionFilter{ExecutionFilter: one}}))
		same(t, "open and closed", "1 0", fmt.Sprintf("%d %d", len(open.GetExecutions()), len(closed.GetExecutions())))
		for _, id := range started[:2] {
			t.need(t.TerminateWorkflow(t.ctx, id, "", "seen"))
		}
	})

	scenario("list/a bad filter is refused (C.13)", func(t *Bench) {
		_, err := t.ListWorkflow(t.ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "NoSuchField = 1"})
		refused[*serviceerror.InvalidArgument](t, err)
		_, err = t.CountWorkflow(t.ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowId ="})
		refused[*serviceerror.InvalidArgument](t, err)
	})

	scenario("list/the search attributes there are", func(t *Bench) {
		//lint:ignore SA1019 the deprecated call is what this asks for
		told := needed[*workflowservice.GetSearchAttributesResponse](t)(t.GetSearchAttributes(t.ctx))
		same(t, "one of the system's", enumspb.INDEXED_VALUE_TYPE_KEYWORD, told.GetKeys()["WorkflowType"])
		custom := needed[*operatorservice.ListSearchAttributesResponse](t)(
			t.OperatorService().ListSearchAttributes(t.ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.house.namespace}))
		same(t, "one of our own", enumspb.INDEXED_VALUE_TYPE_INT, custom.GetCustomAttributes()["CustomIntField"])
	})

	scenario("task queue/its pollers are described", func(t *Bench) {
		queue := t.id()
		t.withWorker(queue, worker.Options{Identity: "the poller"}, func() {
			told := until(t, func() (*workflowservice.DescribeTaskQueueResponse, error) {
				return t.DescribeTaskQueue(t.ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
			}, func(told *workflowservice.DescribeTaskQueueResponse) bool { return len(told.GetPollers()) > 0 })
			same(t, "the poller", "the poller", told.GetPollers()[0].GetIdentity())
		})
	})

	scenario("task queue/described in the enhanced way: backlog, then pollers", func(t *Bench) {
		queue := t.id()
		for range 3 {
			t.startWith(client.StartWorkflowOptions{TaskQueue: queue}, Returns, "x")
		}
		kinds := []client.TaskQueueType{client.TaskQueueTypeWorkflow}
		describe := func() (client.TaskQueueTypeInfo, error) {
			told, err := t.DescribeTaskQueueEnhanced(t.ctx, client.DescribeTaskQueueEnhancedOptions{
				TaskQueue: queue, TaskQueueTypes: kinds, ReportPollers: true, ReportStats: true,
			})
			//lint:ignore SA1019 the unversioned queue is told here
			return told.VersionsInfo[""].TypesInfo[client.TaskQueueTypeWorkflow], err
		}
		backlog := func(info client.TaskQueueTypeInfo) bool {
			return info.Stats != nil && info.Stats.ApproximateBacklogCount == 3
		}
		t.that(len(until(t, describe, backlog).Pollers) == 0, "nobody polls yet")
		t.withWorker(queue, worker.Options{Identity: "the poller"}, func() {
			until(t, describe, func(info client.TaskQueueTypeInfo) bool {
				return info.Stats != nil && info.Stats.ApproximateBacklogCount == 0 && len(info.Pollers) > 0 && info.Pollers[0].Identity == "the poller"
			})
		})
	})

	scenario("system/health and the service's methods are there (A3)", func(t *Bench) {
		needed[*client.CheckHealthResponse](t)(t.CheckHealth(t.ctx, &client.CheckHealthRequest{}))
		info := needed[*workflowservice.GetSystemInfoResponse](t)(t.WorkflowService().GetSystemInfo(t.ctx, &workflowservice.GetSystemInfoRequest{}))
		t.that(info.GetCapabilities().GetSdkMetadata(), "no SDK metadata")
		t.that(strings.HasPrefix(info.GetServerVersion(), "1."), "the version: %s", info.GetServerVersion())
	})
}

func text(payload *commonpb.Payload) string {
	var value string
	if err := converter.GetDefaultDataConverter().FromPayload(payload, &value); err != nil {
		return err.Error()
	}
	return value
}

// memoText is the memo as `key=JSON`, sorted.
func memoText(memo *commonpb.Memo) string {
	var words []string
	for key, payload := range memo.GetFields() {
		words = append(words, fmt.Sprintf("%s=%s", key, payload.GetData()))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
