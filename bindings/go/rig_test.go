package sluice_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"sluice.example/sluice"
)

// What the tests share: configurations of simulated and of real upstreams, and patience.

const patience = 30 * time.Second

type object = map[string]interface{}
type list = []interface{}

// chatOn is a configuration with one route to these upstreams, in order.
func chatOn(upstreams ...object) object {
	names := list{}
	all := list{}
	for _, u := range upstreams {
		names = append(names, object{"name": u["name"]})
		all = append(all, u)
	}
	return object{
		"version":   1,
		"upstreams": all,
		"routes":    list{object{"name": "chat", "match": object{"path": "/v1/chat/completions"}, "upstreams": names}},
	}
}

func simulated(name string, settings object) object {
	return object{"name": name, "provider": "simulator", "simulator": settings}
}

func says(text string) object { return simulated("demo", object{"answer": text}) }

func hello(stream bool) object {
	return object{"model": "m", "stream": stream, "messages": list{object{"role": "user", "content": "hello"}}}
}

func chat() *sluice.Request      { return sluice.Post("/v1/chat/completions", hello(false)) }
func streaming() *sluice.Request { return sluice.Post("/v1/chat/completions", hello(true)) }

// open opens a gateway that is closed when the test is over.
func open(t testing.TB, config interface{}, opts ...sluice.Option) *sluice.Gateway {
	t.Helper()
	gw, err := sluice.Open(config, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gw.Close(); err != nil {
			t.Error(err)
		}
	})
	return gw
}

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// said is the text of a whole chat answer.
func said(t testing.TB, body []byte) string {
	t.Helper()
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Choices) == 0 {
		t.Fatalf("this is no chat answer: %s (%v)", body, err)
	}
	return answer.Choices[0].Message.Content
}

// gather is the text of a stream, to its end.
func gather(stream *sluice.Stream) (string, error) {
	var text strings.Builder
	for stream.Next() {
		if stream.Event().Channel == sluice.ChannelText {
			text.WriteString(stream.Event().Text)
		}
	}
	return text.String(), stream.Err()
}

// threads is how many OS threads this process has.
func threads(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("this system does not tell its threads: ", err)
	}
	return len(entries)
}

// until waits for something that comes by itself.
func until(t testing.TB, what string, true_ func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !true_() {
		if time.Now().After(deadline) {
			t.Fatalf("this has not come in %s: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// server is a real upstream on loopback.
func server(t testing.TB, handle http.HandlerFunc) object {
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return object{"name": "real", "provider": "openai-compatible", "url": s.URL + "/v1"}
}

// delta is an event of a chat stream.
func delta(text string) string {
	content, _ := json.Marshal(text)
	return `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":` + string(content) + "}}]}\n\n"
}

const streamEnd = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

// beginStream sends the head of a stream and its first words.
func beginStream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, delta(text))
	w.(http.Flusher).Flush()
}
