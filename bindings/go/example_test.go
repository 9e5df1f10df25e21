package sluice_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"sluice.example/sluice"
	"sluice.example/sluice/sluicetest"
)

const demo = `{
  "version": 1,
  "upstreams": [{"name": "demo", "provider": "simulator", "simulator": {"answer": "Hello from the other side."}}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
}`

const question = `{"model": "smart", "messages": [{"role": "user", "content": "hello"}]}`

func ExampleOpen() {
	gw, err := sluice.Open([]byte(demo))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	answer, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", question))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Status, answer.Outcome.Attempts[0].Upstream)
	// Output: 200 demo
}

func ExampleGateway_Stream() {
	gw, err := sluice.Open([]byte(demo))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	stream, err := gw.Stream(context.Background(), sluice.Post("/v1/chat/completions", map[string]interface{}{
		"model": "smart", "stream": true, "messages": []map[string]string{{"role": "user", "content": "hello"}},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	for stream.Next() {
		fmt.Print(stream.Event().Text)
	}
	fmt.Println()
	if err := stream.Err(); err != nil {
		fmt.Println(err)
	}
	// Output: Hello from the other side.
}

func ExampleRoundTripper() {
	gw, err := sluice.Open([]byte(demo))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	client := &http.Client{Transport: sluice.RoundTripper(gw)}
	response, err := client.Post("http://sluice/v1/chat/completions", "application/json", strings.NewReader(question))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, strings.Contains(string(body), "Hello from the other side."), err)
	// Output: 200 OK true <nil>
}

func ExampleCode() {
	gw, err := sluice.Open([]byte(demo))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	stream, err := gw.Stream(context.Background(), sluice.Post("/v1/nowhere", question))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	for stream.Next() {
	}
	var failure *sluice.Error
	if errors.As(stream.Err(), &failure) {
		fmt.Println(errors.Is(failure, sluice.CodeRouteNotFound), failure.Code, failure.Status)
	}
	// Output: true route_not_found 404
}

func ExampleWithSimulation() {
	sim := sluicetest.New(7)
	defer sim.Close()
	gw, err := sluice.Open([]byte(demo), sluice.WithSimulation(sim))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Close()
	sim.Upstream("demo").Answers("All is well.").Fails(sluicetest.Fault{Kind: sluicetest.Status, Status: 503, Until: time.Minute})

	ask := func() int {
		answer, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", question))
		if err != nil {
			fmt.Println(err)
			return 0
		}
		return answer.Status
	}
	fmt.Println("during the outage:", ask())
	if err := sim.Advance(gw, 2*time.Minute); err != nil {
		fmt.Println(err)
	}
	fmt.Println("afterwards:", ask())
	// Output:
	// during the outage: 503
	// afterwards: 200
}
