// Bifrost's core under load, as a Go module: its OpenAI provider towards the mock, with its defaults for workers, pools and
// connections, no plugin, and a log of errors alone. What is stated in JSON has changed its Go type between its releases.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"

	bifrost "github.com/maximhq/bifrost/core"
	"github.com/maximhq/bifrost/core/schemas"
	"sluice.example/rivals/load"
)

type account struct{ port string }

func (account) GetConfiguredProviders() ([]schemas.ModelProvider, error) {
	return []schemas.ModelProvider{schemas.OpenAI}, nil
}

func (account) GetKeysForProvider(context.Context, schemas.ModelProvider) ([]schemas.Key, error) {
	var key schemas.Key
	err := json.Unmarshal([]byte(`{"id": "bench", "value": "unused", "models": ["*"], "weight": 1}`), &key)
	return []schemas.Key{key}, err
}

func (a account) GetConfigForProvider(schemas.ModelProvider) (*schemas.ProviderConfig, error) {
	network := schemas.DefaultNetworkConfig
	network.BaseURL = "http://127.0.0.1:" + a.port // it appends /v1 itself
	return &schemas.ProviderConfig{NetworkConfig: network, ConcurrencyAndBufferSize: schemas.DefaultConcurrencyAndBufferSize}, nil
}

// request is a body in Bifrost's own types.
func request(body load.Body) (*schemas.BifrostChatRequest, error) {
	r := &schemas.BifrostChatRequest{Provider: schemas.OpenAI, Model: body.Model, Params: &schemas.ChatParameters{}}
	text, err := json.Marshal(body.Messages)
	if err == nil {
		err = json.Unmarshal(text, &r.Input)
	}
	if err != nil {
		return nil, err
	}
	text, err = json.Marshal(map[string]interface{}{"temperature": body.Temperature, "max_completion_tokens": body.MaxTokens, "user": body.User})
	if err == nil {
		err = json.Unmarshal(text, r.Params)
	}
	return r, err
}

func told(err *schemas.BifrostError) error {
	if err.Error != nil {
		return errors.New(err.Error.Message)
	}
	return errors.New("Bifrost gave an error without a message")
}

// version is that of the module this program was built with.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/maximhq/bifrost/core" {
				return module.Version
			}
		}
	}
	return "unknown"
}

func main() {
	arguments := load.Parse()
	whole, err := request(arguments.Whole)
	if err != nil {
		load.Die(err)
	}
	streamed, err := request(arguments.Streamed)
	if err != nil {
		load.Die(err)
	}
	client, err := bifrost.Init(context.Background(), schemas.BifrostConfig{
		Account: account{arguments.Port}, Logger: bifrost.NewDefaultLogger(schemas.LogLevelError)})
	if err != nil {
		load.Die(err)
	}
	defer client.Shutdown()
	load.Serve(load.Gateway{
		Version: version(),
		Chat: func() (string, error) {
			got, failed := client.ChatCompletionRequest(schemas.NewBifrostContext(context.Background(), schemas.NoDeadline), whole)
			if failed != nil {
				return "", told(failed)
			}
			if len(got.Choices) > 0 && got.Choices[0].ChatNonStreamResponseChoice != nil {
				if message := got.Choices[0].Message; message != nil && message.Content != nil && message.Content.ContentStr != nil {
					return *message.Content.ContentStr, nil
				}
			}
			return "", errors.New("an answer without text")
		},
		Stream: func() (int, error) {
			chunks, failed := client.ChatCompletionStreamRequest(schemas.NewBifrostContext(context.Background(), schemas.NoDeadline), streamed)
			if failed != nil {
				return 0, told(failed)
			}
			count := 0
			for chunk := range chunks {
				if chunk.BifrostError != nil {
					return count, told(chunk.BifrostError)
				}
				if answer := chunk.BifrostChatResponse; answer != nil {
					for _, choice := range answer.Choices {
						if choice.ChatStreamResponseChoice != nil && choice.Delta != nil && choice.Delta.Content != nil && *choice.Delta.Content != "" {
							count++
						}
					}
				}
			}
			return count, nil
		},
	}, arguments.Events)
}
