package sluice

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"sluice.example/sluice/internal/abi"
)

// Gateway is the engine threads, the upstreams, routes and consumers, and every call in flight. Many may live in one process;
// they share nothing. It listens on nothing unless Serve is called. It must be closed: nothing else ends its threads.
type Gateway struct {
	handle    abi.Gateway
	queue     *abi.Queue
	plugins   map[uint64]Plugin // by tag; never changes
	simulated *abi.Simulation   // nil: the gateway has threads, and the poller of its own
	polled    chan struct{}     // closed when the poller has ended

	// Held while C is called with the handle, so that Close frees it when nobody is inside.
	use    sync.RWMutex
	closed bool

	// Whoever drives a simulated gateway.
	driving sync.Mutex

	calls struct {
		sync.Mutex
		last uint64
		open map[uint64]*call // by tag
		done bool             // the poller ends when none is open
	}
	sessions sessionTable
}

// Open opens a gateway: from the path of a file, from JSON bytes, or from a struct or map that becomes the document. It touches no
// network. A configuration that is refused is an error with CodeInvalidConfiguration that names every mistake, one a line.
func Open(config interface{}, opts ...Option) (*Gateway, error) {
	given := options{}
	for _, set := range opts {
		set(&given)
	}
	source, err := configurationOf(config)
	if err != nil {
		return nil, err
	}
	o, e := abi.NewOptions()
	if e != nil {
		return nil, errorOf(e)
	}
	defer o.Close()
	if source.path != "" {
		e = o.SetFile(source.path)
	} else {
		e = o.SetJSON(source.json)
	}
	if e != nil {
		return nil, errorOf(e)
	}
	queue, e := abi.NewQueue()
	if e != nil {
		return nil, errorOf(e)
	}
	g := &Gateway{queue: queue, plugins: map[uint64]Plugin{}, polled: make(chan struct{})}
	g.calls.open = map[uint64]*call{}
	g.sessions.open = map[uint64]*session{}
	if err = given.carry(o, queue, g.plugins); err == nil {
		g.handle, e = o.Open()
		err = errorOf(e)
	}
	if err == nil && given.simulation == nil {
		err = g.refuseHostDriven()
	}
	if err != nil {
		queue.Free()
		return nil, err
	}
	if given.simulation != nil {
		s := given.simulation.Handle()
		g.simulated = &s
		close(g.polled)
		return g, nil
	}
	go g.poll()
	return g, nil
}

// A gateway without threads waits for an event loop to drive it. Go programs have none.
func (g *Gateway) refuseHostDriven() error {
	driven, e := g.handle.HostDriven()
	if e == nil && !driven {
		return nil
	}
	g.handle.Free()
	if e != nil {
		return errorOf(e)
	}
	return failed(CodeInvalidConfiguration, "/gateway/threads is 0, which asks the program to drive the gateway; a Go program needs at least 1 (or sluice.WithThreads)")
}

// enter gives what C is to be called with, until leave.
func (g *Gateway) enter() error {
	g.use.RLock()
	if g.closed {
		g.use.RUnlock()
		return closedError()
	}
	return nil
}

func closedError() error {
	return &Error{Code: CodeClosed, Origin: OriginGateway, RetryAfter: -1, Message: "the gateway is closed"}
}

func (g *Gateway) leave() { g.use.RUnlock() }

// Close cancels what is open and ends the engine threads. Every call that was open ends: its reader gets an error with CodeClosed
// or CodeCancelled. Again, it does nothing. It waits for the hooks of plugins that
// run, so that it must not be called from one.
func (g *Gateway) Close() error {
	g.use.RLock()
	if g.closed {
		g.use.RUnlock()
		<-g.polled
		return nil
	}
	// Nobody is kept out while it closes: calls that come now are refused by the library itself.
	e := g.end()
	g.use.RUnlock()
	if e != nil {
		return errorOf(e)
	}
	g.sessions.end()
	g.driving.Lock()
	defer g.driving.Unlock()
	g.use.Lock()
	defer g.use.Unlock()
	if !g.closed {
		g.closed = true
		g.handle.Free()
		g.queue.Free()
	}
	return nil
}

// end closes the gateway and sees to it that every call hears of its end.
func (g *Gateway) end() *abi.Error {
	finish := func() {
		g.calls.Lock()
		g.calls.done = true
		g.calls.Unlock()
	}
	if g.simulated == nil {
		if e := g.handle.Close(); e != nil {
			return e
		}
		finish()
		g.queue.Wake()
		<-g.polled
		return nil
	}
	g.driving.Lock()
	defer g.driving.Unlock()
	if e := g.handle.Close(); e != nil {
		return e
	}
	finish()
	for g.open() != 0 {
		if n, e := g.deliver(0); n == 0 || e != nil {
			break
		}
	}
	return nil
}

