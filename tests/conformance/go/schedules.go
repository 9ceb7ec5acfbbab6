// Schedules by Go's own client (C.15).
package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// schedule makes one over Returns; what is empty is filled in.
func (t *Bench) schedule(options client.ScheduleOptions) client.ScheduleHandle {
	options.ID = t.id()
	if options.Action == nil {
		options.Action = &client.ScheduleWorkflowAction{ID: t.id(), Workflow: Returns, Args: []any{"scheduled"}, TaskQueue: t.queue}
	}
	return needed[client.ScheduleHandle](t)(t.ScheduleClient().Create(t.ctx, options))
}

// described asks once more where the server, busy, let the time run out: it asks a workflow of its own.
func (t *Bench) described(handle client.ScheduleHandle) (told *client.ScheduleDescription, err error) {
	err = again(t.ctx, func() error {
		told, err = handle.Describe(t.ctx)
		return err
	})
	return told, err
}

// acted describes until the schedule has acted so often.
func (t *Bench) acted(handle client.ScheduleHandle, times int) *client.ScheduleDescription {
	return until(t, func() (*client.ScheduleDescription, error) { return t.described(handle) },
		func(told *client.ScheduleDescription) bool { return told.Info.NumActions >= times })
}

func init() {
	hourly := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour, Offset: time.Minute}}}

	scenario("schedule/is made, triggered, paused, listed and deleted", func(t *Bench) {
		handle := t.schedule(client.ScheduleOptions{Spec: hourly, Note: "hourly"})
		t.need(handle.Trigger(t.ctx, client.ScheduleTriggerOptions{}))
		told := t.acted(handle, 1)
		started := told.Info.RecentActions[0].StartWorkflowResult
		same(t, "the result", "scheduled", result[string](t, t.GetWorkflow(t.ctx, started.WorkflowID, started.FirstExecutionRunID)))
		same(t, "the interval", fmt.Sprint(hourly.Intervals), fmt.Sprint(told.Schedule.Spec.Intervals))
		same(t, "times to come", 10, len(told.Info.NextActionTimes))
		t.need(handle.Pause(t.ctx, client.SchedulePauseOptions{Note: "enough"}))
		told = until(t, func() (*client.ScheduleDescription, error) { return t.described(handle) },
			func(told *client.ScheduleDescription) bool { return told.Schedule.State.Paused })
		same(t, "the note", "enough", told.Schedule.State.Note)
		t.need(handle.Unpause(t.ctx, client.ScheduleUnpauseOptions{}))
		until(t, func() (bool, error) {
			rows, err := t.ScheduleClient().List(t.ctx, client.ScheduleListOptions{})
			for err == nil && rows.HasNext() {
				var row *client.ScheduleListEntry
				if row, err = rows.Next(); err == nil && row.ID == handle.GetID() {
					return true, nil
				}
			}
			return false, err
		}, func(listed bool) bool { return listed })
		t.need(handle.Delete(t.ctx))
		_, err := t.described(handle)
		refused[*serviceerror.NotFound](t, err)
	})

	scenario("schedule/is updated, and acts at once on creation", func(t *Bench) {
		handle := t.schedule(client.ScheduleOptions{Spec: hourly, TriggerImmediately: true, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL})
		t.acted(handle, 1)
		t.need(handle.Update(t.ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			changed := in.Description.Schedule
			changed.Spec.Intervals[0].Every = 2 * time.Hour
			changed.Action.(*client.ScheduleWorkflowAction).Args = []any{"changed"}
			return &client.ScheduleUpdate{Schedule: &changed}, nil
		}}))
		until(t, func() (*client.ScheduleDescription, error) { return t.described(handle) },
			func(told *client.ScheduleDescription) bool {
				return told.Schedule.Spec.Intervals[0].Every == 2*time.Hour
			})
		t.need(handle.Trigger(t.ctx, client.ScheduleTriggerOptions{}))
		told := t.acted(handle, 2)
		started := told.Info.RecentActions[1].StartWorkflowResult
		same(t, "the result", "changed", result[string](t, t.GetWorkflow(t.ctx, started.WorkflowID, started.FirstExecutionRunID)))
		t.need(handle.Delete(t.ctx))
	})

	scenario("schedule/fills back three intervals, and is refused when its id is taken", func(t *Bench) {
		handle := t.schedule(client.ScheduleOptions{Spec: hourly, Paused: true})
		end := time.Now().Truncate(time.Hour)
		fill := client.ScheduleBackfill{Start: end.Add(-3 * time.Hour), End: end, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}
		t.need(handle.Backfill(t.ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{fill}}))
		told := t.acted(handle, 3)
		for at, action := range told.Info.RecentActions {
			due := end.Add(time.Duration(at-3)*time.Hour + time.Minute).UTC()
			t.that(strings.HasSuffix(action.StartWorkflowResult.WorkflowID, due.Format(time.RFC3339)), "%s was due %v", action.StartWorkflowResult.WorkflowID, due)
		}
		action := &client.ScheduleWorkflowAction{ID: t.id(), Workflow: Returns, Args: []any{"x"}, TaskQueue: t.queue}
		_, err := t.ScheduleClient().Create(t.ctx, client.ScheduleOptions{ID: handle.GetID(), Spec: hourly, Action: action})
		t.that(errors.Is(err, temporal.ErrScheduleAlreadyRunning), "%T: %v", err, err)
		t.need(handle.Delete(t.ctx))
	})
}
