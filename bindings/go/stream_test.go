package sluice_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice.example/sluice"
	"sluice.example/sluice/sluicetest"
)

func TestAStreamGivesTheTextInOrderAndItsAccount(t *testing.T) {
	gw := open(t, chatOn(says("one two three, four.")))
	stream, err := gw.Stream(patient(t), streaming())
	if err != nil {
		t.Fatal(err)
	}
	status, header, err := stream.Head()
	if err != nil || status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/event-stream") {
		t.Errorf("head: %d %v %v", status, header, err)
	}
	text, err := gather(stream)
	if err != nil || text != "one two three, four." {
		t.Errorf("%q %v", text, err)
	}
	outcome, err := stream.Outcome()
	if err != nil || outcome.Ending != sluice.Completed || !outcome.Streamed || outcome.Usage.OutputTokens <= 0 || outcome.FinishReason == "" {
		t.Errorf("%+v %v", outcome, err)
	}
	if stream.Next() || stream.Event() != (sluice.Event{}) {
		t.Error("a stream that has ended goes on")
	}
}

func TestAStreamTellsACallOfAToolByItsNameAndItsArguments(t *testing.T) {
	sim := sluicetest.New(1)
	defer sim.Close()
	gw := open(t, chatOn(says("x")), sluice.WithSimulation(sim))
	sim.Upstream("demo").CallsTool("get_weather", `{"city": "Oslo"}`)
	stream, err := gw.Stream(context.Background(), streaming())
	if err != nil {
		t.Fatal(err)
	}
	var name, arguments string
	for stream.Next() {
		switch event := stream.Event(); event.Channel {
		case sluice.ChannelToolName:
			name += event.Text
		case sluice.ChannelToolArguments:
			arguments += event.Text
		}
	}
	if stream.Err() != nil || name != "get_weather" || !strings.Contains(arguments, "Oslo") {
		t.Errorf("%q %q %v", name, arguments, stream.Err())
	}
}

func TestAnAnswerThatIsAnErrorIsAnErrorOfTheStream(t *testing.T) {
	for what, settings := range map[string]object{"an upstream that is down": {"status": 503}, "one that knows better": {"status": 400}} {
		gw := open(t, chatOn(simulated("demo", settings)))
		stream, err := gw.Stream(patient(t), streaming())
		if err != nil {
			t.Fatal(err)
		}
		_, err = gather(stream)
		var e *sluice.Error
		if !errors.As(err, &e) || e.Status != settings["status"] || e.Message == "" || e.Code == sluice.CodeOK {
			t.Errorf("%s: %#v", what, err)
		}
	}
	gw := open(t, chatOn(says("x")))
	stream, err := gw.Stream(patient(t), sluice.Post("/v1/nowhere", object{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = gather(stream); !errors.Is(err, sluice.CodeRouteNotFound) {
		t.Errorf("nobody takes it: %v", err)
	}
}

func TestAStreamOfWhatHasNoTextGivesItsBytes(t *testing.T) {
	config := chatOn(server(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "any bytes") }))
	config["routes"].(list)[0] = object{"name": "opaque", "operation": "opaque", "upstreams": list{object{"name": "real"}}}
	gw := open(t, config)
	stream, err := gw.Stream(patient(t), sluice.Get("/v1/files/1"))
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for stream.Next() {
		if stream.Event().Channel != sluice.ChannelBody {
			t.Errorf("%+v", stream.Event())
		}
		got += stream.Event().Text
	}
	if got != "any bytes" || stream.Err() != nil {
		t.Errorf("%q %v", got, stream.Err())
	}
}

func TestAStreamThatBreaksOffSaysSo(t *testing.T) {
	sim := sluicetest.New(3)
	defer sim.Close()
	gw := open(t, chatOn(says("x")), sluice.WithSimulation(sim))
	sim.Upstream("demo").Answers("one two three four five six seven").Fails(sluicetest.Fault{Kind: sluicetest.ErrorInStream, AfterEvents: 3})
	stream, err := gw.Stream(context.Background(), streaming())
	if err != nil {
		t.Fatal(err)
	}
	text, err := gather(stream)
	if err == nil || text == "" {
		t.Errorf("%q %v", text, err)
	}
	outcome, err := stream.Outcome()
	if err != nil || outcome.Ending != sluice.Failed {
		t.Errorf("%+v %v", outcome, err)
	}
}

func TestTimeOfASimulationMovesOnlyAsFarAsItsReaderWaits(t *testing.T) {
	sim := sluicetest.New(3)
	defer sim.Close()
	gw := open(t, chatOn(says("x")), sluice.WithSimulation(sim))
	sim.Upstream("demo").Generates(1000).Paces(sluicetest.Pace{FirstToken: time.Second, TokensPerSecond: 1})
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := gw.Stream(ctx, streaming())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 3; i++ {
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
	}
	if now := sim.Now(); now < 2*time.Second || now > 10*time.Second {
		t.Errorf("after three tokens it is %s", now)
	}
	cancel()
	if stream.Next() || !errors.Is(stream.Err(), context.Canceled) {
		t.Errorf("after cancel: %v", stream.Err())
	}
	outcome, err := stream.Outcome()
	if err != nil || outcome.Ending != sluice.Cancelled || sim.Now() > 10*time.Second {
		t.Errorf("%+v %v at %s", outcome, err, sim.Now())
	}
}

func TestTheEndOfAContextEndsAStream(t *testing.T) {
	left := make(chan time.Time, 1)
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		beginStream(w, "first")
		<-r.Context().Done()
		left <- time.Now()
	})))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := gw.Stream(ctx, streaming())
	if err != nil || !stream.Next() || stream.Event().Text != "first" {
		t.Fatal(err, stream.Event(), stream.Err())
	}
	asked := time.Now()
	cancel()
	if stream.Next() || !errors.Is(stream.Err(), context.Canceled) {
		t.Errorf("%v", stream.Err())
	}
	select {
	case at := <-left:
		if took := at.Sub(asked); took > 100*time.Millisecond {
			t.Errorf("the upstream heard of it after %s", took)
		}
	case <-patient(t).Done():
		t.Fatal("the upstream never heard of it")
	}
	outcome, err := stream.Outcome()
	if err != nil || outcome.Ending != sluice.Cancelled {
		t.Errorf("%+v %v", outcome, err)
	}
}