// Reload puts another configuration in force, given as Open takes it. Calls that run keep theirs. A configuration that is refused
// leaves the old one in force.
func (g *Gateway) Reload(config interface{}) error {
	source, err := configurationOf(config)
	if err != nil {
		return err
	}
	if err = g.enter(); err != nil {
		return err
	}
	defer g.leave()
	if source.path != "" {
		return errorOf(g.handle.ReloadFile(source.path))
	}
	return errorOf(g.handle.ReloadJSON(source.json))
}

// Dump is the configuration in force, defaults included, secrets masked.
func (g *Gateway) Dump() (json.RawMessage, error) {
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer g.leave()
	document, e := g.handle.Dump()
	return document, errorOf(e)
}

// Explanation says which route and upstream a request would take, and why.
type Explanation struct {
	Status int             // 200, or that of the refusal
	Text   string          // for a person
	JSON   json.RawMessage // for a program
}

// Explain says what would become of a request. Nothing is sent.
func (g *Gateway) Explain(r *Request) (*Explanation, error) {
	packed, err := r.pack()
	if err != nil {
		return nil, err
	}
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer g.leave()
	status, said, document, e := g.handle.Explain(packed)
	if e != nil {
		return nil, errorOf(e)
	}
	return &Explanation{int(status), string(said), document}, nil
}

// Statistics counts what happened since the gateway opened, unless said otherwise.
type Statistics struct {
	ExchangesStarted   uint64
	ExchangesOpen      uint64 // now
	Completed          uint64
	Refused            uint64
	Failed             uint64
	Cancelled          uint64
	BodyBytesHeld      uint64 // of requests, now
	ReplayedSends      uint64
	DecodedAnswers     uint64
	PluginErrors       uint64
	PluginTimeouts     uint64
	PluginsFailedOpen  uint64
	IgnoredResumes     uint64
	UnrecordedVerdicts uint64
	MaxLoopLag         time.Duration // the longest a loop was busy since this was last asked
	Engines            uint64
	EventsWritten      uint64 // telemetry lines in their files
	EventsDropped      uint64
}

// Statistics are the gateway's counters.
func (g *Gateway) Statistics() (Statistics, error) {
	if err := g.enter(); err != nil {
		return Statistics{}, err
	}
	defer g.leave()
	s, e := g.handle.Statistics()
	return Statistics{
		ExchangesStarted: s.ExchangesStarted, ExchangesOpen: s.ExchangesOpen, Completed: s.Completed, Refused: s.Refused,
		Failed: s.Failed, Cancelled: s.Cancelled, BodyBytesHeld: s.BodyBytesHeld, ReplayedSends: s.ReplayedSends,
		DecodedAnswers: s.DecodedAnswers, PluginErrors: s.PluginErrors, PluginTimeouts: s.PluginTimeouts,
		PluginsFailedOpen: s.PluginsFailedOpen, IgnoredResumes: s.IgnoredResumes, UnrecordedVerdicts: s.UnrecordedVerdicts,
		MaxLoopLag: s.MaxLoopLag, Engines: s.Engines, EventsWritten: s.EventsWritten, EventsDropped: s.EventsDropped,
	}, errorOf(e)
}

// Server is the listener of a gateway: HTTP/1.1 on the addresses its configuration lists, on the gateway's own threads.
type Server struct {
	gateway *Gateway
	use     sync.Mutex
	handle  *abi.Server // nil when closed
	bound   []string
}

// Serve binds the addresses of the configuration and starts to accept. The server stops at once when the gateway closes.
func (g *Gateway) Serve() (*Server, error) {
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer g.leave()
	s, e := g.handle.Serve()
	if e != nil {
		return nil, errorOf(e)
	}
	return &Server{gateway: g, handle: &s, bound: s.Addresses()}, nil
}

// Addresses are those really bound, each as host:port, in the order of the configuration.
func (s *Server) Addresses() []string { return append([]string(nil), s.bound...) }

// Drain stops to accept and lets what runs finish; what has not when the context ends is ended with an error in its caller's
// dialect. It returns when all connections are closed.
func (s *Server) Drain(ctx context.Context) error {
	s.use.Lock()
	defer s.use.Unlock()
	if s.handle == nil {
		return nil
	}
	// The library takes a time, not a moment to be told: a context without one gives what runs all the time it needs.
	patience := 24 * time.Hour
	if end, bounded := ctx.Deadline(); bounded {
		if patience = time.Until(end); patience < 0 {
			patience = 0
		}
	}
	if ctx.Err() != nil {
		patience = 0
	}
	return errorOf(s.handle.Drain(patience))
}

// Close stops at once: what is open is cancelled.
func (s *Server) Close() error {
	s.use.Lock()
	defer s.use.Unlock()
	if s.handle != nil {
		s.handle.Free()
		s.handle = nil
	}
	return nil
}
