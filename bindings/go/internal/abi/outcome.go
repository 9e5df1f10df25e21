package abi

// #include "shim.h"
import "C"

import "unsafe"

// Usage, Outcome, Attempt, Verdict and Loss are the structs of outcome.h, copied. Unknown counts are -1, times nanoseconds.
type Usage struct {
	InputTokens, OutputTokens, CachedInputTokens, CacheWriteTokens, ReasoningTokens, TotalTokens int64
	Estimated                                                                                    bool
}

type Outcome struct {
	Ending, Status, Code                                                   int32
	Streamed                                                               bool
	ID, ErrorMessage, Consumer, Tenant, Route, RequestedModel, ServedModel string
	Dialect, Operation, FinishReason, ModelNote, Mode                      string
	Usage                                                                  Usage
	StartedAtMS                                                            int64
	FirstDelta, Total, Receive, Plugins, Queued, Waited, Upstream          int64
	Deltas, BytesIn, BytesOut                                              uint64
	Attempts                                                               []Attempt
	Verdicts                                                               []Verdict
	Losses                                                                 []Loss
}

type Attempt struct {
	Upstream, Model, Reason, ChosenBecause                      string
	Skipped, ReusedConnection                                   bool
	Code, Status                                                int32
	Started, Waited, Queued, Resolve, Connect, FirstByte, Total int64
	Sends, BytesSent, BytesReceived                             uint64
	Usage                                                       Usage
}

type Verdict struct {
	Plugin, Hook, Verdict, Message string
	Code                           int32
	Observed, FailedOpen           bool
	Took                           int64
}

type Loss struct{ Field, Reason, Severity string }

func usageOf(u *C.sluice_usage_t) Usage {
	return Usage{int64(u.input_tokens), int64(u.output_tokens), int64(u.cached_input_tokens), int64(u.cache_write_tokens),
		int64(u.reasoning_tokens), int64(u.total_tokens), u.estimated == 1}
}

// gathered puts many texts of C into one string of Go's, which they share: an account has a dozen, most of a few bytes.
type gathered struct {
	bytes []byte
	marks []mark
}

type mark struct {
	to         *string
	begin, end int
}

// add has a text of C put where `to` points to, at share.
func (g *gathered) add(to *string, from C.sluice_bytes_t) {
	*to = ""
	if from.size == 0 {
		return
	}
	begin := len(g.bytes)
	g.bytes = append(g.bytes, bytesAt(unsafe.Pointer(from.data), int(from.size))...)
	g.marks = append(g.marks, mark{to, begin, len(g.bytes)})
}

// share makes the string. What was added may not have moved.
func (g *gathered) share() {
	all := string(g.bytes)
	for i, m := range g.marks {
		*m.to = all[m.begin:m.end]
		g.marks[i].to = nil
	}
	g.bytes, g.marks = g.bytes[:0], g.marks[:0]
}

// TakeOutcome takes and copies the account of a call whose END is in the last batch. Lifetime: until the next one is taken; its
// texts stay.
func (q *Queue) TakeOutcome(call uint64) (*Outcome, *Error) {
	r := C.sluice_go_take_outcome(q.c, C.sluice_call_t(call), q.info)
	defer C.sluice_outcome_free(r.outcome)
	if r.err != nil {
		return nil, taken(r.err)
	}
	i, o, t := q.info, &q.outcome, &q.texts
	*o = Outcome{
		Ending: int32(i.ending), Status: int32(i.status), Code: int32(i.code), Streamed: i.streamed != 0,
		Usage: usageOf(&i.usage), StartedAtMS: int64(i.started_at_ms),
		FirstDelta: int64(i.first_delta_ns), Total: int64(i.total_ns), Receive: int64(i.receive_ns), Plugins: int64(i.plugins_ns),
		Queued: int64(i.queued_ns), Waited: int64(i.waited_ns), Upstream: int64(i.upstream_ns),
		Deltas: uint64(i.deltas), BytesIn: uint64(i.bytes_in), BytesOut: uint64(i.bytes_out),
		Attempts: rows(o.Attempts, int(i.attempt_count)),
		Verdicts: rows(o.Verdicts, int(i.verdict_count)),
		Losses:   rows(o.Losses, int(i.loss_count)),
	}
	defer t.share()
	t.add(&o.ID, i.id)
	t.add(&o.ErrorMessage, i.error_message)
	t.add(&o.Consumer, i.consumer)
	t.add(&o.Tenant, i.tenant)
	t.add(&o.Route, i.route)
	t.add(&o.RequestedModel, i.requested_model)
	t.add(&o.ServedModel, i.served_model)
	t.add(&o.Dialect, i.dialect)
	t.add(&o.Operation, i.operation)
	t.add(&o.FinishReason, i.finish_reason)
	t.add(&o.ModelNote, i.model_note)
	t.add(&o.Mode, i.mode)
	for n := range o.Attempts {
		a, to := &q.part.attempt, &o.Attempts[n]
		if err := C.sluice_go_attempt(r.outcome, C.size_t(n), a); err != nil {
			return nil, taken(err)
		}
		*to = Attempt{
			Skipped: a.skipped != 0, ReusedConnection: a.reused_connection != 0, Code: int32(a.code), Status: int32(a.status),
			Started: int64(a.started_ns), Waited: int64(a.waited_ns), Queued: int64(a.queued_ns), Resolve: int64(a.resolve_ns),
			Connect: int64(a.connect_ns), FirstByte: int64(a.first_byte_ns), Total: int64(a.total_ns),
			Sends: uint64(a.sends), BytesSent: uint64(a.bytes_sent), BytesReceived: uint64(a.bytes_received), Usage: usageOf(&a.usage),
		}
		t.add(&to.Upstream, a.upstream)
		t.add(&to.Model, a.model)
		t.add(&to.Reason, a.reason)
		t.add(&to.ChosenBecause, a.chosen_because)
	}
	for n := range o.Verdicts {
		v, to := &q.part.verdict, &o.Verdicts[n]
		if err := C.sluice_go_verdict(r.outcome, C.size_t(n), v); err != nil {
			return nil, taken(err)
		}
		*to = Verdict{Code: int32(v.code), Observed: v.observed != 0, FailedOpen: v.failed_open == 1, Took: int64(v.took_ns)}
		t.add(&to.Plugin, v.plugin)
		t.add(&to.Hook, v.hook)
		t.add(&to.Verdict, v.verdict)
		t.add(&to.Message, v.message)
	}
	for n := range o.Losses {
		l, to := &q.part.loss, &o.Losses[n]
		if err := C.sluice_go_loss(r.outcome, C.size_t(n), l); err != nil {
			return nil, taken(err)
		}
		t.add(&to.Field, l.field)
		t.add(&to.Reason, l.reason)
		t.add(&to.Severity, l.severity)
	}
	return o, nil
}

// rows is room for so many, the old room where it is enough.
func rows[T any](room []T, count int) []T {
	if cap(room) < count {
		return make([]T, count)
	}
	return room[:count]
}
