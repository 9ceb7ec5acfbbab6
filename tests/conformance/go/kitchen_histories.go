// What came of the kitchen sink on two servers: the same events, and histories that replay here whoever wrote them.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// kScrubbed are keys of events in JSON whose values are ids, times, sizes or names of queues. Whether one is there is
// compared; its value is not.
var kScrubbed = strings.Fields(`eventTime taskId historySizeBytes requestId runId originalExecutionRunId firstExecutionRunId
	continuedExecutionRunId newExecutionRunId namespaceId parentWorkflowNamespaceId createTime stackTrace`)

// kLeftOut are keys that tell of the worker's program, where the real server versions by build id and ours says it does not,
// and what a busy machine changes: a task that leaves its sticky queue, and the worker that then tells its name again.
var kLeftOut = []string{
	"binaryChecksum", "buildId", "workerVersion", "useWorkflowBuildId", "inheritBuildId", "prevAutoResetPoints", "taskQueue", "sdkMetadata",
}

func historiesOf(server string) string {
	return filepath.Join(os.Getenv("CONFORMANCE_HISTORIES"), "go", server)
}

func otherServer() string {
	return map[string]string{"ours": "real", "real": "ours"}[os.Getenv("CONFORMANCE_SERVER")]
}

// writeHistories replaces what is kept of this server, all at once.
func writeHistories(t *Bench, told map[string][]*historypb.HistoryEvent) {
	folder := historiesOf(os.Getenv("CONFORMANCE_SERVER"))
	part := folder + ".part"
	t.need(os.RemoveAll(part))
	t.need(os.MkdirAll(part, 0o755))
	for name, events := range told {
		text, err := historyJSON(events)
		t.need(err)
		t.need(os.WriteFile(filepath.Join(part, name+".json"), text, 0o644))
	}
	t.need(os.RemoveAll(folder))
	t.need(os.Rename(part, folder))
}

func readHistories(server string) (map[string]*historypb.History, error) {
	files, err := filepath.Glob(filepath.Join(historiesOf(server), "*.json"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no histories of %s", server))
	}
	told := map[string]*historypb.History{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		history := &historypb.History{}
		if err := (temporalproto.CustomJSONUnmarshalOptions{}).Unmarshal(text, history); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		told[strings.TrimSuffix(filepath.Base(file), ".json")] = history
	}
	return told, nil
}

// program is the build of the worker that wrote the histories.
func program(histories map[string]*historypb.History) string {
	for _, event := range histories["sink-1"].GetEvents() {
		if told := event.GetWorkflowTaskCompletedEventAttributes(); told != nil {
			return told.GetWorkerVersion().GetBuildId() //lint:ignore SA1019 it is what both servers write
		}
	}
	return ""
}

// bothThere: this program ran on both servers. Of two suites at once, the later one sees the other's.
func bothThere() bool {
	own, err := readHistories(os.Getenv("CONFORMANCE_SERVER"))
	if err != nil {
		return false
	}
	other, err := readHistories(otherServer())
	return err == nil && program(own) == program(other)
}

// scrubbed is the history as one line of JSON an event.
func scrubbed(history *historypb.History) ([]string, error) {
	var lines []string
	for _, event := range history.GetEvents() {
		text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(event)
		if err != nil {
			return nil, err
		}
		var value map[string]any
		if err := json.Unmarshal(text, &value); err != nil {
			return nil, err
		}
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(scrub(value)); err != nil {
			return nil, err
		}
		lines = append(lines, strings.TrimSpace(line.String()))
	}
	return lines, nil
}

func scrub(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			_, isText := inner.(string)
			switch {
			case slices.Contains(kLeftOut, key):
				delete(value, key)
			case isText && (slices.Contains(kScrubbed, key) || isMarkerTime(inner.(string))):
				value[key] = "…"
			default:
				value[key] = scrub(inner)
			}
		}
	case []any:
		for at, inner := range value {
			value[at] = scrub(inner)
		}
	}
	return value
}

// isMarkerTime: the payload in which this SDK notes when a local activity ended.
func isMarkerTime(value string) bool {
	data, err := base64.StdEncoding.DecodeString(value)
	return err == nil && bytes.Contains(data, []byte("ReplayTime"))
}

func init() {
	scenario("kitchen sink/runs to its end, and its histories replay", func(t *Bench) {
		joined := holds{}
		for _, label := range []string{"try", "wait"} {
			joined["running "+label], joined["release "+label] = make(chan struct{}, 1), make(chan struct{})
		}
		t.Client = t.clientWith(func(options *client.Options) { options.Identity = "the driver" })
		queue := t.id()
		polling := worker.New(t.Client, queue, worker.Options{Identity: "the kitchen", MaxHeartbeatThrottleInterval: kThrottle})
		registerKitchen(polling, joined)
		t.running(polling, func() {
			told := runKitchen(t, queue, joined)
			writeHistories(t, told)
			for name, events := range told {
				replayKitchen(t, name, &historypb.History{Events: events})
			}
		})
	})

	scenarioOf(Scenario{Name: "kitchen sink/the same events on both servers", Phase: Alone, When: bothThere, Body: func(t *Bench) {
		ours, real := needed[map[string]*historypb.History](t)(readHistories("ours")), needed[map[string]*historypb.History](t)(readHistories("real"))
		same(t, "histories", len(real), len(ours))
		var differ []string
		for name, history := range real {
			want, got := needed[[]string](t)(scrubbed(history)), needed[[]string](t)(scrubbed(ours[name]))
			same(t, name, kinds(history.GetEvents()), kinds(ours[name].GetEvents()))
			for at, line := range want {
				if line != got[at] {
					differ = append(differ, fmt.Sprintf("%s: real %s ours %s", name, line, got[at]))
				}
			}
		}
		fmt.Fprintln(os.Stderr, strings.Join(differ, "\n"))
		t.that(len(differ) == 0, "%d events differ: %s", len(differ), strings.Join(differ, " | "))
	}})

	scenarioOf(Scenario{Name: "kitchen sink/histories of the other server replay here", Phase: Alone, When: bothThere, Body: func(t *Bench) {
		for name, history := range needed[map[string]*historypb.History](t)(readHistories(otherServer())) {
			replayKitchen(t, name, history)
		}
	}})
}

func replayKitchen(t *Bench, name string, history *historypb.History) {
	made := worker.NewWorkflowReplayer()
	made.RegisterWorkflow(KitchenSink)
	made.RegisterWorkflow(KitchenChild)
	if err := made.ReplayWorkflowHistory(quiet(), history); err != nil {
		t.fail("%s: %v", name, err)
	}
}
