package sluice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"sluice.example/sluice/internal/abi"
)

// Which hook an event asks: SLUICE_HOOK_*.
const (
	hookRequest   = 1
	hookAttempt   = 2
	hookHead      = 3
	hookDelta     = 4
	hookAnswerEnd = 5
	hookFinish    = 6
)

// SLUICE_EDIT_*.
const (
	editText    = 1
	editBody    = 2
	editHeaders = 4
)

// sessionTable is the sessions of all plugins of a gateway, by the numbers the C ABI gives them.
type sessionTable struct {
	sync.Mutex
	open    map[uint64]*session
	running sync.WaitGroup // goroutines inside hooks
	closed  bool
}

// session is one plugin in one exchange. Its hooks come one after the other; a goroutine is there only while one waits.
type session struct {
	gateway *Gateway
	number  uint64
	plugin  Plugin
	ctx     context.Context
	end     context.CancelFunc

	sync.Mutex
	waiting []asked
	busy    bool

	// The goroutine's own.
	exchange *Exchange
	hooks    Session
	opened   bool
}

// asked is a HOOK event, copied.
type asked struct {
	hook      uint64
	kind      int32
	choice    int
	channel   Channel
	toolIndex int
	data      []byte
}

// hook takes a HOOK event in. It is called by the poller, and does not wait; in a simulation by whoever drives, and is answered on
// return.
func (g *Gateway) hook(event abi.Event) {
	plugin := g.plugins[event.Tag()]
	if plugin == nil {
		return
	}
	number := event.Session()
	g.sessions.Lock()
	s := g.sessions.open[number]
	finish := event.Detail() == hookFinish
	if s == nil && (finish || g.sessions.closed) {
		g.sessions.Unlock()
		return
	}
	if s == nil {
		s = &session{gateway: g, number: number, plugin: plugin}
		s.ctx, s.end = context.WithCancel(context.Background())
		g.sessions.open[number] = s
	}
	if finish {
		delete(g.sessions.open, number)
	}
	s.Lock()
	s.waiting = append(s.waiting, asked{event.Call(), event.Detail(), int(event.Choice()), Channel(event.Channel()),
		int(event.ToolIndex()), append([]byte(nil), event.Data()...)})
	start := !s.busy
	s.busy = true
	s.Unlock()
	if start {
		g.sessions.running.Add(1)
	}
	g.sessions.Unlock()
	if finish {
		s.end()
	}
	switch {
	case !start:
	case g.simulated != nil:
		s.run()
	default:
		go s.run()
	}
}

// end ends all sessions and waits for the hooks that run.
func (t *sessionTable) end() {
	t.Lock()
	t.closed = true
	open := t.open
	t.open = map[uint64]*session{}
	t.Unlock()
	for _, s := range open {
		s.end()
	}
	t.running.Wait()
}

// run answers what waits.
func (s *session) run() {
	defer s.gateway.sessions.running.Done()
	for {
		s.Lock()
		if len(s.waiting) == 0 {
			s.busy = false
			s.Unlock()
			return
		}
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.Unlock()
		ruling, hook := s.ask(next)
		if next.kind != hookFinish {
			s.answer(next, ruling, hook)
		}
	}
}

// told is the object that most hooks come with.
type told struct {
	Exchange
	Headers  [][2]string `json:"headers"`
	Body     string      `json:"body"`
	Upstream string      `json:"upstream"`
	Number   int         `json:"number"`
	Status   int         `json:"status"`
}

func (t *told) header() http.Header {
	header := make(http.Header, len(t.Headers))
	for _, field := range t.Headers {
		header.Add(field[0], field[1])
	}
	return header
}

// ask calls the hook. A panic is the plugin's failure, which its fail mode judges.
func (s *session) ask(a asked) (ruling Ruling, hook *Hook) {
	defer func() {
		if p := recover(); p != nil {
			ruling = Fail(CodePluginError, fmt.Sprintf("plugin '%s' panicked: %v", s.plugin.Name(), p))
			hook = nil
		}
	}()
	var t told
	if a.kind != hookDelta && a.kind != hookFinish {
		if err := json.Unmarshal(a.data, &t); err != nil {
			return Fail(CodePluginError, fmt.Sprintf("plugin '%s' was asked in words it cannot read: %v", s.plugin.Name(), err)), nil
		}
		// The route is known later than the first hook.
		s.exchange = &t.Exchange
	}
	if !s.opened {
		s.opened = true
		if s.exchange == nil {
			s.exchange = &Exchange{}
		}
		s.hooks = s.plugin.Open(s.exchange)
	}
	if s.hooks == nil {
		return Continue(), nil
	}
	base := Hook{Exchange: s.exchange, ctx: s.ctx}
	switch a.kind {
	case hookRequest:
		h := &RequestHook{base, t.header(), t.Body}
		return s.hooks.OnRequest(h), &h.Hook
	case hookAttempt:
		h := &AttemptHook{base, t.Upstream, t.Number}
		return s.hooks.OnAttempt(h), &h.Hook
	case hookHead:
		h := &HeadHook{base, t.Status, t.header()}
		return s.hooks.OnHead(h), &h.Hook
	case hookDelta:
		h := &DeltaHook{base, a.choice, a.channel, a.toolIndex, string(a.data)}
		return s.hooks.OnDelta(h), &h.Hook
	case hookAnswerEnd:
		h := &AnswerEndHook{base}
		return s.hooks.OnAnswerEnd(h), &h.Hook
	case hookFinish:
		s.hooks.OnFinish()
	}
	return Continue(), nil // a hook of a later version of the library is none of this plugin's business
}

// answer lets the exchange go on. One that is over does not listen.
func (s *session) answer(a asked, ruling Ruling, hook *Hook) {
	r := abi.Ruling{Verdict: ruling.verdict, Status: ruling.status, Code: int32(ruling.code), Text: []byte(ruling.text)}
	if hook != nil && ruling.verdict == verdictContinue {
		if hook.text != nil {
			r.Edits |= editText
			r.Text = []byte(*hook.text)
		}
		if hook.body != nil {
			r.Edits |= editBody
			r.Body = []byte(*hook.body)
		}
		if len(hook.fields) != 0 {
			r.Edits |= editHeaders
			for _, text := range hook.fields {
				r.Fields.Put(text)
			}
		}
	}
	e := s.deliver(a.hook, &r)
	if e != nil {
		// What the plugin decided is nothing the library takes (a field that is none, text that is no UTF-8): its own failure.
		s.deliver(a.hook, &abi.Ruling{Verdict: verdictFail, Code: int32(CodePluginError),
			Text: []byte(fmt.Sprintf("plugin '%s' decided what cannot be done: %s", s.plugin.Name(), e.Message))})
	}
}

func (s *session) deliver(hook uint64, r *abi.Ruling) *abi.Error {
	if s.gateway.enter() != nil {
		return nil
	}
	defer s.gateway.leave()
	return s.gateway.handle.Answer(hook, r)
}
