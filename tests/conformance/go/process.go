package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// serveWorker is this program as a worker alone, for scenarios that kill one. Tells `ready` once it polls.
func serveWorker(queue string) {
	house, err := openHouse()
	if err == nil {
		err = newWorker(house.client, queue, worker.Options{EnableSessionWorker: true, Identity: "the process"}).Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("ready")
	select {} // until it is killed
}

// workerProcess starts a worker in a process of its own and waits until it polls; the answer kills it.
func (t *Bench) workerProcess(queue string) (kill func()) {
	child := exec.Command(os.Args[0], "worker", queue)
	child.Stderr = os.Stderr
	words, err := child.StdoutPipe()
	t.need(err)
	t.need(child.Start())
	if _, err := bufio.NewReader(words).ReadString('\n'); err != nil {
		_ = child.Process.Kill()
		_ = child.Wait()
		t.fail("the worker process ended: %v", err)
	}
	return func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}
}

// pendingStarted waits until an activity of the run is with a worker.
func (t *Bench) pendingStarted(run client.WorkflowRun) {
	until(t, func() (bool, error) {
		told, err := t.DescribeWorkflowExecution(t.ctx, run.GetID(), "")
		if err != nil {
			return false, err
		}
		pending := told.GetPendingActivities()
		return len(pending) > 0 && pending[0].GetState().String() == "Started", nil
	}, func(started bool) bool { return started })
}
