// Package benchmarks says what the Go binding costs: `go test -bench=. -benchmem` here, with pkg-config knowing sluice_c. The
// upstream is the simulated one, which answers at once on the gateway's own thread: what is measured is the gateway, the C ABI and
// the binding, without network. cpu-ns/op is the on-CPU time of the whole process, engine threads included.
package benchmarks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice.example/benchmarks/floor"
	"sluice.example/sluice"
)

const question = `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
const streamed = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`

func configured(words int) string {
	return fmt.Sprintf(`{
	  "version": 1,
	  "upstreams": [{"name": "demo", "provider": "simulator", "simulator": {"answer": %q}}],
	  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
	}`, strings.Repeat("word ", words))
}

func open(b *testing.B, words int, opts ...sluice.Option) *sluice.Gateway {
	gw, err := sluice.Open([]byte(configured(words)), opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { gw.Close() })
	return gw
}

// cpu is the on-CPU time of the process, in ns.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// measure runs one operation b.N times, tells the CPU of one, and gives how long all took. One more is run before.
func measure(b *testing.B, run func()) time.Duration {
	run()
	b.ReportAllocs()
	b.ResetTimer()
	began, before := time.Now(), cpu()
	for i := 0; i < b.N; i++ {
		run()
	}
	took := time.Since(began)
	b.StopTimer()
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
	return took
}

// A whole exchange with its account.
func BenchmarkSend(b *testing.B) {
	gw := open(b, 20)
	measure(b, func() {
		if answer, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", question)); err != nil || answer.Status != 200 {
			b.Fatal(err)
		}
	})
}

// A whole exchange through an http.Client.
func BenchmarkRoundTrip(b *testing.B) {
	gw := open(b, 20)
	client := &http.Client{Transport: sluice.RoundTripper(gw)}
	measure(b, func() {
		response, err := client.Post("http://sluice/v1/chat/completions", "application/json", strings.NewReader(question))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	})
}

// atOnce is how many exchanges are under way in the two benchmarks below.
const atOnce = 64

// The same on 64 goroutines.
func BenchmarkSendParallel(b *testing.B) {
	gw := open(b, 20)
	b.SetParallelism(atOnce / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", question)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// What the one above is measured against: the same exchanges, made by a program in C. A gateway is opened and closed for each run.
func BenchmarkFloorParallel(b *testing.B) {
	before := cpu()
	if err := floor.Exchanges(configured(20), question, atOnce, b.N); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// A stream of 2,000 words, read to its end: decoded deltas, or the bytes of the wire.
func BenchmarkDeltas(b *testing.B) {
	for _, streams := range []int{1, 64} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			gw := open(b, 2000)
			var deltas int
			var mutex sync.Mutex
			took := measure(b, func() {
				var all sync.WaitGroup
				for i := 0; i < streams; i++ {
					all.Add(1)
					go func() {
						defer all.Done()
						stream, err := gw.Stream(context.Background(), sluice.Post("/v1/chat/completions", streamed))
						if err != nil {
							b.Error(err)
							return
						}
						n := 0
						for stream.Next() {
							n++
						}
						if stream.Err() != nil || n < 1000 {
							b.Error(n, stream.Err())
						}
						mutex.Lock()
						deltas += n
						mutex.Unlock()
					}()
				}
				all.Wait()
			})
			b.ReportMetric(float64(deltas)*float64(b.N)/float64(b.N+1)/took.Seconds(), "deltas/s")
		})
	}
}

// A stream of 2,000 words as bytes of the wire.
func BenchmarkBody(b *testing.B) {
	gw := open(b, 2000)
	measure(b, func() {
		response, err := gw.Do(context.Background(), sluice.Post("/v1/chat/completions", streamed))
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
		response.Body.Close()
	})
}

type nothing struct{}

func (nothing) Name() string                         { return "nothing" }
func (nothing) Phase() sluice.Phase                  { return sluice.Guard }
func (nothing) Wants() sluice.Wants                  { return sluice.WantsRequest }
func (nothing) Open(*sluice.Exchange) sluice.Session { return sluice.BaseSession{} }

// An exchange that a plugin is asked about.
func BenchmarkSendWithPlugin(b *testing.B) {
	gw := open(b, 20, sluice.WithPlugin(nothing{}))
	measure(b, func() {
		if _, err := gw.Send(context.Background(), sluice.Post("/v1/chat/completions", question)); err != nil {
			b.Fatal(err)
		}
	})
}

// TestABenchmarkHasSomethingToMeasure keeps the programs above honest where they are only built.
func TestABenchmarkHasSomethingToMeasure(t *testing.T) {
	if cpu() <= 0 {
		t.Error("the process says it used no time")
	}
}
