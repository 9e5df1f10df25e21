package sluice

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A TransportOption is how a transport calls its gateway.
type TransportOption func(*transport)

// AsConsumer says who calls, by name. Keys in the headers, such as the placeholder an SDK insists on, are not looked at then. A
// context that names a consumer (WithConsumer) goes before it.
func AsConsumer(name string) TransportOption { return func(t *transport) { t.consumer = name } }

// OnOutcome has a function told what became of each request, once, when its body was read to the end or closed.
func OnOutcome(told func(*http.Request, *Outcome)) TransportOption {
	return func(t *transport) { t.told = told }
}

// Deadline shortens the routes' own for each request. That of a request's context counts beside it.
func Deadline(d time.Duration) TransportOption { return func(t *transport) { t.deadline = d } }

type transport struct {
	gateway  *Gateway
	consumer string
	deadline time.Duration
	told     func(*http.Request, *Outcome)
}

// RoundTripper makes the gateway the transport of an http.Client, and so of every client that takes one: what would go to a
// server goes through the gateway in this process. Scheme and host of the URL lead nowhere; the host is what routes match.
func RoundTripper(g *Gateway, opts ...TransportOption) http.RoundTripper {
	t := &transport{gateway: g}
	for _, set := range opts {
		set(t)
	}
	return t
}

// wholeBody is the largest body that is sent in one piece.
const wholeBody = 1 << 20

// RoundTrip does as http.RoundTripper has it: the request's body is closed in every case, and the answer's is the caller's.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	request, err := t.requestOf(r)
	if err != nil {
		return nil, err
	}
	var told func(*Outcome)
	if t.told != nil {
		told = func(o *Outcome) { t.told(r, o) }
	}
	answer, err := t.gateway.do(r.Context(), request, false, told)
	if err != nil {
		return nil, err
	}
	length := int64(-1)
	if stated := answer.Header.Get("Content-Length"); stated != "" {
		if n, err := strconv.ParseInt(stated, 10, 64); err == nil && n >= 0 {
			length = n
		}
	}
	answer.Header.Del("Transfer-Encoding")
	return &http.Response{
		Status:     strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status),
		StatusCode: answer.Status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        answer.Header,
		Body:          answer.Body,
		ContentLength: length,
		Request:       r,
	}, nil
}

func (t *transport) requestOf(r *http.Request) (*Request, error) {
	request := &Request{Method: r.Method, Target: r.URL.RequestURI(), Deadline: t.deadline}
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	if consumerOf(r.Context()) == "" {
		request.Consumer = t.consumer
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	request.Header = make(http.Header, len(r.Header)+1)
	for name, values := range r.Header {
		// Framing is the gateway's own.
		if strings.EqualFold(name, "Host") || strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
			continue
		}
		request.Header[name] = values
	}
	if host != "" {
		request.Header["Host"] = []string{host}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return request, nil
	}
	if r.ContentLength < 0 || r.ContentLength > wholeBody {
		request.BodyReader = r.Body
		return request, nil
	}
	defer r.Body.Close()
	whole := bytes.NewBuffer(make([]byte, 0, r.ContentLength+bytes.MinRead))
	if _, err := io.Copy(whole, r.Body); err != nil {
		return nil, err
	}
	request.Body = whole.Bytes()
	return request, nil
}
