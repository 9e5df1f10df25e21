package sluice

import (
	"context"
	"net/http"
)

// Phase says when a plugin runs: phases in this order, plugins of one phase in the order they are listed.
type Phase int32

const (
	Authenticate Phase = 0 // between head and body: OnRequest sees the head alone. For the gateway's list
	Guard        Phase = 1 // judges
	Transform    Phase = 2 // changes
	Route        Phase = 3 // narrows, orders or names the upstreams
)

// Wants is what a plugin asks for; bits. What nobody on a route wants is neither called nor decoded there.
type Wants uint32

const (
	WantsRequest      Wants = 1        // OnRequest
	WantsRequestEdits Wants = 8 | 1    // OnRequest, and may change the request
	WantsAttempts     Wants = 16       // OnAttempt
	WantsHead         Wants = 32       // OnHead
	WantsDeltas       Wants = 64       // OnDelta and OnAnswerEnd, with decoded text
	WantsDeltaEdits   Wants = 128 | 64 // OnDelta and OnAnswerEnd, and may change, hold and add text
	wantsFinish       Wants = 256
)

// asked is what the library is asked for: the end of each exchange beside it, so that its session ends too; and where deltas are
// all that is wanted, the head before them, which says whose they are.
func (w Wants) asked() uint32 {
	w |= wantsFinish
	if w&WantsDeltas != 0 && w&(WantsRequest|WantsAttempts|WantsHead) == 0 {
		w |= WantsHead
	}
	return uint32(w)
}

// Plugin looks at exchanges on their way, and may stop, change or answer them (docs/plugins.md). Its hooks run on goroutines of
// their own, while the exchange waits, as long as the plugin's time-out in the configuration lets it; a hook may take its time, and
// no other exchange notices.
type Plugin interface {
	Name() string // unique in a gateway: what a configuration, an error and the account call it
	Phase() Phase
	Wants() Wants
	// Open makes what looks at one exchange. nil: this one is none of the plugin's business.
	Open(x *Exchange) Session
}

// Session is the hooks of one exchange. They never overlap. Embed BaseSession, and write only the hooks that matter.
type Session interface {
	OnRequest(*RequestHook) Ruling // before any attempt
	OnAttempt(*AttemptHook) Ruling // one try at one upstream is about to be sent
	OnHead(*HeadHook) Ruling       // the answer's head, before the caller gets it
	OnDelta(*DeltaHook) Ruling     // one increment; an answer that is not streamed is one for each of its texts
	OnAnswerEnd(*AnswerEndHook) Ruling
	OnFinish() // the exchange is over; nothing is to be decided
}

// BaseSession lets everything pass.
type BaseSession struct{}

func (BaseSession) OnRequest(*RequestHook) Ruling     { return Continue() }
func (BaseSession) OnAttempt(*AttemptHook) Ruling     { return Continue() }
func (BaseSession) OnHead(*HeadHook) Ruling           { return Continue() }
func (BaseSession) OnDelta(*DeltaHook) Ruling         { return Continue() }
func (BaseSession) OnAnswerEnd(*AnswerEndHook) Ruling { return Continue() }
func (BaseSession) OnFinish()                         {}

// Ruling is what a hook decides.
type Ruling struct {
	verdict, status int32
	code            Code
	text            string
}

// Continue lets the exchange go on, with what the hook has changed.
func Continue() Ruling { return Ruling{} }

// Reply has the caller get an answer that says this, in its dialect; no attempt is made. In OnRequest only.
func Reply(text string) Ruling { return ReplyWith(http.StatusOK, text) }

// ReplyWith is Reply with a status; from 400 on the text is told as an error.
func ReplyWith(status int, text string) Ruling {
	return Ruling{verdict: verdictReply, status: int32(status), text: text}
}

// Fail has the caller get an error. CodePluginError is the plugin's own failure, which its fail mode may forgive; all others are
// judgements.
func Fail(code Code, message string) Ruling { return FailWith(code, 0, message) }

// FailWith is Fail with a status; 0 is that of the code.
func FailWith(code Code, status int, message string) Ruling {
	return Ruling{verdict: verdictFail, code: code, status: int32(status), text: message}
}

// SLUICE_CONTINUE and its kin.
const (
	verdictContinue = 0
	verdictReply    = 2
	verdictFail     = 3
)

// Exchange is what a plugin knows of the request it looks at.
type Exchange struct {
	ID        string `json:"id"`
	Operation string `json:"operation"` // "chat", "embeddings", "opaque" ...
	Dialect   string `json:"dialect"`   // the caller's
	Consumer  string `json:"consumer"`
	Tenant    string `json:"tenant"`
	Route     string `json:"route"` // empty in phase Authenticate
	Method    string `json:"method"`
	Path      string `json:"path"`
	Model     string `json:"model"` // as asked for
	Stream    bool   `json:"stream"`
}

// Hook is what all hooks have.
type Hook struct {
	Exchange *Exchange
	ctx      context.Context
	fields   []string // name and value of each field to be set
	body     *string
	text     *string
}

// Context ends when the exchange is over: nobody waits for the hook any more.
func (h *Hook) Context() context.Context { return h.ctx }

func (h *Hook) set(name, value string) { h.fields = append(h.fields, name, value) }

// RequestHook is a request before any attempt.
type RequestHook struct {
	Hook
	Header http.Header // to be read; SetHeader changes the request
	Body   string      // its present version; empty in phase Authenticate
}

// SetHeader sets a field of the request. It needs WantsRequestEdits.
func (h *RequestHook) SetHeader(name, value string) { h.set(name, value) }

// SetBody takes the place of the request's body. It needs WantsRequestEdits.
func (h *RequestHook) SetBody(body string) { h.body = &body }

// AttemptHook is one try at one upstream.
type AttemptHook struct {
	Hook
	Upstream string
	Number   int // 1, 2, ...
}

// SetHeader sets a field of what is sent to the upstream.
func (h *AttemptHook) SetHeader(name, value string) { h.set(name, value) }

// HeadHook is the answer's head.
type HeadHook struct {
	Hook
	Status int
	Header http.Header // to be read; SetHeader changes the answer
}

// SetHeader sets a field of the answer.
func (h *HeadHook) SetHeader(name, value string) { h.set(name, value) }

// DeltaHook is one increment of the answer.
type DeltaHook struct {
	Hook
	Choice    int
	Channel   Channel
	ToolIndex int
	Text      string // to be read; SetText changes what the caller gets
}

// SetText says what the increment says now; the empty text holds it back. It needs WantsDeltaEdits.
func (h *DeltaHook) SetText(text string) { h.text = &text }

// AnswerEndHook comes after the last increment, before the end is told.
type AnswerEndHook struct{ Hook }

// Emit adds text to the first choice: what was held back, for one. It needs WantsDeltaEdits.
func (h *AnswerEndHook) Emit(text string) {
	if h.text != nil {
		text = *h.text + text
	}
	h.text = &text
}
