// The driver of the kitchen sink: it sends the next step only when the sink is at rest, so the order of events is the
// program's alone.
package main

import (
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

const kKitchenSink = "kitchen-sink"

// driver gates one run of the sink. `want` counts the events that were named so far, by kind.
type driver struct {
	t     *Bench
	runID string
	holds holds
	want  map[string]int
}

// kitchenAct is what the driver does once step n was sent, up to the sink's rest.
type kitchenAct struct {
	n  int
	do func(own *driver)
}

func (own *driver) run(acts []kitchenAct) {
	own.want = map[string]int{}
	for at, act := range acts {
		if at > 0 {
			own.send(kKitchenSink, "step", act.n)
		}
		if act.do != nil {
			act.do(own)
		}
		own.rest(act.n)
	}
}

func (own *driver) send(id, name string, value any) {
	own.t.need(own.t.SignalWorkflow(own.t.ctx, id, "", name, value))
}

func (own *driver) finish(label string) { own.send(kKitchenSink+"-"+label, "finish", nil) }

// saw waits until the sink's history has one more event of each kind than was waited for before.
func (own *driver) saw(wanted ...string) {
	for _, kind := range wanted {
		own.want[kind]++
		own.has(kKitchenSink, own.runID, kind, own.want[kind])
	}
}

func (own *driver) has(id, runID, kind string, times int) {
	until(own.t, func() (int, error) {
		count := 0
		for _, each := range kinds(own.t.eventsOf(id, runID)) {
			if each == kind {
				count++
			}
		}
		return count, nil
	}, func(count int) bool { return count >= times })
}

// rest waits until the sink did step n and no task of its is under way.
func (own *driver) rest(n int) {
	run := own.t.GetWorkflow(own.t.ctx, kKitchenSink, own.runID)
	until(own.t, func() (int, error) { return query[int](own.t, run, "at"), nil }, func(at int) bool { return at == n })
	own.idle(kKitchenSink, own.runID)
}

func (own *driver) idle(id, runID string) {
	until(own.t, func() (string, error) {
		all := kinds(own.t.eventsOf(id, runID))
		return all[len(all)-1], nil
	}, func(last string) bool { return last != "WorkflowTaskScheduled" && last != "WorkflowTaskStarted" })
}

// began waits for the start of a child and for its first task.
func (own *driver) began(label string) {
	own.saw("ChildWorkflowExecutionStarted")
	own.childHas(label, "WorkflowTaskCompleted", 1)
}

func (own *driver) childHas(label, kind string, times int) {
	id := kKitchenSink + "-" + label
	own.has(id, "", kind, times)
	own.idle(id, "")
}

func waitsFor(wanted ...string) func(*driver) {
	return func(own *driver) { own.saw(wanted...) }
}

func runsHeld(label string) func(*driver) {
	return func(own *driver) {
		select {
		case <-own.holds["running "+label]:
		case <-own.t.ctx.Done():
			own.t.fail("held(%s) never ran", label)
		}
	}
}

func releases(label string) func(*driver) {
	return func(own *driver) {
		own.saw("ActivityTaskCancelRequested")
		close(own.holds["release "+label])
		own.saw("ActivityTaskCanceled")
	}
}

func firstActs() []kitchenAct {
	return []kitchenAct{
		{1, nil},
		{2, waitsFor("ActivityTaskCompleted")},
		{3, waitsFor("ActivityTaskCompleted")},
		{4, waitsFor("ActivityTaskFailed")},
		{5, runsHeld("try")},
		{6, releases("try")},
		{7, runsHeld("wait")},
		{8, releases("wait")},
		{11, nil},
		{12, waitsFor("MarkerRecorded")},
		{13, waitsFor("MarkerRecorded")},
		{14, waitsFor("TimerFired", "MarkerRecorded")},
		{15, waitsFor("TimerFired")},
		{16, waitsFor("TimerStarted")},
		{17, waitsFor("TimerCanceled")},
		{18, waitsFor("TimerFired")},
		{19, func(own *driver) {
			own.has(kKitchenSink, own.runID, "TimerStarted", 5)
			own.idle(kKitchenSink, own.runID)
			own.send(kKitchenSink, "open", nil) // this SDK leaves the timer as it is
		}},
		{20, func(own *driver) {
			own.began("done")
			own.idle(kKitchenSink, own.runID)
			own.finish("done")
			own.saw("ChildWorkflowExecutionCompleted")
		}},
		{23, func(own *driver) { own.began("wait") }},
		{24, func(own *driver) {
			own.saw("ExternalWorkflowExecutionCancelRequested")
			own.childHas("wait", "WorkflowExecutionCancelRequested", 1)
			own.idle(kKitchenSink, own.runID)
			own.finish("wait")
			own.saw("ChildWorkflowExecutionCanceled")
		}},
		{29, waitsFor("StartChildWorkflowExecutionFailed")},
		{30, func(own *driver) {
			own.saw("ExternalWorkflowExecutionSignaled")
			own.childHas("target", "WorkflowExecutionSignaled", 1)
		}},
		{31, waitsFor("SignalExternalWorkflowExecutionFailed")},
		{32, func(own *driver) {
			own.saw("ExternalWorkflowExecutionCancelRequested")
			own.childHas("target", "WorkflowExecutionCancelRequested", 1)
			own.finish("target")
		}},
		{33, waitsFor("RequestCancelExternalWorkflowExecutionFailed")},
		{34, (*driver).updates},
		{35, func(own *driver) {
			run := own.t.GetWorkflow(own.t.ctx, kKitchenSink, own.runID)
			own.rest(35) // before the first note; `at` does not tell when a note was taken
			for at, note := range []string{"a", "b"} {
				own.send(kKitchenSink, "note", note)
				until(own.t, func() ([]string, error) { return query[[]string](own.t, run, "notes"), nil },
					func(notes []string) bool { return slices.Equal(notes, []string{"a", "b"}[:at+1]) })
				own.idle(kKitchenSink, own.runID)
			}
		}},
	}
}

func (own *driver) updates() {
	t, run := own.t, own.t.GetWorkflow(own.t.ctx, kKitchenSink, own.runID)
	own.rest(34)
	handle, err := t.update(run, client.WorkflowUpdateStageCompleted, "add-5", "add", 5)
	same(t, "the outcome", 5, outcome[int](t, handle, err))
	own.rest(34)
	handle, err = t.update(run, client.WorkflowUpdateStageCompleted, "add-less", "add", -1)
	t.need(err)
	t.that(handle.Get(t.ctx, nil) != nil, "it was not rejected")
	own.rest(34)
	handle, err = t.update(run, client.WorkflowUpdateStageAccepted, "later", "later")
	t.need(err)
	own.rest(34)
	own.send(kKitchenSink, "settle", nil)
	same(t, "the outcome", "settled", outcome[string](t, handle, nil))
	own.saw("WorkflowExecutionUpdateCompleted", "WorkflowExecutionUpdateCompleted")
	same(t, "the total", 5, query[int](t, run, "total"))
	_, err = t.QueryWorkflow(t.ctx, kKitchenSink, "", "nonsense")
	refused[*serviceerror.QueryFailed](t, err)
}

func secondActs() []kitchenAct {
	return []kitchenAct{
		{1, nil},
		{2, func(own *driver) {
			for _, last := range kLastChildren {
				own.began(last.label)
			}
		}},
		{3, func(own *driver) {
			own.idle(kKitchenSink, own.runID)
			own.t.need(own.t.CancelWorkflow(own.t.ctx, kKitchenSink, ""))
			own.saw("WorkflowExecutionCancelRequested")
		}},
	}
}

// continues sends the last step of the first run, and goes over to the second.
func (own *driver) continues() {
	own.send(kKitchenSink, "step", 36)
	own.saw("WorkflowExecutionContinuedAsNew")
	events := own.t.eventsOf(kKitchenSink, own.runID)
	own.runID = events[len(events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
}

// ends sends the last step of the second run, and sees to the children that are left.
func (own *driver) ends() {
	t := own.t
	own.send(kKitchenSink, "step", 4)
	same(t, "the result", "sunk", result[string](t, t.GetWorkflow(t.ctx, kKitchenSink, own.runID)))
	own.childHas("killed", "WorkflowExecutionTerminated", 1)
	own.childHas("asked", "WorkflowExecutionCancelRequested", 1)
	own.finish("asked")
	own.childHas("asked", "WorkflowExecutionCanceled", 1)
	own.finish("left")
	own.childHas("left", "WorkflowExecutionCompleted", 1)
}

// runKitchen drives both runs; the answer is all histories by name.
func runKitchen(t *Bench, queue string, joined holds) map[string][]*historypb.HistoryEvent {
	start := func(id string, workflow, arg any) client.WorkflowRun {
		return t.startWith(client.StartWorkflowOptions{ID: id, TaskQueue: queue}, workflow, arg)
	}
	target := start(kKitchenSink+"-target", KitchenChild, "target")
	own := &driver{t: t, holds: joined}
	own.childHas("target", "WorkflowTaskCompleted", 1)
	first := start(kKitchenSink, KitchenSink, 1)
	own.runID = first.GetRunID()
	own.run(firstActs())
	own.continues()
	own.run(secondActs())
	own.ends()
	told := map[string][]*historypb.HistoryEvent{
		"sink-1": t.eventsOf(kKitchenSink, first.GetRunID()), "sink-2": t.eventsOf(kKitchenSink, own.runID), "target": t.events(target),
	}
	for _, label := range []string{"done", "wait", "left", "killed", "asked"} {
		told[label] = t.eventsOf(kKitchenSink+"-"+label, "")
		last := told[label][len(told[label])-1].GetEventType()
		t.that(slices.Contains(kClosing, last), "%s ends with %v", label, last)
	}
	return told
}

var kClosing = []enumspb.EventType{
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
}
