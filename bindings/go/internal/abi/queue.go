package abi

// #include <stdlib.h>
// #include "shim.h"
import "C"

import "unsafe"

// Kinds of events, how a call ended, and how content comes: SLUICE_EVENT_*, SLUICE_ENDING_*, SLUICE_ANSWER_*.
const (
	EventHead  = C.SLUICE_EVENT_HEAD
	EventChunk = C.SLUICE_EVENT_CHUNK
	EventDelta = C.SLUICE_EVENT_DELTA
	EventEnd   = C.SLUICE_EVENT_END
	EventHook  = C.SLUICE_EVENT_HOOK

	EndingCompleted = C.SLUICE_ENDING_COMPLETED
	EndingRefused   = C.SLUICE_ENDING_REFUSED
	EndingFailed    = C.SLUICE_ENDING_FAILED
	EndingCancelled = C.SLUICE_ENDING_CANCELLED

	AnswerRaw    = C.SLUICE_ANSWER_RAW
	AnswerDeltas = C.SLUICE_ANSWER_DELTAS

	BodyFollows = C.SLUICE_REQUEST_BODY_FOLLOWS
)

// Event is a sluice_event_t in C memory. Its lifetime is the batch's.
type Event struct {
	c     *C.sluice_event_t
	arena *C.char
}

func (e Event) Tag() uint64       { return uint64(e.c.tag) }
func (e Event) Call() uint64      { return uint64(e.c.call) }
func (e Event) Session() uint64   { return uint64(e.c.session) }
func (e Event) Kind() int32       { return int32(e.c.kind) }
func (e Event) Status() int32     { return int32(e.c.status) }
func (e Event) Code() int32       { return int32(e.c.code) }
func (e Event) Detail() int32     { return int32(e.c.detail) }
func (e Event) Choice() uint32    { return uint32(e.c.choice) }
func (e Event) Channel() int32    { return int32(e.c.channel) }
func (e Event) ToolIndex() uint32 { return uint32(e.c.tool_index) }

// Data is the event's own, to be copied. Lifetime: the batch.
func (e Event) Data() []byte {
	if e.c.size == 0 {
		return nil
	}
	return bytesAt(unsafe.Add(unsafe.Pointer(e.arena), uintptr(e.c.offset)), int(e.c.size))
}

// batchEvents is how many events one poll brings at most.
const batchEvents = 256

// Queue is a completion queue with the memory one reader needs; what C writes to is C's. One at a time polls and takes outcomes.
type Queue struct {
	c       *C.sluice_queue_t
	events  *C.sluice_event_t
	info    *C.sluice_outcome_info_t
	part    *parts
	arena   *C.char
	outcome Outcome
	texts   gathered
}

// parts is room for the largest of the info structs of an outcome's rows.
type parts struct {
	attempt C.sluice_attempt_info_t
	verdict C.sluice_verdict_info_t
	loss    C.sluice_loss_info_t
}

func NewQueue() (*Queue, *Error) {
	q := &Queue{}
	var err *C.sluice_error_t
	C.sluice_queue_new(&q.c, &err)
	if e := taken(err); e != nil {
		return nil, e
	}
	q.events = (*C.sluice_event_t)(C.malloc(C.size_t(unsafe.Sizeof(C.sluice_event_t{}) * batchEvents)))
	q.info = (*C.sluice_outcome_info_t)(C.malloc(C.size_t(unsafe.Sizeof(C.sluice_outcome_info_t{}))))
	q.part = (*parts)(C.malloc(C.size_t(unsafe.Sizeof(parts{}))))
	return q, nil
}

// Free frees the queue. Nobody may be polling.
func (q *Queue) Free() {
	C.sluice_queue_free(q.c)
	C.free(unsafe.Pointer(q.events))
	C.free(unsafe.Pointer(q.info))
	C.free(unsafe.Pointer(q.part))
}

// Poll waits for events, at most so long, and gives how many came. A negative time-out waits until one does, or Wake.
func (q *Queue) Poll(timeoutMS int32) (int, *Error) {
	r := C.sluice_go_poll(q.c, q.events, batchEvents, C.int32_t(timeoutMS))
	q.arena = r.arena
	return int(r.count), taken(r.err)
}

