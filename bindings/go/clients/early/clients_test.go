// Package early runs early versions of the vendors' own Go clients, which Go 1.19 can build, through an embedded gateway: their http.Client has the gateway as
// its transport, and nothing else is different. A module of its own, so that package sluice depends on nothing.
package early

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"

	"sluice.example/sluice"
)

const config = `{
  "version": 1,
  "consumers": [{"name": "app", "keys": [{"sha256": "1111111111111111111111111111111111111111111111111111111111111111"}]}],
  "upstreams": [
    {"name": "demo", "provider": "simulator", "simulator": {"answer": "Hello there, stranger."}},
    {"name": "slow", "provider": "simulator", "simulator": {"answer": "one two three four five six seven eight nine ten", "tokens_per_second": 5}},
    {"name": "down", "provider": "simulator", "simulator": {"status": 503}}
  ],
  "routes": [
    {"name": "down", "match": {"model": ["down"]}, "upstreams": [{"name": "down"}], "retry": {"attempts": 1}},
    {"name": "slow", "match": {"model": ["slow"]}, "upstreams": [{"name": "slow"}]},
    {"name": "any", "match": {"path_prefix": "/v1"}, "upstreams": [{"name": "demo"}]}
  ]
}`

func gateway(t *testing.T) (*sluice.Gateway, *http.Client) {
	gw, err := sluice.Open([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Close() })
	return gw, &http.Client{Transport: sluice.RoundTripper(gw, sluice.AsConsumer("app"))}
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// nothingOpen waits until the gateway has no exchange any more.
func nothingOpen(t *testing.T, gw *sluice.Gateway) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		counted, err := gw.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if counted.ExchangesOpen == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d exchanges are open", counted.ExchangesOpen)
		}
	}
}

// endsAtOnce reads on until a cancelled stream ends, which it must long before its answer would have. These versions of the
// clients keep to themselves what ended it.
func endsAtOnce(t *testing.T, next func() bool) {
	t.Helper()
	cancelled := time.Now()
	for next() {
	}
	if took := time.Since(cancelled); took > time.Second {
		t.Errorf("after cancel the stream went on for %s", took)
	}
}

func TestOpenAIAsksAndStreams(t *testing.T) {
	gw, transport := gateway(t)
	client := openai.NewClient(option.WithBaseURL("http://sluice/v1/"), option.WithAPIKey("unused"), option.WithHTTPClient(transport), option.WithMaxRetries(0))
	ask := func(model string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{Model: openai.F(model), Messages: openai.F([]openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")})}
	}
	answer, err := client.Chat.Completions.New(patient(t), ask("smart"))
	if err != nil || answer.Choices[0].Message.Content != "Hello there, stranger." || answer.Usage.CompletionTokens <= 0 {
		t.Fatalf("%+v %v", answer, err)
	}
	stream := client.Chat.Completions.NewStreaming(patient(t), ask("smart"))
	text := ""
	for stream.Next() {
		if choices := stream.Current().Choices; len(choices) != 0 {
			text += choices[0].Delta.Content
		}
	}
	if stream.Err() != nil || text != "Hello there, stranger." {
		t.Errorf("%q %v", text, stream.Err())
	}
	_, err = client.Chat.Completions.New(patient(t), ask("down"))
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 503 {
		t.Errorf("an upstream that is down: %v", err)
	}
	// Left in the middle.
	ctx, cancel := context.WithCancel(patient(t))
	left := client.Chat.Completions.NewStreaming(ctx, ask("slow"))
	if !left.Next() {
		t.Fatal(left.Err())
	}
	cancel()
	endsAtOnce(t, left.Next)
	nothingOpen(t, gw)
}

func TestAnthropicAsksAndStreams(t *testing.T) {
	gw, transport := gateway(t)
	client := anthropic.NewClient(anthropicoption.WithBaseURL("http://sluice/"), anthropicoption.WithAPIKey("unused"),
		anthropicoption.WithHTTPClient(transport), anthropicoption.WithMaxRetries(0))
	ask := func(model string) anthropic.MessageNewParams {
		return anthropic.MessageNewParams{Model: anthropic.F(anthropic.Model(model)), MaxTokens: anthropic.F(int64(100)),
			Messages: anthropic.F([]anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hello"))})}
	}
	answer, err := client.Messages.New(patient(t), ask("smart"))
	if err != nil || len(answer.Content) == 0 || answer.Content[0].Text != "Hello there, stranger." || answer.Usage.OutputTokens <= 0 {
		t.Fatalf("%+v %v", answer, err)
	}
	stream := client.Messages.NewStreaming(patient(t), ask("smart"))
	var whole anthropic.Message
	for stream.Next() {
		if err := whole.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if stream.Err() != nil || len(whole.Content) == 0 || whole.Content[0].Text != "Hello there, stranger." {
		t.Errorf("%+v %v", whole, stream.Err())
	}
	_, err = client.Messages.New(patient(t), ask("down"))
	var refused *anthropic.Error
	if !errors.As(err, &refused) || refused.StatusCode < 500 {
		t.Errorf("an upstream that is down: %v", err)
	}
	ctx, cancel := context.WithCancel(patient(t))
	left := client.Messages.NewStreaming(ctx, ask("slow"))
	if !left.Next() {
		t.Fatal(left.Err())
	}
	cancel()
	endsAtOnce(t, left.Next)
	nothingOpen(t, gw)
}
