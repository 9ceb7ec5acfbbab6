// What goes along with a call: headers by propagators and interceptors, payloads and failures through a codec.
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type baggageKey struct{}

const kBaggage = "baggage"

// baggage propagates one text from contexts into headers and back.
type baggage struct{}

func (baggage) Inject(ctx context.Context, out workflow.HeaderWriter) error {
	return inject(ctx.Value(baggageKey{}), out)
}

func (baggage) InjectFromWorkflow(ctx workflow.Context, out workflow.HeaderWriter) error {
	return inject(ctx.Value(baggageKey{}), out)
}

func (baggage) Extract(ctx context.Context, in workflow.HeaderReader) (context.Context, error) {
	text, err := extract(in)
	return context.WithValue(ctx, baggageKey{}, text), err
}

func (baggage) ExtractToWorkflow(ctx workflow.Context, in workflow.HeaderReader) (workflow.Context, error) {
	text, err := extract(in)
	return workflow.WithValue(ctx, baggageKey{}, text), err
}

func inject(value any, out workflow.HeaderWriter) error {
	text, _ := value.(string)
	payload, err := converter.GetDefaultDataConverter().ToPayload(text)
	out.Set(kBaggage, payload)
	return err
}

func extract(in workflow.HeaderReader) (string, error) {
	var text string
	payload, ok := in.Get(kBaggage)
	if !ok {
		return "", nil
	}
	err := converter.GetDefaultDataConverter().FromPayload(payload, &text)
	return text, err
}

// Carries tells what it carries into a workflow, an activity, a local activity, a child and a next run.
func Carries(ctx workflow.Context, depth int) ([]string, error) {
	own, _ := ctx.Value(baggageKey{}).(string)
	told := []string{own}
	if depth == 2 {
		return told, nil
	}
	if err := workflow.SetUpdateHandler(ctx, "carried", func(ctx workflow.Context) (string, error) {
		text, _ := ctx.Value(baggageKey{}).(string)
		return text, nil
	}); err != nil {
		return nil, err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: kShort})
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: kShort})
	for _, future := range []workflow.Future{workflow.ExecuteActivity(ctx, Carried), workflow.ExecuteLocalActivity(ctx, Carried)} {
		var text string
		if err := future.Get(ctx, &text); err != nil {
			return nil, err
		}
		told = append(told, text)
	}
	if depth == 1 {
		return told, nil
	}
	ctx = workflow.WithValue(ctx, baggageKey{}, own+" and more")
	var child []string
	if err := workflow.ExecuteChildWorkflow(ctx, Carries, 1).Get(ctx, &child); err != nil {
		return nil, err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return append(told, child...), nil
}

// CarriesOn hands its context on to a next run.
func CarriesOn(ctx workflow.Context) ([]string, error) {
	return nil, workflow.NewContinueAsNewError(ctx, Carries, 2)
}

// Carried tells what came with the call.
func Carried(ctx context.Context) (string, error) {
	text, _ := ctx.Value(baggageKey{}).(string)
	return text, nil
}

// mirror is a codec that writes payloads backwards: nobody reads them by chance.
type mirror struct{}

func (mirror) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	encoded := make([]*commonpb.Payload, len(payloads))
	for at, payload := range payloads {
		data, err := payload.Marshal()
		if err != nil {
			return nil, err
		}
		slices.Reverse(data)
		encoded[at] = &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("binary/mirrored")}, Data: data}
	}
	return encoded, nil
}

func (mirror) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	decoded := make([]*commonpb.Payload, len(payloads))
	for at, payload := range payloads {
		data := slices.Clone(payload.GetData())
		slices.Reverse(data)
		decoded[at] = &commonpb.Payload{}
		if err := decoded[at].Unmarshal(data); err != nil {
			return nil, err
		}
	}
	return decoded, nil
}

// stamper writes a header on each start and on each activity, by interceptors, and adds what it finds to results.
type stamper struct {
	interceptor.InterceptorBase
}

func (*stamper) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	return &stampedClient{interceptor.ClientOutboundInterceptorBase{Next: next}}
}

func (*stamper) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &stampedWorkflow{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

func (*stamper) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stampedActivity{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type stampedClient struct {
	interceptor.ClientOutboundInterceptorBase
}

func (own *stampedClient) ExecuteWorkflow(ctx context.Context, in *interceptor.ClientExecuteWorkflowInput) (client.WorkflowRun, error) {
	if err := stamp(interceptor.Header(ctx), "client"); err != nil {
		return nil, err
	}
	return own.Next.ExecuteWorkflow(ctx, in)
}

type stampedWorkflow struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (own *stampedWorkflow) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return own.Next.Init(&stampedCalls{interceptor.WorkflowOutboundInterceptorBase{Next: outbound}})
}

func (own *stampedWorkflow) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	found := stampOf(interceptor.WorkflowHeader(ctx))
	told, err := own.Next.ExecuteWorkflow(ctx, in)
	return fmt.Sprintf("%v < workflow(%s)", told, found), err
}