// Event is one of the last batch.
func (q *Queue) Event(index int) Event {
	return Event{&unsafe.Slice(q.events, batchEvents)[index], q.arena}
}

// Release gives the batch back, where the next poll is not at once.
func (q *Queue) Release() { C.sluice_queue_release(q.c) }

// Wake makes the poll that waits return, or the next one.
func (q *Queue) Wake() {
	var err *C.sluice_error_t
	C.sluice_queue_wake(q.c, &err)
	taken(err)
}

// Packed is a request whose texts lie one behind the other: method, target, consumer, then name and value of each field.
type Packed struct {
	Text       []byte
	Sizes      []uint32
	Body       []byte
	DeadlineMS int64
	Credit     uint64
	Answer     int32
	Flags      uint32
}

// Put appends one text.
func (p *Packed) Put(text string) {
	p.Text = append(p.Text, text...)
	p.Sizes = append(p.Sizes, uint32(len(text)))
}

// Fields is how many header fields were put.
func (p *Packed) Fields() int { return (len(p.Sizes) - 3) / 2 }

// tableOf is room for more fields than the shim keeps on its stack; NULL where it keeps them there.
func tableOf(fields int) *C.sluice_header_t {
	if fields <= C.SLUICE_GO_HEADERS {
		return nil
	}
	return (*C.sluice_header_t)(C.malloc(C.size_t(fields) * C.size_t(unsafe.Sizeof(C.sluice_header_t{}))))
}

// Submit sends a request; what becomes of it comes on the queue, with the tag.
func (g Gateway) Submit(q *Queue, tag uint64, r *Packed) (uint64, *Error) {
	text, _ := present(r.Text)
	body, size := in(r.Body)
	table := tableOf(r.Fields())
	s := C.sluice_go_submit(g.c, q.c, C.uint64_t(tag), text, (*C.uint32_t)(&r.Sizes[0]), C.size_t(r.Fields()), table, body, size,
		C.int64_t(r.DeadlineMS), C.uint64_t(r.Credit), C.int32_t(r.Answer), C.uint32_t(r.Flags))
	if table != nil {
		C.free(unsafe.Pointer(table))
	}
	return uint64(s.call), taken(s.err)
}

// CallBody gives the next piece of a request's body.
func (g Gateway) CallBody(call uint64, piece []byte, last bool) *Error {
	data, size := in(piece)
	isLast := C.int32_t(0)
	if last {
		isLast = 1
	}
	return taken(C.sluice_go_call_body(g.c, C.sluice_call_t(call), data, size, isLast))
}

// Credit lets so many more bytes come.
func (g Gateway) Credit(call, bytes uint64) *Error {
	return taken(C.sluice_go_call_credit(g.c, C.sluice_call_t(call), C.uint64_t(bytes)))
}

// Cancel ends a call early; its END still comes.
func (g Gateway) Cancel(call uint64) *Error {
	return taken(C.sluice_go_call_cancel(g.c, C.sluice_call_t(call)))
}

// Ruling is a sluice_ruling_t.
type Ruling struct {
	Verdict, Status, Code int32
	Edits                 uint32
	Text, Body            []byte
	Fields                Packed // name and value of each field alone
}

// Answer answers a hook.
func (g Gateway) Answer(hook uint64, r *Ruling) *Error {
	text, textSize := present(r.Text)
	body, bodySize := present(r.Body)
	fields, _ := present(r.Fields.Text)
	count := len(r.Fields.Sizes) / 2
	var sizes *C.uint32_t
	if count != 0 {
		sizes = (*C.uint32_t)(&r.Fields.Sizes[0])
	}
	table := tableOf(count)
	defer C.free(unsafe.Pointer(table))
	return taken(C.sluice_go_answer(g.c, C.uint64_t(hook), C.int32_t(r.Verdict), C.int32_t(r.Status), C.sluice_code_t(r.Code),
		C.uint32_t(r.Edits), text, textSize, body, bodySize, fields, sizes, C.size_t(count), table))
}
