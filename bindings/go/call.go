package sluice

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"sluice.example/sluice/internal/abi"
)

// window is how many bytes of content may come that nobody has read yet. Half of it is given back at once when it was read.
const window = 64 << 10

// call is one call from its submission to its END. What comes is put in by the poller, which never waits, and taken out by one
// reader. The window bounds what lies here.
type call struct {
	gateway *Gateway
	id      uint64 // what the C ABI calls it; set before anybody else knows the call
	tag     uint64
	keep    bool             // the account is wanted
	told    func(o *Outcome) // gets the account, once
	deltas  bool             // the answer comes as events
	bell    chan struct{}    // holds one when something came
	over    chan struct{}    // closed at the END
	unwatch func()           // ends the watch over the context

	sync.Mutex
	head      *head
	bytes     []byte  // of CHUNK events, one behind the other
	events    []Event // of a stream
	end       *end
	abandoned bool // nobody reads any more: what comes is dropped
	wasTold   bool
	failure   error

	room struct { // what head and end point to
		head head
		end  end
	}
}

type head struct {
	status int
	header http.Header
}

type end struct {
	ending, status int32
	code           Code
	message        string
	outcome        *Outcome
	lost           error // why there is no account
}

// submit sends a request. `ctx` ends it.
func (g *Gateway) submit(ctx context.Context, r *Request, answer int32, keep bool, told func(*Outcome)) (*call, error) {
	if err := ctx.Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	if r != nil && r.Consumer == "" {
		if consumer := consumerOf(ctx); consumer != "" {
			named := *r
			named.Consumer = consumer
			r = &named
		}
	}
	packed, err := r.pack()
	if err != nil {
		closeBody(r)
		return nil, err
	}
	packed.Answer = answer
	packed.Credit = window
	c := &call{gateway: g, keep: keep || told != nil, told: told, deltas: answer == abi.AnswerDeltas, bell: make(chan struct{}, 1), over: make(chan struct{})}
	if err := g.enter(); err != nil {
		closeBody(r)
		return nil, err
	}
	g.calls.Lock()
	g.calls.last++
	c.tag = g.calls.last
	g.calls.open[c.tag] = c
	g.calls.Unlock()
	id, e := g.handle.Submit(g.queue, c.tag, packed)
	if e != nil {
		g.forget(c.tag)
		// A gateway that closes waits until no call is open: this one has no END to tell it.
		g.queue.Wake()
	}
	g.leave()
	if e != nil {
		closeBody(r)
		return nil, errorOf(e)
	}
	c.id = id
	if ctx.Done() != nil {
		c.unwatch = watch(ctx, c)
	}
	if r.BodyReader != nil {
		go c.send(r.BodyReader)
	}
	return c, nil
}

func closeBody(r *Request) {
	if r == nil {
		return
	}
	if closer, is := r.BodyReader.(io.Closer); is {
		closer.Close()
	}
}

// send gives the pieces of a body, until its end or that of the call.
func (c *call) send(body io.Reader) {
	if closer, is := body.(io.Closer); is {
		defer closer.Close()
	}
	piece := make([]byte, 32<<10)
	for {
		if c.isOver() {
			return
		}
		n, err := body.Read(piece)
		if err != nil && err != io.EOF {
			c.fail(err)
			return
		}
		if c.gateway.enter() != nil {
			return
		}
		e := c.gateway.handle.CallBody(c.id, piece[:n], err == io.EOF)
		c.gateway.leave()
		if e != nil {
			c.fail(errorOf(e))
			return
		}
		if err == io.EOF {
			return
		}
	}
}

// fail ends the call for a reason of the caller's own.
func (c *call) fail(reason error) {
	c.Lock()
	if c.failure == nil {
		c.failure = reason
	}
	c.Unlock()
	c.ring()
	c.cancel()
}

// cancel asks the upstream's exchange to end. The END still comes, and the poller takes it.
func (c *call) cancel() {
	if c.gateway.enter() != nil {
		return
	}
	c.gateway.handle.Cancel(c.id)
	c.gateway.leave()
}

// patience is how long an answer that was read to its last byte may take to say that it ends, before it is taken for one that
// was left early. Clients stop to read at the last event they know.
const patience = 10 * time.Millisecond

