// A stream: the words as they come, and what becomes of the rest when the reader has enough. Cancelling the context ends the
// answer at its upstream too.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"sluice.example/sluice"
)

const config = `{
  "version": 1,
  "upstreams": [{"name": "teller", "provider": "simulator",
                 "simulator": {"answer": "Once upon a time a gate let every word pass.", "tokens_per_second": 50}}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "teller"}]}]
}`

const question = `{"model": "smart", "stream": true, "messages": [{"role": "user", "content": "a story"}]}`

func main() {
	gw, err := sluice.Open([]byte(config))
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Close()

	// To the end.
	stream, err := gw.Stream(context.Background(), sluice.Post("/v1/chat/completions", question))
	if err != nil {
		log.Fatal(err)
	}
	for stream.Next() {
		fmt.Print(stream.Event().Text)
	}
	fmt.Println()
	if err := stream.Err(); err != nil {
		log.Fatal(err)
	}
	whole, err := stream.Outcome()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(whole.Ending, "with", whole.Usage.OutputTokens, "tokens")

	// Three words are enough.
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	if stream, err = gw.Stream(ctx, sluice.Post("/v1/chat/completions", question)); err != nil {
		log.Fatal(err)
	}
	for words := 0; stream.Next(); words++ {
		if words == 2 {
			enough()
		}
	}
	left, err := stream.Outcome()
	if err != nil || !errors.Is(stream.Err(), context.Canceled) {
		log.Fatal(stream.Err(), err)
	}
	fmt.Println(left.Ending, "after a few")
}
