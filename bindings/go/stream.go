package sluice

import (
	"context"
	"encoding/json"
	"net/http"

	"sluice.example/sluice/internal/abi"
)

// Channel says what a piece of an answer adds to.
type Channel int32

const (
	ChannelText          Channel = 0
	ChannelReasoning     Channel = 1
	ChannelToolArguments Channel = 2 // of call number ToolIndex of its choice, counted from 0
	ChannelRefusal       Channel = 3
	ChannelToolName      Channel = 4  // call number ToolIndex begins; Text is the name of the tool
	ChannelBody          Channel = -1 // bytes of an answer that has no text of its own: embeddings, or what is opaque
)

// Event is one piece of a streamed answer, decoded from whatever dialect it came in.
type Event struct {
	Choice    int
	Channel   Channel
	ToolIndex int
	Text      string
}

// Stream is an answer as it comes. It must be closed, or read to its end.
//
//	for stream.Next() {
//		fmt.Print(stream.Event().Text)
//	}
//	if err := stream.Err(); err != nil { ... }
type Stream struct {
	call  *call
	ctx   context.Context
	batch []Event
	at    int // the event that Next shows is batch[at-1]
	owed  int
	err   error
	ended bool
}

// Stream sends a request whose answer comes as decoded text. It returns at once; what is wrong with the answer, Err says.
func (g *Gateway) Stream(ctx context.Context, r *Request) (*Stream, error) {
	c, err := g.submit(ctx, r, abi.AnswerDeltas, true, nil)
	if err != nil {
		return nil, err
	}
	return &Stream{call: c, ctx: ctx}, nil
}

// Next waits for the next event. False: the answer has ended, or there is an error.
func (s *Stream) Next() bool {
	if s.at < len(s.batch) {
		s.show()
		return true
	}
	if s.ended {
		return false
	}
	c := s.call
	err := c.wait(s.ctx, func() bool { return len(c.events) != 0 || c.end != nil || c.abandoned })
	if err != nil {
		s.finish(err)
		return false
	}
	if len(c.events) != 0 && (c.head == nil || c.head.status < 400) {
		s.batch, c.events = c.events, s.batch[:0]
		c.Unlock()
		s.at = 0
		s.show()
		return true
	}
	if c.end == nil && !c.abandoned {
		// The body of an error: it is said when it is whole.
		c.Unlock()
		err := c.wait(s.ctx, func() bool { return c.end != nil || c.abandoned })
		if err != nil {
			s.finish(err)
			return false
		}
	}
	if c.end == nil {
		err = failed(CodeInvalidParameter, "the stream was read after it was closed")
	} else if err = c.ended(s.ctx); err == nil && c.head != nil && c.head.status >= 400 {
		err = c.refusal()
	}
	c.Unlock()
	s.finish(err)
	return false
}

func (s *Stream) show() {
	s.at++
	s.owed += len(s.batch[s.at-1].Text)
	if s.owed >= window/2 && !s.call.isOver() {
		s.call.read(s.owed)
		s.owed = 0
	}
}

func (s *Stream) finish(err error) {
	s.ended = true
	s.err = err
	s.batch, s.at = nil, 0
	s.call.abandon()
}

// refusal is an answer with an error status, as an error. The lock is held.
func (c *call) refusal() error {
	e := &Error{Code: c.end.code, Origin: OriginUnknown, Status: c.head.status, RetryAfter: -1, Message: c.end.message}
	if e.Code == CodeOK {
		e.Code, e.Origin = CodeUpstreamStatus, OriginUpstream
	}
	if e.Message == "" {
		var said []byte
		for _, event := range c.events {
			said = append(said, event.Text...)
		}
		e.Message = messageIn(said)
	}
	return e
}

// messageIn finds the sentence in an error body, in whatever dialect it is told.
func messageIn(body []byte) string {
	var told struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &told) == nil {
		var inner struct {
			Message string `json:"message"`
		}
		var plain string
		switch {
		case json.Unmarshal(told.Error, &inner) == nil && inner.Message != "":
			return inner.Message
		case json.Unmarshal(told.Error, &plain) == nil && plain != "":
			return plain
		case told.Message != "":
			return told.Message
		}
	}
	return "the upstream answered with an error that says nothing"
}

// Event is the one that Next found.
func (s *Stream) Event() Event {
	if s.at == 0 || s.at > len(s.batch) {
		return Event{}
	}
	return s.batch[s.at-1]
}

// Err is why the stream ended: nil after a whole answer. An answer with an error status is an error here.
func (s *Stream) Err() error { return s.err }

// Head waits for the head of the answer. To be asked before, or beside, Next.
func (s *Stream) Head() (status int, header http.Header, err error) {
	c := s.call
	if err = c.wait(s.ctx, func() bool { return c.head != nil || c.end != nil }); err != nil {
		return 0, nil, err
	}
	defer c.Unlock()
	if c.head == nil {
		return 0, nil, c.end.err(s.ctx)
	}
	return c.head.status, c.head.header, nil
}

// Outcome waits for the end of the call, and says what became of it. To be called after the last Next, or Close.
func (s *Stream) Outcome() (*Outcome, error) { return s.call.account() }

// Close lets go of the answer. One that has not ended is ended at its upstream.
func (s *Stream) Close() error {
	if !s.ended {
		s.ended = true
		s.batch, s.at = nil, 0
	}
	s.call.abandon()
	return nil
}
