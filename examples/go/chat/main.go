// A chat: a gateway in the program, a request, its answer and its account. The upstream is simulated: no key, no network.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"sluice.example/sluice"
)

const config = `{
  "version": 1,
  "upstreams": [{"name": "demo", "provider": "simulator", "simulator": {"answer": "Hello from the simulator."}}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
}`

func main() {
	gw, err := sluice.Open([]byte(config))
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Close()

	answer, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", map[string]interface{}{
		"model":    "smart",
		"messages": []map[string]string{{"role": "user", "content": "hello"}},
	}))
	if err != nil {
		log.Fatal(err)
	}
	var chat struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal(answer.Body, &chat); err != nil || len(chat.Choices) == 0 {
		log.Fatalf("%d %s", answer.Status, answer.Body)
	}
	fmt.Println(chat.Choices[0].Message.Content)
	fmt.Println(answer.Outcome.Usage.OutputTokens, "tokens from", answer.Outcome.Attempts[0].Upstream)
}
