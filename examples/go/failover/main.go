// Routing and failover, through an ordinary HTTP client: the model chooses the route, and an upstream that is down is followed by
// the next. The vendors' own clients take an http.Client too.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"sluice.example/sluice"
)

const config = `{
  "version": 1,
  "upstreams": [
    {"name": "down", "provider": "simulator", "simulator": {"status": 503}},
    {"name": "swift", "provider": "simulator", "simulator": {"answer": "Hello from swift."}},
    {"name": "coder", "provider": "simulator", "simulator": {"answer": "int main() { return 0; }"}}
  ],
  "routes": [
    {"name": "code", "match": {"path": "/v1/chat/completions", "model": ["code-*"]}, "upstreams": [{"name": "coder"}]},
    {"name": "sturdy", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "down"}, {"name": "swift"}],
     "retry": {"attempts": 2, "backoff_ms": 0}}
  ]
}`

func main() {
	gw, err := sluice.Open([]byte(config))
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Close()

	client := &http.Client{Transport: sluice.RoundTripper(gw, sluice.OnOutcome(func(_ *http.Request, o *sluice.Outcome) {
		fmt.Printf("  route %s:", o.Route)
		for _, attempt := range o.Attempts {
			fmt.Printf(" %s (%s)", attempt.Upstream, attempt.Reason)
		}
		fmt.Println()
	}))}
	for _, model := range []string{"code-1", "smart"} {
		question := fmt.Sprintf(`{"model": %q, "messages": [{"role": "user", "content": "hello"}]}`, model)
		response, err := client.Post("http://sluice/v1/chat/completions", "application/json", strings.NewReader(question))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(model, response.Status)
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			log.Fatal(response.Status, err)
		}
		response.Body.Close()
	}

	// The same question, without sending anything.
	explanation, err := gw.Explain(sluice.Post("/v1/chat/completions", `{"model": "code-2", "messages": []}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(explanation.Text)
}
