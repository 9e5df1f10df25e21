package sluice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice.example/sluice"
	"sluice.example/sluice/internal/abi"
)

func TestARequestGoesThroughAsOnTheWire(t *testing.T) {
	var seen atomic.Value
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen.Store(string(body))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "from-upstream")
		io.WriteString(w, `{"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)
	})))
	response, err := gw.Do(patient(t), sluice.Post("/v1/chat/completions", `{"model":"m",  "messages":[{"role":"user","content":"é"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Status != 200 || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("head: %d %v", response.Status, response.Header)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || said(t, body) != "hi" {
		t.Errorf("body: %s %v", body, err)
	}
	if seen.Load() != `{"model":"m",  "messages":[{"role":"user","content":"é"}]}` {
		t.Errorf("the upstream got %v", seen.Load())
	}
	outcome, err := response.Outcome()
	if err != nil || outcome.Ending != sluice.Completed || outcome.Route != "chat" || len(outcome.Attempts) != 1 ||
		outcome.Attempts[0].Upstream != "real" || outcome.Total <= 0 || outcome.StartedAt.IsZero() {
		t.Errorf("outcome: %+v %v", outcome, err)
	}
}

func TestARequestNobodyTakesIsAnAnswerWithItsStatus(t *testing.T) {
	gw := open(t, chatOn(says("x")))
	answer, err := gw.Send(patient(t), sluice.Get("/v1/nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != 404 || answer.Outcome.Ending != sluice.Refused || answer.Outcome.Code != sluice.CodeRouteNotFound {
		t.Errorf("%d %+v", answer.Status, answer.Outcome)
	}
	if !bytes.Contains(answer.Body, []byte("route_not_found")) {
		t.Errorf("body: %s", answer.Body)
	}
}

func TestARequestThatCannotBeMadeIsAnError(t *testing.T) {
	gw := open(t, chatOn(says("x")))
	if _, err := gw.Do(patient(t), sluice.Post("/v1/chat/completions", make(chan int))); !errors.Is(err, sluice.CodeInvalidJSON) {
		t.Errorf("a body of no JSON: %v", err)
	}
	r := chat()
	r.Header = http.Header{"X-Bad": {"a\r\nb: c"}}
	if _, err := gw.Do(patient(t), r); !errors.Is(err, sluice.CodeInvalidHeader) {
		t.Errorf("a field with a line break: %v", err)
	}
	if _, err := gw.Do(patient(t), nil); err == nil {
		t.Error("no request at all was sent")
	}
}

func TestManyHeaderFieldsArrive(t *testing.T) {
	got := make(chan http.Header, 1)
	config := chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		io.WriteString(w, `{}`)
	}))
	config["routes"].(list)[0].(object)["forward_headers"] = list{"x-many-*"}
	gw := open(t, config)
	r := chat()
	r.Header = http.Header{}
	for i := 0; i < 60; i++ {
		r.Header.Set(fmt.Sprintf("X-Many-%d", i), fmt.Sprint(i))
	}
	if _, err := gw.Send(patient(t), r); err != nil {
		t.Fatal(err)
	}
	seen := <-got
	for name, values := range r.Header {
		if seen.Get(name) != values[0] {
			t.Errorf("%s arrived as %q", name, seen.Get(name))
		}
	}
}

// CONS of ABI-16: consumers are configured, the in-process call names one or does not.
func TestACallWithoutAConsumerIsRefusedWhereConsumersAreConfigured(t *testing.T) {
	config := chatOn(says("served"))
	config["consumers"] = list{object{"name": "app", "keys": list{object{"sha256": strings.Repeat("1", 64)}}}}
	gw := open(t, config)
	answer, err := gw.Send(patient(t), chat())
	if err != nil || answer.Status != 401 || answer.Outcome.Code != sluice.CodeUnauthorized {
		t.Fatalf("without: %+v %v", answer, err)
	}
	named := chat()
	named.Consumer = "app"
	named.Header = http.Header{"Authorization": {"Bearer unused"}}
	if answer, err = gw.Send(patient(t), named); err != nil || answer.Status != 200 || answer.Outcome.Consumer != "app" {
		t.Errorf("with the consumer of the request: %+v %v", answer, err)
	}
	if answer, err = gw.Send(sluice.WithConsumer(patient(t), "app"), chat()); err != nil || answer.Status != 200 {
		t.Errorf("with that of the context: %+v %v", answer, err)
	}
	client := &http.Client{Transport: sluice.RoundTripper(gw, sluice.AsConsumer("app"))}
	response, err := client.Post("http://sluice/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
	if err != nil || response.StatusCode != 200 {
		t.Errorf("with that of the transport: %v %v", response, err)
	} else {
		response.Body.Close()
	}
	if response, err = (&http.Client{Transport: sluice.RoundTripper(gw)}).Get("http://sluice/v1/chat/completions"); err != nil || response.StatusCode != 401 {
		t.Errorf("a transport without: %v %v", response, err)
	} else {
		response.Body.Close()
	}
}

func TestTheTransportServesAnyHTTPClient(t *testing.T) {
	gw := open(t, chatOn(says("through the transport")))
	told := make(chan *sluice.Outcome, 2)
	client := &http.Client{Transport: sluice.RoundTripper(gw, sluice.OnOutcome(func(r *http.Request, o *sluice.Outcome) {
		if r.URL.Path == "/v1/chat/completions" {
			told <- o
		}
	}))}
	response, err := client.Post("http://sluice/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || said(t, body) != "through the transport" {
		t.Errorf("%s %v", body, err)
	}
	if response.ContentLength >= 0 && response.ContentLength != int64(len(body)) {
		t.Errorf("says %d bytes, has %d", response.ContentLength, len(body))
	}
	if response.Status != "200 OK" || response.Proto != "HTTP/1.1" || response.Request == nil {
		t.Errorf("%+v", response)
	}
	response.Body.Close()
	select {
	case o := <-told:
		if o.Ending != sluice.Completed || len(o.Attempts) != 1 {
			t.Errorf("outcome: %+v", o)
		}
	case <-patient(t).Done():
		t.Error("nobody was told of the outcome")
	}
	if len(told) != 0 {
		t.Error("the outcome was told twice")
	}
}

func TestTheHostOfTheURLIsWhatRoutesMatch(t *testing.T) {
	config := chatOn(says("x"))
	config["routes"].(list)[0].(object)["match"] = object{"host": "api.internal"}
	gw := open(t, config)
	client := &http.Client{Transport: sluice.RoundTripper(gw)}
	for host, status := range map[string]int{"api.internal": 200, "elsewhere": 404} {
		response, err := client.Post("http://"+host+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %d", host, response.StatusCode)
		}
	}
}

type pieces struct {
	left   int
	closed chan struct{}
}

func (p *pieces) Read(to []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := len(to)
	if n > p.left {
		n = p.left
	}
	for i := range to[:n] {
		to[i] = 'x'
	}
	p.left -= n
	return n, nil
}

func (p *pieces) Close() error { close(p.closed); return nil }

func TestABodyOfUnknownLengthIsSentPieceByPieceAndClosed(t *testing.T) {
	const size = 300_000
	got := make(chan int64, 1)
	config := chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got <- n
		io.WriteString(w, `{}`)
	}))
	config["routes"].(list)[0] = object{"name": "opaque", "operation": "opaque", "upstreams": list{object{"name": "real"}}}
	gw := open(t, config)
	body := &pieces{size, make(chan struct{})}
	request, _ := http.NewRequestWithContext(patient(t), "POST", "http://sluice/v1/files", body)
	response, err := (&http.Client{Transport: sluice.RoundTripper(gw)}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if n := <-got; n != size || response.StatusCode != 200 {
		t.Errorf("%d bytes of %d arrived; status %d", n, size, response.StatusCode)
	}
	select {
	case <-body.closed:
	case <-patient(t).Done():
		t.Error("the body was not closed")
	}
}