type stampedCalls struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (own *stampedCalls) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	if err := stamp(interceptor.WorkflowHeader(ctx), "workflow"); err != nil {
		panic(err)
	}
	return own.Next.ExecuteActivity(ctx, name, args...)
}

type stampedActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

func (own *stampedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	told, err := own.Next.ExecuteActivity(ctx, in)
	return fmt.Sprintf("%v < activity(%s)", told, stampOf(interceptor.Header(ctx))), err
}

func stamp(header map[string]*commonpb.Payload, text string) (err error) {
	header["stamp"], err = converter.GetDefaultDataConverter().ToPayload(text)
	return err
}

func stampOf(header map[string]*commonpb.Payload) string {
	var text string
	if err := converter.GetDefaultDataConverter().FromPayload(header["stamp"], &text); err != nil {
		return err.Error()
	}
	return text
}

func init() {
	workflows = append(workflows, Carries, CarriesOn)
	activities = append(activities, Carried)

	scenario("context/a propagator's header reaches activities, children, updates and the next run", func(t *Bench) {
		queue := t.id()
		carrying := t.clientWith(func(options *client.Options) { options.ContextPropagators = []workflow.ContextPropagator{baggage{}} })
		loaded := context.WithValue(t.ctx, baggageKey{}, "from the client")
		t.running(newWorker(carrying, queue, worker.Options{}), func() {
			options := t.filled(client.StartWorkflowOptions{TaskQueue: queue})
			run := needed[client.WorkflowRun](t)(carrying.ExecuteWorkflow(loaded, options, Carries, 0))
			handle, err := carrying.UpdateWorkflow(context.WithValue(t.ctx, baggageKey{}, "with the update"), client.UpdateWorkflowOptions{
				WorkflowID: run.GetID(), UpdateName: "carried", WaitForStage: client.WorkflowUpdateStageCompleted,
			})
			same(t, "the update", "with the update", outcome[string](t, handle, err))
			t.signal(run, "finish", nil)
			own, more := "from the client", "from the client and more"
			same(t, "what was carried", []string{own, own, own, more, more, more}, result[[]string](t, run))
			header := t.events(run)[0].GetWorkflowExecutionStartedEventAttributes().GetHeader()
			same(t, "the header in history", `"from the client"`, string(header.GetFields()[kBaggage].GetData()))
			options.ID = t.id()
			run = needed[client.WorkflowRun](t)(carrying.ExecuteWorkflow(loaded, options, CarriesOn))
			same(t, "the next run", []string{own}, result[[]string](t, run))
		})
	})

	scenario("context/interceptors write headers on the way out and read them on the way in", func(t *Bench) {
		queue := t.id()
		stamping := t.clientWith(func(options *client.Options) { options.Interceptors = []interceptor.ClientInterceptor{&stamper{}} })
		t.running(newWorker(stamping, queue, worker.Options{}), func() {
			options := t.filled(client.StartWorkflowOptions{TaskQueue: queue})
			run := needed[client.WorkflowRun](t)(stamping.ExecuteWorkflow(t.ctx, options, OneStep, "x"))
			same(t, "the result", "x < activity(workflow) < workflow(client)", result[string](t, run))
		})
	})

	scenario("context/payloads and failures go through a codec unread (B.9)", func(t *Bench) {
		queue := t.id()
		hidden := t.clientWith(func(options *client.Options) {
			options.DataConverter = converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), mirror{})
			options.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
				DataConverter: options.DataConverter, EncodeCommonAttributes: true,
			})
		})
		t.running(newWorker(hidden, queue, worker.Options{}), func() {
			options := t.filled(client.StartWorkflowOptions{TaskQueue: queue})
			run := needed[client.WorkflowRun](t)(hidden.ExecuteWorkflow(t.ctx, options, OneStep, "secret text"))
			same(t, "the result", "secret text", result[string](t, run))
			for _, event := range t.events(run) {
				t.that(!strings.Contains(event.String(), "secret"), "in the clear: %v", event)
			}
			options.ID = t.id()
			run = needed[client.WorkflowRun](t)(hidden.ExecuteWorkflow(t.ctx, options, Ends, "application"))
			same(t, "the words", "outer", refused[*temporal.ApplicationError](t, run.Get(t.ctx, nil)).Message())
			failed := ofKind(t.events(run), enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED)[0].GetWorkflowExecutionFailedEventAttributes()
			same(t, "the words in history", "Encoded failure", failed.GetFailure().GetMessage())
		})
	})
}
