package sluice

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"time"

	"sluice.example/sluice/internal/abi"
)

// Request is a request as its caller states it.
type Request struct {
	Method string // "": POST where there is a body, otherwise GET
	Target string // origin-form, percent-encoded: "/v1/chat/completions"
	Header http.Header
	Body   []byte

	// BodyReader is a body that comes piece by piece, behind Body. It is read on a goroutine of its own, which ends with the call
	// or at the reader's next word after that. It is closed where it is an io.Closer.
	BodyReader io.Reader

	// Consumer says who calls, by name; no key in the headers is looked at then. "": the context says it (WithConsumer), or else
	// the headers do.
	Consumer string

	// Deadline shortens the route's own. 0: that holds alone. The end of the context counts beside it.
	Deadline time.Duration

	broken error // what made it unfit to be sent
}

// Post is a request with a body: bytes, a string or a json.RawMessage as they are, anything else as the JSON it becomes.
func Post(target string, body interface{}) *Request {
	r := &Request{Method: http.MethodPost, Target: target}
	switch b := body.(type) {
	case nil:
	case []byte:
		r.Body = b
	case json.RawMessage:
		r.Body = b
	case string:
		r.Body = []byte(b)
	default:
		var err error
		if r.Body, err = json.Marshal(body); err != nil {
			r.broken = failed(CodeInvalidJSON, fmt.Sprintf("the body, a %T, is not what JSON can be made of: %v", body, err))
		}
	}
	return r
}

// Get is a request without a body.
func Get(target string) *Request { return &Request{Method: http.MethodGet, Target: target} }

// pack puts the texts one behind the other. Fields go in the order of their names, so that two equal requests are equal.
func (r *Request) pack() (*abi.Packed, error) {
	if r == nil {
		return nil, failed(CodeInvalidParameter, "there is no request")
	}
	if r.broken != nil {
		return nil, r.broken
	}
	p := &abi.Packed{Text: make([]byte, 0, 256), Sizes: make([]uint32, 0, 3+2*len(r.Header)), Body: r.Body}
	p.Put(r.Method)
	p.Put(r.Target)
	p.Put(r.Consumer)
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			p.Put(name)
			p.Put(value)
		}
	}
	if r.Deadline > 0 {
		// A millisecond is the least there is; 0 would mean none.
		p.DeadlineMS = int64((r.Deadline + time.Millisecond - 1) / time.Millisecond)
	}
	if r.BodyReader != nil {
		p.Flags |= abi.BodyFollows
	}
	return p, nil
}
