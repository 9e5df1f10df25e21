package abi

// #include <stdlib.h>
// #include "shim.h"
import "C"

import "time"

func NewSimulation(seed uint64) (Simulation, *Error) {
	var s Simulation
	var err *C.sluice_error_t
	C.sluice_simulation_new(C.uint64_t(seed), &s.c, &err)
	return s, taken(err)
}

func (s Simulation) Free() { C.sluice_simulation_free(s.c) }

func (s Simulation) Now() time.Duration { return time.Duration(C.sluice_simulation_now_ns(s.c)) }

func (s Simulation) Advance(g Gateway, d time.Duration) *Error {
	var err *C.sluice_error_t
	C.sluice_simulation_advance(s.c, g.c, C.int64_t(d), &err)
	return taken(err)
}

func (s Simulation) Step(g Gateway) (bool, *Error) {
	var happened C.int32_t
	var err *C.sluice_error_t
	C.sluice_simulation_step(s.c, g.c, &happened, &err)
	return happened != 0, taken(err)
}

func (s Simulation) Script(upstream string) (Script, *Error) {
	var script Script
	var err *C.sluice_error_t
	p, n := present([]byte(upstream))
	C.sluice_simulation_script(s.c, p, n, &script.c, &err)
	return script, taken(err)
}

// Seen is a request as an upstream saw it.
type Seen struct {
	Upstream, Method, Target string
	Body                     []byte
	At                       time.Duration
}

func (s Simulation) Seen() ([]Seen, *Error) {
	var all []Seen
	var info C.sluice_seen_info_t
	for i, n := C.size_t(0), C.sluice_simulation_seen_count(s.c); i < n; i++ {
		if err := C.sluice_go_seen(s.c, i, &info); err != nil {
			return nil, taken(err)
		}
		all = append(all, Seen{text(info.upstream), text(info.method), text(info.target), []byte(text(info.body)), time.Duration(info.at_ns)})
	}
	return all, nil
}

func (s Simulation) ForgetSeen() { C.sluice_simulation_forget_seen(s.c) }

func (s Script) Answer(said string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(said))
	C.sluice_script_answer(s.c, p, n, &err)
	return taken(err)
}

func (s Script) Generate(tokens uint64) *Error {
	var err *C.sluice_error_t
	C.sluice_script_generate(s.c, C.uint64_t(tokens), &err)
	return taken(err)
}

func (s Script) Refuse(said string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(said))
	C.sluice_script_refuse(s.c, p, n, &err)
	return taken(err)
}

func (s Script) CallTool(name, arguments string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(name))
	a, m := present([]byte(arguments))
	C.sluice_script_call_tool(s.c, p, n, a, m, &err)
	return taken(err)
}

func (s Script) Body(contentType string, bytes []byte) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(contentType))
	b, m := present(bytes)
	C.sluice_script_body(s.c, p, n, b, m, &err)
	return taken(err)
}

func (s Script) Stream(bytes []byte) *Error {
	var err *C.sluice_error_t
	b, m := present(bytes)
	C.sluice_script_stream(s.c, b, m, &err)
	return taken(err)
}

func (s Script) Usage(input, output uint64) *Error {
	var err *C.sluice_error_t
	C.sluice_script_usage(s.c, C.uint64_t(input), C.uint64_t(output), &err)
	return taken(err)
}

func (s Script) Header(name, value string) *Error {
	var err *C.sluice_error_t
	p, n := present([]byte(name))
	v, m := present([]byte(value))
	C.sluice_script_header(s.c, p, n, v, m, &err)
	return taken(err)
}

func (s Script) Pieces(bytes int) *Error {
	var err *C.sluice_error_t
	C.sluice_script_pieces(s.c, C.size_t(bytes), &err)
	return taken(err)
}

func (s Script) Pace(head, firstToken, jitter, ping time.Duration, tokensPerSecond float64) *Error {
	return taken(C.sluice_go_pace(s.c, C.int64_t(head.Microseconds()), C.int64_t(firstToken.Microseconds()), C.int64_t(jitter.Microseconds()),
		C.int64_t(ping.Microseconds()), C.double(tokensPerSecond)))
}

// Fault is a sluice_fault_t.
type Fault struct {
	Kind, Status        int32
	AtByte, AfterEvents uint64
	Step, RetryAfter    time.Duration
	From, Until         time.Duration
	Times               uint64
}

func (s Script) Fault(f Fault) *Error {
	return taken(C.sluice_go_fault(s.c, C.int32_t(f.Kind), C.int32_t(f.Status), C.uint64_t(f.AtByte), C.uint64_t(f.AfterEvents),
		C.int64_t(f.Step.Milliseconds()), C.int64_t(f.RetryAfter.Milliseconds()), C.int64_t(f.From), C.int64_t(f.Until), C.uint64_t(f.Times)))
}
