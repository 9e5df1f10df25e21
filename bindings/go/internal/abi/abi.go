// Package abi is the one place where Go meets the C ABI (capi/include/sluice.h). It gives each function of it to Go with Go's own
// types and says nothing about how they are used; package sluice and package sluicetest do. It must not start goroutines, keep
// state, or let a C pointer out except in the handles below.
package abi

// #cgo pkg-config: sluice_c
// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// The handles. A handle that was closed may not be used again; who holds it sees to that.
type (
	Options    struct{ c *C.sluice_options_t }
	Gateway    struct{ c *C.sluice_gateway_t }
	Server     struct{ c *C.sluice_server_t }
	Simulation struct{ c *C.sluice_simulation_t }
	Script     struct{ c *C.sluice_script_t }
)

// Error is what a sluice_error_t says.
type Error struct {
	Code       int32
	Origin     int32
	HTTPStatus int32
	RetryAfter time.Duration // negative: nothing is known of it
	Message    string
	Param      string
}

// taken makes a Go error of a C one, and frees that. NULL is nil.
func taken(err *C.sluice_error_t) *Error {
	if err == nil {
		return nil
	}
	defer C.sluice_error_free(err)
	e := &Error{
		Code:       int32(C.sluice_error_code(err)),
		Origin:     int32(C.sluice_error_origin(err)),
		HTTPStatus: int32(C.sluice_error_http_status(err)),
		RetryAfter: -1,
		Message:    text(C.sluice_error_message(err)),
		Param:      text(C.sluice_error_param(err)),
	}
	if ms := C.sluice_error_retry_after_ms(err); ms >= 0 {
		e.RetryAfter = time.Duration(ms) * time.Millisecond
	}
	return e
}

// text copies borrowed bytes.
func text(b C.sluice_bytes_t) string {
	if b.size == 0 {
		return ""
	}
	return string(bytesAt(unsafe.Pointer(b.data), int(b.size)))
}

// bytesAt is C memory as Go sees it; it lives as long as that memory does.
func bytesAt(data unsafe.Pointer, size int) []byte {
	return unsafe.Slice((*byte)(data), size)
}

// buffer copies owned bytes, and frees them.
func buffer(b *C.sluice_buffer_t) []byte {
	defer C.sluice_buffer_free(b)
	if b.size == 0 {
		return []byte{}
	}
	return append([]byte(nil), bytesAt(unsafe.Pointer(b.data), int(b.size))...)
}

// in is how text goes in: Go's memory, which C copies before it returns.
func in(b []byte) (*C.char, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	return (*C.char)(unsafe.Pointer(&b[0])), C.size_t(len(b))
}

// present is for text that may be empty but must not be NULL.
func present(b []byte) (*C.char, C.size_t) {
	if len(b) == 0 {
		return (*C.char)(unsafe.Pointer(&nothing[0])), 0
	}
	return in(b)
}

var nothing = [1]byte{}

// CodeName is the name of a code as it stands in answers; empty for a number that is none.
func CodeName(code int32) string { return text(C.sluice_code_name(C.sluice_code_t(code))) }

// Version is that of the library that was loaded.
func Version() string { return text(C.sluice_version()) }

// Schema is the JSON Schema of the configuration.
func Schema() []byte { return []byte(text(C.sluice_config_schema())) }

// Check judges a configuration.
func Check(json []byte) *Error {
	var err *C.sluice_error_t
	p, n := present(json)
	C.sluice_config_check(p, n, &err)
	return taken(err)
}

// NewOptions begins a set of options; Close frees it.
func NewOptions() (Options, *Error) {
	var o Options
	var err *C.sluice_error_t
	C.sluice_options_new(&o.c, &err)
	return o, taken(err)
}

func (o Options) Close() { C.sluice_options_free(o.c) }

func (o Options) SetJSON(json []byte) *Error {
	var err *C.sluice_error_t
	p, n := present(json)
	C.sluice_options_set_json(o.c, p, n, &err)
	return taken(err)
}

func (o Options) SetFile(path string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(path))
	C.sluice_options_set_file(o.c, p, n, &err)
	return taken(err)
}

func (o Options) SetThreads(threads uint32) *Error {
	var err *C.sluice_error_t
	C.sluice_options_set_threads(o.c, C.uint32_t(threads), &err)
	return taken(err)
}

func (o Options) SetSeed(seed uint64) *Error {
	var err *C.sluice_error_t
	C.sluice_options_set_seed(o.c, C.uint64_t(seed), &err)
	return taken(err)
}

func (o Options) SetSimulation(s Simulation) *Error {
	var err *C.sluice_error_t
	C.sluice_options_set_simulation(o.c, s.c, &err)
	return taken(err)
}

// AddPlugin brings a plugin whose hooks come on the queue with that tag.
func (o Options) AddPlugin(q *Queue, name string, phase int32, wants uint32, tag uint64) *Error {
	p, n := present([]byte(name))
	return taken(C.sluice_go_add_plugin(o.c, q.c, p, n, C.int32_t(phase), C.uint32_t(wants), C.uint64_t(tag)))
}