// abandon is the reader's last word: an answer that has not ended is ended.
func (c *call) abandon() {
	c.Lock()
	again, unread := c.abandoned, len(c.bytes)+len(c.events)
	c.abandoned = true
	c.bytes, c.events = nil, nil
	ended := c.end != nil
	c.Unlock()
	if c.unwatch != nil {
		c.unwatch()
	}
	switch {
	case ended:
		c.tell()
	case again:
	case c.gateway.simulated != nil:
		// What is due at this moment may be the end; no time passes.
		g := c.gateway
		g.driving.Lock()
		g.settle()
		g.driving.Unlock()
		if !c.isOver() {
			c.cancel()
		}
	case unread != 0:
		c.cancel()
	default:
		time.AfterFunc(patience, func() {
			if !c.isOver() {
				c.cancel()
			}
		})
	}
}

func (c *call) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

// tell gives the account of a call that has ended to who asked to be told.
func (c *call) tell() {
	if c.told == nil {
		return
	}
	c.Lock()
	again := c.wasTold
	c.wasTold = true
	c.Unlock()
	if !again && c.end.outcome != nil {
		c.told(c.end.outcome)
	}
}

// read says that so many bytes were taken out: as many more may come.
func (c *call) read(bytes int) {
	if c.gateway.enter() != nil {
		return
	}
	c.gateway.handle.Credit(c.id, uint64(bytes))
	c.gateway.leave()
}

// wait returns when `ready`, asked under the lock, is true, or with the reason why it never will be. It says whether the lock is
// held, which it is on success.
func (c *call) wait(ctx context.Context, ready func() bool) error {
	for {
		c.Lock()
		if ready() {
			return nil
		}
		failure := c.failure
		c.Unlock()
		if failure != nil {
			return failure
		}
		if c.gateway.simulated != nil {
			if err := c.drive(ctx, ready); err != nil {
				return err
			}
			continue
		}
		select {
		case <-c.bell:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drive moves the time of a simulation until something came for this call.
func (c *call) drive(ctx context.Context, ready func() bool) error {
	g := c.gateway
	g.driving.Lock()
	defer g.driving.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.Lock()
		came := ready() || c.failure != nil
		c.Unlock()
		if came {
			return nil
		}
		happened, err := g.step()
		if err != nil {
			return err
		}
		if !happened {
			return &Error{Code: CodeInternal, Origin: OriginGateway, RetryAfter: -1,
				Message: "nothing is left to happen in the simulation, and this call has not ended; its script stalls without a time-out"}
		}
	}
}

func (c *call) ring() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// account waits for the END, and gives the account.
func (c *call) account() (*Outcome, error) {
	c.Lock()
	failure := c.failure
	c.Unlock()
	if c.gateway.simulated != nil && !c.isOver() && failure == nil {
		err := c.drive(context.Background(), func() bool { return c.end != nil })
		if err != nil && !c.isOver() {
			return nil, err
		}
	}
	if !c.isOver() {
		select {
		case <-c.over:
		case <-c.gateway.polled:
			if !c.isOver() {
				return nil, closedError()
			}
		}
	}
	if c.end.outcome == nil {
		return nil, c.end.lost
	}
	return c.end.outcome, nil
}

// ended is what the END means to a reader who has all that came before it: nil for an answer that is whole.
func (c *call) ended(ctx context.Context) error {
	e := c.end
	switch {
	case e.ending == abi.EndingCompleted, e.ending == abi.EndingRefused && c.head != nil:
		return nil
	case e.ending == abi.EndingFailed && c.head != nil && c.head.status >= 400:
		return nil // the failure is the answer: an error body, whole
	}
	return e.err(ctx)
}

// err is why there is no whole answer: the context, where it is over, whatever the END made of that.
func (e *end) err(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	message := e.message
	if message == "" {
		message = "the call was ended before its answer was whole"
	}
	code := e.code
	if code == CodeOK {
		code = CodeCancelled
	}
	return &Error{Code: code, Origin: OriginUnknown, Status: int(e.status), RetryAfter: -1, Message: message}
}

type consumerKey struct{}

// WithConsumer says who calls, by name, for every request that is sent with this context and names nobody itself: through Do,
// Stream, and any client over RoundTripper. Who may name consumers is the program's business: no key is asked for.
func WithConsumer(ctx context.Context, consumer string) context.Context {
	return context.WithValue(ctx, consumerKey{}, consumer)
}

func consumerOf(ctx context.Context) string {
	consumer, _ := ctx.Value(consumerKey{}).(string)
	return consumer
}
