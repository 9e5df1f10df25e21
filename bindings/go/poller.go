package sluice

import (
	"net/http"
	"net/textproto"
	"strings"

	"sluice.example/sluice/internal/abi"
)

// pluginTag marks the tags of plugins; those of calls are counted from 1.
const pluginTag = 1 << 63

// poll is the one goroutine of a gateway that waits in C. It never waits for anybody else: what it brings is put where its reader
// finds it. It ends when the gateway is closed and every call has had its END.
func (g *Gateway) poll() {
	defer close(g.polled)
	for {
		if _, err := g.deliver(-1); err != nil {
			g.abort(err)
			return
		}
		g.calls.Lock()
		last := g.calls.done && len(g.calls.open) == 0
		g.calls.Unlock()
		if last {
			return
		}
	}
}

// abort ends what is open where the queue gives no more: in a child of fork, for one.
func (g *Gateway) abort(err error) {
	g.calls.Lock()
	open := g.calls.open
	g.calls.open = map[uint64]*call{}
	g.calls.Unlock()
	for _, c := range open {
		c.Lock()
		c.failure = err
		c.Unlock()
		c.ring()
	}
}

// step moves a simulation on: hooks that wait are answered first, then the next moment comes. False: nothing is left to happen.
// The caller drives.
func (g *Gateway) step() (happened bool, err error) {
	// What lies in the queue is of this moment, and so is what follows from it, the answers of hooks among it: no time passes
	// before all of that is done.
	for try := 0; try < 2; try++ {
		n, err := g.deliver(0)
		if n != 0 || err != nil {
			return n != 0, err
		}
		if err = g.move(func(h abi.Gateway) *abi.Error { return g.simulation().Advance(h, 0) }); err != nil {
			return false, err
		}
	}
	err = g.move(func(h abi.Gateway) (e *abi.Error) {
		happened, e = g.simulation().Step(h)
		return e
	})
	if err != nil || happened {
		return happened, err
	}
	// The last of it may have left something in the queue.
	n, err := g.deliver(0)
	return n != 0, err
}

// move calls the library on a simulation's time.
func (g *Gateway) move(how func(abi.Gateway) *abi.Error) error {
	if err := g.enter(); err != nil {
		return err
	}
	defer g.leave()
	return errorOf(how(g.handle))
}

// settle does all that is due at this moment of a simulation. The caller drives.
func (g *Gateway) settle() error {
	for {
		if err := g.move(func(h abi.Gateway) *abi.Error { return g.simulation().Advance(h, 0) }); err != nil {
			return err
		}
		if n, err := g.deliver(0); n == 0 || err != nil {
			return err
		}
	}
}

func (g *Gateway) simulation() abi.Simulation { return *g.simulated }

// deliver takes one batch of events and puts each where it belongs.
func (g *Gateway) deliver(timeoutMS int32) (int, error) {
	if g.simulated != nil {
		if err := g.enter(); err != nil {
			return 0, err
		}
		g.leave() // the queue is freed by whoever drives
	}
	n, e := g.queue.Poll(timeoutMS)
	if e != nil {
		return 0, errorOf(e)
	}
	var c *call
	for i := 0; i < n; i++ {
		event := g.queue.Event(i)
		tag := event.Tag()
		if event.Kind() == abi.EventHook {
			g.hook(event)
			continue
		}
		// Events of one call come in runs.
		if c == nil || c.tag != tag {
			if c != nil {
				c.ring()
			}
			c = g.find(tag)
			if c == nil {
				continue
			}
		}
		if event.Kind() == abi.EventEnd {
			g.finish(c, event)
			c = nil
			continue
		}
		c.put(event)
	}
	if c != nil {
		c.ring()
	}
	return n, nil
}

func (g *Gateway) find(tag uint64) *call {
	g.calls.Lock()
	defer g.calls.Unlock()
	return g.calls.open[tag]
}

func (g *Gateway) forget(tag uint64) {
	g.calls.Lock()
	delete(g.calls.open, tag)
	g.calls.Unlock()
}

func (g *Gateway) open() int {
	g.calls.Lock()
	defer g.calls.Unlock()
	return len(g.calls.open)
}

// put adds what an event brings.
func (c *call) put(event abi.Event) {
	c.Lock()
	defer c.Unlock()
	switch event.Kind() {
	case abi.EventHead:
		c.room.head = head{int(event.Status()), fieldsOf(event.Data())}
		c.head = &c.room.head
	case abi.EventChunk:
		if c.abandoned {
			return
		}
		if c.deltas {
			c.events = append(c.events, Event{Channel: ChannelBody, Text: string(event.Data())})
			return
		}
		c.bytes = append(c.bytes, event.Data()...)
	case abi.EventDelta:
		if !c.abandoned {
			c.events = append(c.events, Event{
				Choice: int(event.Choice()), Channel: Channel(event.Channel()), ToolIndex: int(event.ToolIndex()),
				Text: string(event.Data()),
			})
		}
	}
}

// finish is the END: the last of a call.
func (g *Gateway) finish(c *call, event abi.Event) {
	e := &c.room.end
	*e = end{ending: event.Detail(), status: event.Status(), code: Code(event.Code()), message: string(event.Data())}
	if c.keep {
		if o, err := g.queue.TakeOutcome(event.Call()); err == nil {
			e.outcome = outcomeOf(o)
		} else {
			e.lost = errorOf(err)
		}
	}
	g.forget(c.tag)
	c.Lock()
	c.end = e
	alone := c.abandoned
	c.Unlock()
	close(c.over)
	c.ring()
	if alone && c.told != nil {
		go c.tell()
	}
}

// fieldsOf reads the head's fields, each as `name: value` and CR LF. They share one string, and one row of values.
func fieldsOf(data []byte) http.Header {
	text := string(data)
	lines := strings.Count(text, "\r\n") + 1
	header, values := make(http.Header, lines), make([]string, lines)
	for len(text) != 0 {
		line := text
		if at := strings.Index(text, "\r\n"); at >= 0 {
			line, text = text[:at], text[at+2:]
		} else {
			text = ""
		}
		colon := strings.IndexByte(line, ':')
		if colon <= 0 {
			continue
		}
		name, value := textproto.CanonicalMIMEHeaderKey(line[:colon]), strings.TrimSpace(line[colon+1:])
		if before, known := header[name]; known {
			header[name] = append(before, value)
			continue
		}
		values[0] = value
		header[name], values = values[:1:1], values[1:]
	}
	return header
}

// Drive is for package sluicetest alone: it moves a simulation, and delivers what follows from it.
func (g *Gateway) Drive(how func(abi.Gateway) *abi.Error) error {
	if g.simulated == nil {
		return failed(CodeInvalidParameter, "this gateway has no simulation: its time is the clock's")
	}
	g.driving.Lock()
	defer g.driving.Unlock()
	if _, err := g.deliver(0); err != nil {
		return err
	}
	if err := g.move(how); err != nil {
		return err
	}
	return g.settle()
}
