// Package sluicetest tests your own configuration: upstreams that are scripted, time that passes when it is told, chance with a
// seed. No network, no waiting; the same every time.
//
//	sim := sluicetest.New(7)
//	defer sim.Close()
//	sim.Upstream("openai").FailsWith(503)
//	gw, err := sluice.Open("gateway.json", sluice.WithSimulation(sim))
//	answer, err := gw.Send(ctx, sluice.Post("/v1/chat/completions", body))
//	// answer.Outcome.Attempts says who was asked, and why that was not enough
//
// Whoever waits for an answer of such a gateway (Do, Send, a body's Read, a stream's Next) moves the time until it is there, and
// no further: retries, time-outs and slow upstreams take as long as they take, in no time. Hooks of plugins are called on the
// goroutine that waits; they must not call the gateway. Advance moves the time where nobody waits.
package sluicetest

import (
	"time"

	"sluice.example/sluice"
	"sluice.example/sluice/internal/abi"
)

// Simulation is scripted upstreams, a clock and a source of chance. It serves one gateway at a time. Thread: one at a time.
type Simulation struct {
	handle abi.Simulation
	seed   uint64
}

// New makes a simulation whose chance comes from the seed. It panics where there is no memory.
func New(seed uint64) *Simulation {
	s, err := abi.NewSimulation(seed)
	must(err)
	if seed == 0 {
		seed = 1 // to a gateway, 0 is no seed
	}
	return &Simulation{s, seed}
}

// Handle and Seed are for package sluice alone.
func (s *Simulation) Handle() abi.Simulation { return s.handle }

// Seed is what the gateway's chance and ids come from too, unless it is told another (sluice.WithSeed).
func (s *Simulation) Seed() uint64 { return s.seed }

// Close frees the simulation, also before its gateway.
func (s *Simulation) Close() { s.handle.Free() }

// Now is how much time has passed since the simulation's first moment.
func (s *Simulation) Now() time.Duration { return s.handle.Now() }

// Advance lets exactly so much time pass, with all that falls due in it. 0 does what is due now.
func (s *Simulation) Advance(gateway *sluice.Gateway, d time.Duration) error {
	return gateway.Drive(func(g abi.Gateway) *abi.Error { return s.handle.Advance(g, d) })
}

// Seen is a request as an upstream saw it.
type Seen struct {
	Upstream string
	Method   string
	Target   string
	Body     []byte
	At       time.Duration
}

// Seen are all requests that reached an upstream, in the order they came.
func (s *Simulation) Seen() []Seen {
	all, err := s.handle.Seen()
	must(err)
	seen := make([]Seen, 0, len(all))
	for _, one := range all {
		seen = append(seen, Seen(one))
	}
	return seen
}

// Forget forgets them.
func (s *Simulation) Forget() { s.handle.ForgetSeen() }

// Script is what one upstream answers. The last word counts; a change holds for the requests that come after it. What no script
// can say (a header field with a line break) panics: a script is part of a test's text.
type Script struct{ handle abi.Script }

// Upstream is the script of the upstream of that name.
func (s *Simulation) Upstream(name string) *Script {
	script, err := s.handle.Script(name)
	must(err)
	return &Script{script}
}

// Answers with this text, a word or a punctuation mark to a token.
func (s *Script) Answers(text string) *Script { return s.done(s.handle.Answer(text)) }

// Generates made-up text of exactly so many tokens.
func (s *Script) Generates(tokens uint64) *Script { return s.done(s.handle.Generate(tokens)) }

// Refuses to answer, in these words.
func (s *Script) Refuses(text string) *Script { return s.done(s.handle.Refuse(text)) }

// CallsTool answers with a call of one tool. `arguments` is a JSON text.
func (s *Script) CallsTool(name, arguments string) *Script {
	return s.done(s.handle.CallTool(name, arguments))
}

// Body answers with these very bytes, whatever was asked.
func (s *Script) Body(contentType string, bytes []byte) *Script {
	return s.done(s.handle.Body(contentType, bytes))
}

// StreamBytes does the same for requests that stream.
func (s *Script) StreamBytes(bytes []byte) *Script { return s.done(s.handle.Stream(bytes)) }

// Usage is stated instead of the exact count.
func (s *Script) Usage(input, output uint64) *Script { return s.done(s.handle.Usage(input, output)) }

// Header puts a field on every answer.
func (s *Script) Header(name, value string) *Script { return s.done(s.handle.Header(name, value)) }

// Pieces lets the body leave in pieces of so many bytes; 0: as it comes.
func (s *Script) Pieces(bytes int) *Script { return s.done(s.handle.Pieces(bytes)) }

// Pace is how fast, counted from the arrival of a request. All 0: at once.
type Pace struct {
	Head            time.Duration // until the head of a stream
	FirstToken      time.Duration // until the first content
	Jitter          time.Duration // up to so much on top, from the seed
	Ping            time.Duration // a comment in every silence this long; 0: none
	TokensPerSecond float64       // 0: no pause between tokens
}

// Paces says how fast.
func (s *Script) Paces(p Pace) *Script {
	return s.done(s.handle.Pace(p.Head, p.FirstToken, p.Jitter, p.Ping, p.TokensPerSecond))
}

// FaultKind is what goes wrong.
type FaultKind int32

const (
	None          FaultKind = 0  // forgets all faults
	Status        FaultKind = 1  // Status, with an error body in the dialect's shape
	ErrorInStream FaultKind = 2  // 200, AfterEvents events, then an error event
	Cut           FaultKind = 3  // the connection ends at body byte AtByte
	Reset         FaultKind = 4  // the same with a reset
	Stall         FaultKind = 5  // nothing more comes after body byte AtByte
	SlowHead      FaultKind = 6  // the head comes one byte every Step
	Garbage       FaultKind = 7  // bytes that are no HTTP answer
	HTML          FaultKind = 8  // 200 with an HTML page where JSON belongs
	Refuse        FaultKind = 9  // the connection is refused
	HangUp        FaultKind = 10 // the connection ends before the first byte of the head
)

// Fault is what goes wrong, and which requests meet it: those that arrive from From until Until of the simulation's time, the first
// Times of them. Several may stand: the first that still applies is taken. One without limits is forgotten when the next is set.
type Fault struct {
	Kind        FaultKind
	Status      int
	AtByte      uint64
	AfterEvents uint64
	Step        time.Duration
	RetryAfter  time.Duration // Status: told in Retry-After, in whole seconds; 0: not told
	From        time.Duration
	Until       time.Duration // 0: no end
	Times       uint64        // 0: all
}

// Fails in that way.
func (s *Script) Fails(f Fault) *Script {
	return s.done(s.handle.Fault(abi.Fault{
		Kind: int32(f.Kind), Status: int32(f.Status), AtByte: f.AtByte, AfterEvents: f.AfterEvents, Step: f.Step,
		RetryAfter: f.RetryAfter, From: f.From, Until: f.Until, Times: f.Times,
	}))
}

// FailsWith answers every request with an error of that status.
func (s *Script) FailsWith(status int) *Script { return s.Fails(Fault{Kind: Status, Status: status}) }

// Recovers from all faults.
func (s *Script) Recovers() *Script { return s.Fails(Fault{Kind: None}) }

func (s *Script) done(err *abi.Error) *Script {
	must(err)
	return s
}

func must(err *abi.Error) {
	if err != nil {
		panic("sluicetest: " + err.Message)
	}
}
