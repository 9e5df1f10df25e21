package sluice

import (
	"time"

	"sluice.example/sluice/internal/abi"
)

// Ending says how a call ended.
type Ending int32

const (
	Completed Ending = 0 // the caller got a whole answer of the upstream, whatever its status
	Refused   Ending = 1 // the gateway answered itself before any attempt
	Failed    Ending = 2 // an attempt was made and no whole answer reached the caller
	Cancelled Ending = 3
)

func (e Ending) String() string {
	switch e {
	case Completed:
		return "completed"
	case Refused:
		return "refused"
	case Failed:
		return "failed"
	case Cancelled:
		return "cancelled"
	}
	return "unknown"
}

// Unknown is a count that nobody has stated. It is not 0.
const Unknown = -1

// Usage is tokens as billed; Unknown where nobody said.
type Usage struct {
	InputTokens       int64 // everything that was read, cached parts included
	OutputTokens      int64 // everything that was written, reasoning included
	CachedInputTokens int64 // the part of the input read from a cache
	CacheWriteTokens  int64 // the part of the input written to a cache
	ReasoningTokens   int64 // the part of the output spent on reasoning
	TotalTokens       int64 // as the provider states it
	Estimated         bool  // counted by the gateway, not reported by the provider
}

// Outcome is what became of a call: its account, with a ledger of its attempts, of what plugins said, and of what could not be
// translated. Times are counted from the first byte of the request, unless said otherwise.
type Outcome struct {
	Ending         Ending
	Status         int // what the caller got
	Code           Code
	Streamed       bool
	ID             string // also the x-request-id of the answer, where the provider sent none
	ErrorMessage   string
	Consumer       string
	Tenant         string
	Route          string
	RequestedModel string
	ServedModel    string
	Dialect        string // the caller's: "openai"
	Operation      string // "chat"
	FinishReason   string
	ModelNote      string // what the model policy did, in words
	Mode           string // "embedded" or "security"
	Usage          Usage
	StartedAt      time.Time
	FirstDelta     time.Duration // 0: none came
	Total          time.Duration
	Receive        time.Duration // the request came in; with the four below and the gateway's own time it is the total
	Plugins        time.Duration // plugins kept it waiting
	Queued         time.Duration // for places at upstreams
	Waited         time.Duration // pauses between attempts
	Upstream       time.Duration // attempts under way
	Deltas         uint64        // events with content that were given to the caller
	BytesIn        uint64
	BytesOut       uint64
	Attempts       []Attempt
	Verdicts       []Verdict
	Losses         []Loss
}

// Attempt is one try at one upstream, or the reason why there was none.
type Attempt struct {
	Upstream         string
	Model            string // the name sent
	Reason           string // why it ended: "status 503", "completed"
	ChosenBecause    string // why this upstream
	Skipped          bool   // nothing was sent; Reason says why it was passed over
	Code             Code
	Status           int // of the upstream's answer; 0 where none came
	ReusedConnection bool
	Started          time.Duration // its start
	Waited           time.Duration // the pause before it, because an earlier one had failed
	Queued           time.Duration // for a place at the upstream
	Resolve          time.Duration // from its start, as the three below
	Connect          time.Duration
	FirstByte        time.Duration
	Total            time.Duration
	Sends            uint64
	BytesSent        uint64
	BytesReceived    uint64
	Usage            Usage // what this attempt alone was billed for
}

// Verdict is what one plugin said in one hook.
type Verdict struct {
	Plugin     string
	Hook       string // "request", "attempt", "head", "delta", "answer_end"
	Verdict    string // "continue", "edit", "reply", "fail", "error"
	Message    string
	Code       Code
	Observed   bool // recorded, not carried out
	FailedOpen bool // it erred, and its fail mode let the exchange go on
	Took       time.Duration
}

// Loss is one field that could not be carried to the upstream as it was.
type Loss struct {
	Field    string
	Reason   string
	Severity string // "note", "cosmetic", "semantic"
}

func outcomeOf(o *abi.Outcome) *Outcome {
	out := &Outcome{
		Ending: Ending(o.Ending), Status: int(o.Status), Code: Code(o.Code), Streamed: o.Streamed, ID: o.ID,
		ErrorMessage: o.ErrorMessage, Consumer: o.Consumer, Tenant: o.Tenant, Route: o.Route, RequestedModel: o.RequestedModel,
		ServedModel: o.ServedModel, Dialect: o.Dialect, Operation: o.Operation, FinishReason: o.FinishReason,
		ModelNote: o.ModelNote, Mode: o.Mode, Usage: Usage(o.Usage),
		StartedAt:  time.Unix(o.StartedAtMS/1000, o.StartedAtMS%1000*int64(time.Millisecond)),
		FirstDelta: time.Duration(o.FirstDelta), Total: time.Duration(o.Total), Receive: time.Duration(o.Receive),
		Plugins: time.Duration(o.Plugins), Queued: time.Duration(o.Queued), Waited: time.Duration(o.Waited),
		Upstream: time.Duration(o.Upstream), Deltas: o.Deltas, BytesIn: o.BytesIn, BytesOut: o.BytesOut,
	}
	if len(o.Attempts) != 0 {
		out.Attempts = make([]Attempt, 0, len(o.Attempts))
	}
	for i := range o.Attempts {
		a := &o.Attempts[i]
		out.Attempts = append(out.Attempts, Attempt{
			Upstream: a.Upstream, Model: a.Model, Reason: a.Reason, ChosenBecause: a.ChosenBecause, Skipped: a.Skipped,
			Code: Code(a.Code), Status: int(a.Status), ReusedConnection: a.ReusedConnection,
			Started: time.Duration(a.Started), Waited: time.Duration(a.Waited), Queued: time.Duration(a.Queued),
			Resolve: time.Duration(a.Resolve), Connect: time.Duration(a.Connect), FirstByte: time.Duration(a.FirstByte),
			Total: time.Duration(a.Total), Sends: a.Sends, BytesSent: a.BytesSent, BytesReceived: a.BytesReceived,
			Usage: Usage(a.Usage),
		})
	}
	for i := range o.Verdicts {
		v := &o.Verdicts[i]
		out.Verdicts = append(out.Verdicts, Verdict{
			v.Plugin, v.Hook, v.Verdict, v.Message, Code(v.Code), v.Observed, v.FailedOpen, time.Duration(v.Took),
		})
	}
	for _, l := range o.Losses {
		out.Losses = append(out.Losses, Loss(l))
	}
	return out
}
