// A plugin: card numbers of four times four digits do not leave, also where one comes in several pieces. What may yet become one
// is held back; what is still held when the answer ends is given on then.
package main

import (
	"context"
	"fmt"
	"log"
	"regexp"

	"sluice.example/sluice"
)

const config = `{
  "version": 1,
  "upstreams": [{"name": "clerk", "provider": "simulator", "simulator": {"answer": "Your card 4111 1111 1111 1111 is on file."}}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "clerk"}],
              "plugins": [{"name": "no-cards"}]}]
}`

type noCards struct{}

func (noCards) Name() string                         { return "no-cards" }
func (noCards) Phase() sluice.Phase                  { return sluice.Transform }
func (noCards) Wants() sluice.Wants                  { return sluice.WantsDeltaEdits | sluice.WantsAttempts }
func (noCards) Open(*sluice.Exchange) sluice.Session { return &session{} }

var (
	card    = regexp.MustCompile(`\d{4}( \d{4}){3}`)
	mayBe   = regexp.MustCompile(`\d[\d ]*$`) // what a card number could begin with
	longest = len("0000 0000 0000 0000")
)

// session is one answer.
type session struct {
	sluice.BaseSession
	held string
}

// OnAttempt begins another answer: what is held belongs to one that reached nobody.
func (s *session) OnAttempt(*sluice.AttemptHook) sluice.Ruling {
	s.held = ""
	return sluice.Continue()
}

func (s *session) OnDelta(h *sluice.DeltaHook) sluice.Ruling {
	if h.Channel != sluice.ChannelText || h.Choice != 0 {
		return sluice.Continue()
	}
	text := card.ReplaceAllString(s.held+h.Text, "[card]")
	s.held = mayBe.FindString(text)
	if len(s.held) > longest {
		s.held = ""
	}
	h.SetText(text[:len(text)-len(s.held)])
	return sluice.Continue()
}

func (s *session) OnAnswerEnd(h *sluice.AnswerEndHook) sluice.Ruling {
	if s.held != "" {
		h.Emit(s.held)
	}
	return sluice.Continue()
}

func main() {
	gw, err := sluice.Open([]byte(config), sluice.WithPlugin(noCards{}))
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Close()

	stream, err := gw.Stream(context.Background(), sluice.Post("/v1/chat/completions",
		`{"model": "smart", "stream": true, "messages": [{"role": "user", "content": "my card?"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	said := ""
	for stream.Next() {
		said += stream.Event().Text
	}
	fmt.Println(said)
	if err := stream.Err(); err != nil || said != "Your card [card] is on file." {
		log.Fatal("that is not what was meant: ", err)
	}
}
