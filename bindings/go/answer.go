package sluice

import (
	"context"
	"io"
	"net/http"

	"sluice.example/sluice/internal/abi"
)

// Response is an answer whose head is there. Its body must be closed.
type Response struct {
	Status int
	Header http.Header
	// Body is the bytes a client on the wire would get, as they come. Its end before the answer was whole is an *Error. Closing
	// it early ends the call at its upstream.
	Body io.ReadCloser

	call *call
}

// Outcome waits for the end of the call, and says what became of it. To be called when the body was read to its end, or closed.
func (r *Response) Outcome() (*Outcome, error) { return r.call.account() }

// Do sends a request, and returns when the head of its answer is there. An answer with an error status is an answer; an error is
// one of the context, of the gateway itself, or of a request nobody could send. The context ends the call, the body with it.
func (g *Gateway) Do(ctx context.Context, r *Request) (*Response, error) {
	return g.do(ctx, r, true, nil)
}

func (g *Gateway) do(ctx context.Context, r *Request, keep bool, told func(*Outcome)) (*Response, error) {
	c, err := g.answered(ctx, r, keep, told)
	if err != nil {
		return nil, err
	}
	return &Response{c.head.status, c.head.header, &body{call: c, ctx: ctx}, c}, nil
}

// answered sends a request, and returns when the head of its answer is there.
func (g *Gateway) answered(ctx context.Context, r *Request, keep bool, told func(*Outcome)) (*call, error) {
	c, err := g.submit(ctx, r, abi.AnswerRaw, keep, told)
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx, func() bool { return c.head != nil || c.end != nil }); err != nil {
		c.abandon()
		return nil, err
	}
	refused := c.head == nil
	c.Unlock()
	if refused {
		c.abandon()
		return nil, c.end.err(ctx)
	}
	return c, nil
}

// body reads the bytes of an answer.
type body struct {
	call   *call
	ctx    context.Context
	taken  []byte // what was taken out of the call at once
	rest   []byte // of it, what was not read yet
	owed   int    // bytes that were read and not yet made room for
	broken error  // what every further Read gives
}

func (b *body) Read(to []byte) (int, error) {
	if len(b.rest) == 0 {
		if b.broken != nil {
			return 0, b.broken
		}
		if len(to) == 0 {
			return 0, nil
		}
		if err := b.fetch(); err != nil {
			b.broken = err
			b.call.abandon()
			return 0, err
		}
	}
	n := copy(to, b.rest)
	b.rest = b.rest[n:]
	b.owed += n
	b.repay()
	return n, nil
}

// WriteTo is for io.Copy: what came at once leaves at once.
func (b *body) WriteTo(to io.Writer) (total int64, err error) {
	for {
		if len(b.rest) == 0 && b.broken == nil {
			if err := b.fetch(); err != nil {
				b.broken = err
				b.call.abandon()
			}
		}
		if len(b.rest) == 0 {
			if b.broken == io.EOF {
				return total, nil
			}
			return total, b.broken
		}
		n, err := to.Write(b.rest)
		total += int64(n)
		b.rest = b.rest[n:]
		b.owed += n
		b.repay()
		if err != nil {
			return total, err
		}
	}
}

// all reads what there is to the end. Bytes that came at once are given as they lie there.
func (b *body) all() ([]byte, error) {
	whole := []byte{}
	for {
		if err := b.fetch(); err != nil {
			b.broken = err
			b.call.abandon()
			if err == io.EOF {
				err = nil
			}
			return whole, err
		}
		if len(whole) == 0 {
			whole, b.taken = b.rest, nil
		} else {
			whole = append(whole, b.rest...)
		}
		b.owed += len(b.rest)
		b.rest = nil
		b.repay()
	}
}

// repay makes room for as much as was read, in halves of the window: a call into C for each read would cost more than the read.
func (b *body) repay() {
	if b.owed >= window/2 && !b.call.isOver() {
		b.call.read(b.owed)
		b.owed = 0
	}
}

// fetch takes out all that lies in the call. The two buffers change places, so that a long answer allocates no more than a short.
func (b *body) fetch() error {
	c := b.call
	err := c.wait(b.ctx, func() bool { return len(c.bytes) != 0 || c.end != nil || c.abandoned })
	if err != nil {
		return err
	}
	defer c.Unlock()
	if c.abandoned {
		return errClosedBody
	}
	if len(c.bytes) != 0 {
		b.taken, c.bytes = c.bytes, b.taken[:0]
		b.rest = b.taken
		return nil
	}
	if err := c.ended(b.ctx); err != nil {
		return err
	}
	return io.EOF
}

var errClosedBody error = failed(CodeInvalidParameter, "the body was read after it was closed")

// Close lets go of the answer. What was not read is dropped, and the call ends at its upstream.
func (b *body) Close() error {
	if b.broken == nil {
		b.broken = errClosedBody
	}
	b.rest = nil
	b.call.abandon()
	return nil
}

// Answer is an answer that is whole.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Outcome *Outcome
}

// Send sends a request, and returns when its answer is whole and the account of it is there.
func (g *Gateway) Send(ctx context.Context, r *Request) (*Answer, error) {
	c, err := g.answered(ctx, r, true, nil)
	if err != nil {
		return nil, err
	}
	content, err := (&body{call: c, ctx: ctx}).all()
	if err != nil {
		return nil, err
	}
	outcome, err := c.account()
	if err != nil {
		return nil, err
	}
	return &Answer{c.head.status, c.head.header, content, outcome}, nil
}
