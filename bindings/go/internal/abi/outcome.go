package abi

// #include "shim.h"
import "C"

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

// TakeOutcome takes and copies the account of a call whose END is in the last batch.
func (q *Queue) TakeOutcome(call uint64) (*Outcome, *Error) {
	r := C.sluice_go_take_outcome(q.c, C.sluice_call_t(call), q.info)
	defer C.sluice_outcome_free(r.outcome)
	if r.err != nil {
		return nil, taken(r.err)
	}
	i := q.info
	o := &Outcome{
		Ending: int32(i.ending), Status: int32(i.status), Code: int32(i.code), Streamed: i.streamed != 0,
		ID: text(i.id), ErrorMessage: text(i.error_message), Consumer: text(i.consumer), Tenant: text(i.tenant),
		Route: text(i.route), RequestedModel: text(i.requested_model), ServedModel: text(i.served_model),
		Dialect: text(i.dialect), Operation: text(i.operation), FinishReason: text(i.finish_reason),
		ModelNote: text(i.model_note), Mode: text(i.mode), Usage: usageOf(&i.usage), StartedAtMS: int64(i.started_at_ms),
		FirstDelta: int64(i.first_delta_ns), Total: int64(i.total_ns), Receive: int64(i.receive_ns), Plugins: int64(i.plugins_ns),
		Queued: int64(i.queued_ns), Waited: int64(i.waited_ns), Upstream: int64(i.upstream_ns),
		Deltas: uint64(i.deltas), BytesIn: uint64(i.bytes_in), BytesOut: uint64(i.bytes_out),
	}
	if i.attempt_count != 0 {
		o.Attempts = make([]Attempt, 0, int(i.attempt_count))
	}
	for n := C.size_t(0); n < C.size_t(i.attempt_count); n++ {
		a := &q.part.attempt
		if err := C.sluice_go_attempt(r.outcome, n, a); err != nil {
			return nil, taken(err)
		}
		o.Attempts = append(o.Attempts, Attempt{
			Upstream: text(a.upstream), Model: text(a.model), Reason: text(a.reason), ChosenBecause: text(a.chosen_because),
			Skipped: a.skipped != 0, ReusedConnection: a.reused_connection != 0, Code: int32(a.code), Status: int32(a.status),
			Started: int64(a.started_ns), Waited: int64(a.waited_ns), Queued: int64(a.queued_ns), Resolve: int64(a.resolve_ns),
			Connect: int64(a.connect_ns), FirstByte: int64(a.first_byte_ns), Total: int64(a.total_ns),
			Sends: uint64(a.sends), BytesSent: uint64(a.bytes_sent), BytesReceived: uint64(a.bytes_received), Usage: usageOf(&a.usage),
		})
	}
	for n := C.size_t(0); n < C.size_t(i.verdict_count); n++ {
		v := &q.part.verdict
		if err := C.sluice_go_verdict(r.outcome, n, v); err != nil {
			return nil, taken(err)
		}
		o.Verdicts = append(o.Verdicts, Verdict{text(v.plugin), text(v.hook), text(v.verdict), text(v.message), int32(v.code),
			v.observed != 0, v.failed_open == 1, int64(v.took_ns)})
	}
	for n := C.size_t(0); n < C.size_t(i.loss_count); n++ {
		l := &q.part.loss
		if err := C.sluice_go_loss(r.outcome, n, l); err != nil {
			return nil, taken(err)
		}
		o.Losses = append(o.Losses, Loss{text(l.field), text(l.reason), text(l.severity)})
	}
	return o, nil
}