// CANCEL: the upstream hears of the end of the context, in at most 100 ms, whatever the reader does.
func TestTheEndOfAContextReachesTheUpstream(t *testing.T) {
	for _, reading := range []bool{true, false} {
		left := make(chan time.Time, 1)
		gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			beginStream(w, "first")
			<-r.Context().Done()
			left <- time.Now()
		})))
		ctx, cancel := context.WithCancel(context.Background())
		request, _ := http.NewRequestWithContext(ctx, "POST", "http://sluice/v1/chat/completions",
			strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`))
		response, err := (&http.Client{Transport: sluice.RoundTripper(gw)}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 4096)
		if _, err := response.Body.Read(buffer); err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		if reading {
			go func() {
				_, err := io.Copy(io.Discard, response.Body)
				result <- err
			}()
		}
		asked := time.Now()
		cancel()
		select {
		case at := <-left:
			if took := at.Sub(asked); took > 100*time.Millisecond {
				t.Errorf("reading %v: the upstream heard of it after %s", reading, took)
			}
		case <-patient(t).Done():
			t.Fatal("the upstream never heard of it")
		}
		if reading {
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("the reader got %v", err)
			}
		} else if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, context.Canceled) {
			t.Errorf("who reads afterwards gets %v", err)
		}
		response.Body.Close()
		until(t, "no exchange is open", func() bool {
			counted, err := gw.Statistics()
			return err == nil && counted.ExchangesOpen == 0 && counted.Cancelled == 1
		})
	}
}

func TestAContextThatEndsBeforeTheHeadEndsDo(t *testing.T) {
	gw := open(t, chatOn(simulated("demo", object{"first_token_ms": 60000})))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := gw.Do(ctx, chat()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := gw.Do(done, chat()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	until(t, "no exchange is open", func() bool {
		counted, err := gw.Statistics()
		return err == nil && counted.ExchangesOpen == 0
	})
}

func TestClosingABodyEarlyEndsTheCallAtItsUpstream(t *testing.T) {
	left := make(chan struct{})
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		beginStream(w, "first")
		<-r.Context().Done()
		close(left)
	})))
	response, err := gw.Do(patient(t), streaming())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	select {
	case <-left:
	case <-patient(t).Done():
		t.Fatal("the upstream goes on")
	}
	outcome, err := response.Outcome()
	if err != nil || outcome.Ending != sluice.Cancelled {
		t.Errorf("%+v %v", outcome, err)
	}
	if _, err := response.Body.Read(make([]byte, 1)); err == nil {
		t.Error("a closed body can be read")
	}
}

func TestAnAnswerThatIsCutOffIsAnErrorOfItsReader(t *testing.T) {
	config := chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, strings.Repeat("x", 500))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	config["routes"].(list)[0] = object{"name": "opaque", "operation": "opaque", "upstreams": list{object{"name": "real"}}}
	gw := open(t, config)
	response, err := gw.Do(patient(t), sluice.Get("/v1/files/1"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	var e *sluice.Error
	if !errors.As(err, &e) || !errors.Is(err, sluice.CodeUpstreamTruncated) {
		t.Errorf("after %d bytes: %v", len(body), err)
	}
}

func TestALongAnswerArrivesWholeHoweverSlowlyItIsRead(t *testing.T) {
	const size = 5 << 20
	var written atomic.Int64
	config := chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		block := bytes.Repeat([]byte("0123456789abcdef"), 1024)
		for sent := 0; sent < size; sent += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
			written.Add(int64(len(block)))
		}
	}))
	config["routes"].(list)[0] = object{"name": "opaque", "operation": "opaque", "upstreams": list{object{"name": "real"}}}
	gw := open(t, config)
	response, err := gw.Do(patient(t), sluice.Get("/v1/files/1"))
	if err != nil {
		t.Fatal(err)
	}
	// Nobody reads: the upstream stops where buffers are full, ours and the kernel's.
	var before int64 = -1
	until(t, "the upstream stands still", func() bool {
		now := written.Load()
		time.Sleep(100 * time.Millisecond)
		still := now == before && now > 0
		before = now
		return still
	})
	if before >= size {
		t.Errorf("all of %d bytes were taken though nobody reads", size)
	}
	var got bytes.Buffer
	if _, err := io.Copy(&got, response.Body); err != nil {
		t.Fatal(err)
	}
	if got.Len() != size || !bytes.Equal(got.Bytes(), bytes.Repeat([]byte("0123456789abcdef"), size/16)) {
		t.Errorf("%d bytes of %d arrived, or not as they were sent", got.Len(), size)
	}
}

// LEAK: goroutines, memory of C, functions that C may call.
func TestNothingIsLeftBehind(t *testing.T) {
	once := func() {
		gw, err := sluice.Open(chatOn(says("x")), sluice.WithLog(func(sluice.LogLevel, string) {}))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 20; i++ {
			ctx, cancel := context.WithCancel(context.Background())
			if _, err := gw.Send(ctx, chat()); err != nil {
				t.Fatal(err)
			}
			stream, err := gw.Stream(ctx, streaming())
			if err != nil {
				t.Fatal(err)
			}
			stream.Next()
			stream.Close()
			cancel()
		}
		if err := gw.Close(); err != nil {
			t.Fatal(err)
		}
	}
	once()
	resident := func() int {
		data, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip(err)
		}
		var total, resident int
		fmt.Sscan(string(data), &total, &resident)
		return resident * os.Getpagesize()
	}
	goroutines, before := runtime.NumGoroutine(), resident()
	for i := 0; i < 30; i++ {
		once()
	}
	until(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	if held := abi.LogsHeld(); held != 0 {
		t.Errorf("C may still call %d functions for lines of logs", held)
	}
	runtime.GC()
	if grown := resident() - before; grown > 40<<20 {
		t.Errorf("30 gateways and 1200 calls left %d KiB", grown>>10)
	}
}
