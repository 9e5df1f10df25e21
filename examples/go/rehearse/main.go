// Testing your own configuration: scripted upstreams, virtual time, no network. Two minutes with an outage in them pass in a few
// milliseconds, and twice in the same way.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"sluice.example/sluice"
	"sluice.example/sluice/sluicetest"
)

const config = `{
  "version": 1,
  "upstreams": [{"name": "primary", "provider": "simulator"}, {"name": "spare", "provider": "simulator"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"},
              "upstreams": [{"name": "primary"}, {"name": "spare"}], "retry": {"attempts": 2}}]
}`

func main() {
	sim := sluicetest.New(7)
	defer sim.Close()
	sim.Upstream("primary").Answers("All is well.").
		Fails(sluicetest.Fault{Kind: sluicetest.Status, Status: 503, Until: time.Minute})
	sim.Upstream("spare").Answers("I stand in.").Paces(sluicetest.Pace{FirstToken: 3 * time.Second})

	gw, err := sluice.Open([]byte(config), sluice.WithSimulation(sim))
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Close()

	ask := func(expected string) {
		answer, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions",
			`{"model": "m", "messages": [{"role": "user", "content": "hello"}]}`))
		if err != nil {
			log.Fatal(err)
		}
		attempts := answer.Outcome.Attempts
		last := attempts[len(attempts)-1]
		fmt.Printf("at %s: %s answered after %s and %d attempts\n", sim.Now().Round(time.Second), last.Upstream,
			answer.Outcome.Total.Round(time.Second), len(attempts))
		if last.Upstream != expected {
			log.Fatalf("%s was expected", expected)
		}
	}
	ask("spare")
	if err := sim.Advance(gw, 2*time.Minute); err != nil {
		log.Fatal(err)
	}
	ask("primary")
	fmt.Println(len(sim.Seen()), "requests reached an upstream")
}
