// sluice's Go binding under load. One engine thread, ten routes told apart by the model, as in the other comparisons. A body is made
// from its struct and an answer read into one for each call, as a program does.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"sluice.example/rivals/load"
	"sluice.example/sluice"
)

const target = "/v1/chat/completions"

type answer struct {
	Choices []struct {
		Message load.Message `json:"message"`
	} `json:"choices"`
}

func configuration(port string) map[string]interface{} {
	type object = map[string]interface{}
	var routes []object
	for i := 0; i < 10; i++ {
		routes = append(routes, object{"name": fmt.Sprintf("route-%d", i), "upstreams": []object{{"name": "mock"}},
			"match": object{"path": target, "model": []string{fmt.Sprintf("bench-%d", i)}}})
	}
	return object{
		"version":   1,
		"gateway":   object{"name": "bench", "threads": 1},
		"upstreams": []object{{"name": "mock", "provider": "openai-compatible", "url": "http://127.0.0.1:" + port + "/v1"}},
		"routes":    routes,
	}
}

func main() {
	arguments := load.Parse()
	gateway, err := sluice.Open(configuration(arguments.Port))
	if err != nil {
		load.Die(err)
	}
	defer gateway.Close()
	load.Serve(load.Gateway{
		Version: sluice.Version(),
		Chat: func() (string, error) {
			got, err := gateway.Send(context.Background(), sluice.Post(target, arguments.Whole))
			if err != nil {
				return "", err
			}
			var said answer
			if err := json.Unmarshal(got.Body, &said); err != nil {
				return "", err
			}
			if len(said.Choices) == 0 {
				return "", fmt.Errorf("status %d: %s", got.Status, got.Body)
			}
			return said.Choices[0].Message.Content, nil
		},
		Stream: func() (int, error) {
			stream, err := gateway.Stream(context.Background(), sluice.Post(target, arguments.Streamed))
			if err != nil {
				return 0, err
			}
			defer stream.Close()
			count := 0
			for stream.Next() {
				if stream.Event().Text != "" {
					count++
				}
			}
			return count, stream.Err()
		},
	}, arguments.Events)
}