// ABI-12: blocking in C would need a thread for each.
func TestTwoHundredLiveStreamsNeedNoMoreThreadsThanFew(t *testing.T) {
	config := chatOn(simulated("demo", object{"answer": strings.Repeat("word ", 2000), "tokens_per_second": 20}))
	gw := open(t, config)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ended sync.WaitGroup
	begin := func(count int) {
		var begun sync.WaitGroup
		for i := 0; i < count; i++ {
			begun.Add(1)
			ended.Add(1)
			go func() {
				defer ended.Done()
				stream, err := gw.Stream(ctx, streaming())
				if err != nil {
					t.Error(err)
					begun.Done()
					return
				}
				defer stream.Close()
				if !stream.Next() {
					t.Error(stream.Err())
				}
				begun.Done()
				for stream.Next() {
				}
				if !errors.Is(stream.Err(), context.Canceled) {
					t.Errorf("a stream ended by itself: %v", stream.Err())
				}
			}()
		}
		begun.Wait()
	}
	begin(10)
	few := threads(t)
	begin(200)
	counted, err := gw.Statistics()
	if err != nil || counted.ExchangesOpen != 210 {
		t.Errorf("%d exchanges are open: %v", counted.ExchangesOpen, err)
	}
	// The Go runtime makes a thread now and then for its own ends.
	if many := threads(t); many > few+8 {
		t.Errorf("10 streams have %d threads, 210 have %d", few, many)
	} else {
		t.Logf("10 streams: %d threads; 210 streams: %d", few, many)
	}
	cancel()
	ended.Wait()
	until(t, "all of them are drained to their END", func() bool {
		counted, err := gw.Statistics()
		return err == nil && counted.ExchangesOpen == 0 && counted.Cancelled == 210
	})
}

func TestAStreamNobodyReadsHoldsUpNoOther(t *testing.T) {
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Connection", "close") // each stream on a connection of its own
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < 3000; i++ {
			if _, err := io.WriteString(w, delta(strings.Repeat("x", 100))); err != nil {
				return
			}
		}
		io.WriteString(w, streamEnd)
	})))
	idle, err := gw.Stream(patient(t), streaming())
	if err != nil || !idle.Next() {
		t.Fatal(err, idle.Err())
	}
	for i := 0; i < 3; i++ {
		stream, err := gw.Stream(patient(t), streaming())
		if err != nil {
			t.Fatal(err)
		}
		if text, err := gather(stream); err != nil || len(text) != 300_000 {
			t.Fatalf("%d characters, %v", len(text), err)
		}
	}
	rest, err := gather(idle)
	if err != nil || len(rest) != 299_900 {
		t.Errorf("the idle one: %d characters, %v", len(rest), err)
	}
}

func TestManyGoroutinesShareAGateway(t *testing.T) {
	gw := open(t, chatOn(says("all the same to everyone")), sluice.WithThreads(2))
	var all sync.WaitGroup
	for i := 0; i < 16; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			for n := 0; n < 20; n++ {
				stream, err := gw.Stream(patient(t), streaming())
				if err != nil {
					t.Error(err)
					return
				}
				if (i+n)%5 == 0 {
					stream.Next()
					stream.Close()
					continue
				}
				if text, err := gather(stream); err != nil || text != "all the same to everyone" {
					t.Errorf("%q %v", text, err)
				}
			}
		}(i)
	}
	all.Wait()
	until(t, "nothing is open", func() bool {
		counted, err := gw.Statistics()
		return err == nil && counted.ExchangesOpen == 0 && counted.ExchangesStarted == 320
	})
}

func TestTheListenerServesTheSameGateway(t *testing.T) {
	config := chatOn(says("over the wire"))
	config["gateway"] = object{"listen": list{object{"address": "127.0.0.1:0"}}}
	gw := open(t, config)
	listener, err := gw.Serve()
	if err != nil {
		t.Fatal(err)
	}
	addresses := listener.Addresses()
	if len(addresses) != 1 || strings.HasSuffix(addresses[0], ":0") {
		t.Fatal(addresses)
	}
	response, err := http.Post("http://"+addresses[0]+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if said(t, body) != "over the wire" {
		t.Errorf("%s", body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	http.DefaultClient.CloseIdleConnections()
	if err := listener.Drain(ctx); err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + addresses[0] + "/healthz"); err == nil {
		t.Error("a listener that was drained accepts")
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}