// Open opens a gateway.
func (o Options) Open() (Gateway, *Error) {
	var g Gateway
	var err *C.sluice_error_t
	C.sluice_gateway_open(o.c, &g.c, &err)
	return g, taken(err)
}

// ReloadJSON puts another configuration in force.
func (g Gateway) ReloadJSON(json []byte) *Error {
	var err *C.sluice_error_t
	p, n := present(json)
	C.sluice_gateway_reload_json(g.c, p, n, &err)
	return taken(err)
}

func (g Gateway) ReloadFile(path string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(path))
	C.sluice_gateway_reload_file(g.c, p, n, &err)
	return taken(err)
}

func (g Gateway) Dump() ([]byte, *Error) {
	var b C.sluice_buffer_t
	var err *C.sluice_error_t
	C.sluice_gateway_dump(g.c, &b, &err)
	if e := taken(err); e != nil {
		return nil, e
	}
	return buffer(&b), nil
}

// Explain says what would become of a request: the status, and the reasons for a person and for a program.
func (g Gateway) Explain(r *Packed) (status int32, said, json []byte, e *Error) {
	var s C.int32_t
	var t, j C.sluice_buffer_t
	p, n := in(r.Text)
	table := tableOf(r.Fields())
	defer C.free(unsafe.Pointer(table))
	b, m := in(r.Body)
	_ = n
	if e = taken(C.sluice_go_explain(g.c, p, (*C.uint32_t)(&r.Sizes[0]), C.size_t(r.Fields()), table, b, m, &s, &t, &j)); e != nil {
		return 0, nil, nil, e
	}
	return int32(s), buffer(&t), buffer(&j), nil
}

// Statistics are the gateway's counters, in the order and meaning of sluice_statistics_info_t.
type Statistics struct {
	ExchangesStarted, ExchangesOpen, Completed, Refused, Failed, Cancelled uint64
	BodyBytesHeld, ReplayedSends, DecodedAnswers                           uint64
	PluginErrors, PluginTimeouts, PluginsFailedOpen                        uint64
	IgnoredResumes, UnrecordedVerdicts                                     uint64
	MaxLoopLag                                                             time.Duration
	Engines, EventsWritten, EventsDropped                                  uint64
}

func (g Gateway) Statistics() (Statistics, *Error) {
	var i C.sluice_statistics_info_t
	var err *C.sluice_error_t
	i.struct_size = C.size_t(unsafe.Sizeof(i))
	C.sluice_gateway_statistics(g.c, &i, &err)
	return Statistics{
		ExchangesStarted: uint64(i.exchanges_started), ExchangesOpen: uint64(i.exchanges_open),
		Completed: uint64(i.completed), Refused: uint64(i.refused), Failed: uint64(i.failed), Cancelled: uint64(i.cancelled),
		BodyBytesHeld: uint64(i.body_bytes_held), ReplayedSends: uint64(i.replayed_sends), DecodedAnswers: uint64(i.decoded_answers),
		PluginErrors: uint64(i.plugin_errors), PluginTimeouts: uint64(i.plugin_timeouts), PluginsFailedOpen: uint64(i.plugins_failed_open),
		IgnoredResumes: uint64(i.ignored_resumes), UnrecordedVerdicts: uint64(i.unrecorded_verdicts),
		MaxLoopLag: time.Duration(i.max_loop_lag_ns), Engines: uint64(i.engines),
		EventsWritten: uint64(i.events_written), EventsDropped: uint64(i.events_dropped),
	}, taken(err)
}

// HostDriven says whether the gateway has no threads.
func (g Gateway) HostDriven() (bool, *Error) {
	fd := C.int(-1)
	var err *C.sluice_error_t
	C.sluice_gateway_fd(g.c, &fd, &err)
	return fd != -1, taken(err)
}

// Close ends what is open; every END is in its queue then. Free frees a gateway that nobody is inside of.
func (g Gateway) Close() *Error {
	var err *C.sluice_error_t
	C.sluice_gateway_close(g.c, &err)
	return taken(err)
}

func (g Gateway) Free() { C.sluice_gateway_free(g.c) }

// Serve starts the listener.
func (g Gateway) Serve() (Server, *Error) {
	var s Server
	var err *C.sluice_error_t
	C.sluice_server_start(g.c, &s.c, &err)
	return s, taken(err)
}

func (s Server) Addresses() []string {
	addresses := make([]string, int(C.sluice_server_address_count(s.c)))
	for i := range addresses {
		addresses[i] = text(C.sluice_server_address(s.c, C.size_t(i)))
	}
	return addresses
}

func (s Server) Drain(deadline time.Duration) *Error {
	var err *C.sluice_error_t
	C.sluice_server_drain(s.c, C.int64_t(deadline.Milliseconds()), &err)
	return taken(err)
}

func (s Server) Free() { C.sluice_server_free(s.c) }
