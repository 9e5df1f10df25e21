package sluice_test

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"sluice.example/sluice"
)

func TestASentAnswerMayBeLongerThanWhatComesAtOnce(t *testing.T) {
	long := strings.Repeat("word ", 200_000)
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":"`+long+`"},"finish_reason":"stop"}]}`)
	})))
	answer, err := gw.Send(patient(t), chat())
	if err != nil {
		t.Fatal(err)
	}
	if text := said(t, answer.Body); text != long {
		t.Errorf("%d bytes of text arrived, not %d", len(text), len(long))
	}
	if answer.Outcome.BytesOut < uint64(len(long)) {
		t.Errorf("the account says %d bytes", answer.Outcome.BytesOut)
	}
}

// The texts of an account share a string and its fields a row: what is told of one call may not change with the next.
func TestAnAccountStaysAsItIsWhenOthersAreTaken(t *testing.T) {
	gw := open(t, chatOn(says("one")))
	first, err := gw.Send(patient(t), chat())
	if err != nil {
		t.Fatal(err)
	}
	kept, attempts := *first.Outcome, append([]sluice.Attempt(nil), first.Outcome.Attempts...)
	if kept.Route == "" || kept.ID == "" || len(attempts) != 1 || attempts[0].Upstream != "demo" || attempts[0].Reason != "completed" {
		t.Fatalf("the account lacks texts: %+v", kept)
	}
	for i := 0; i < 5; i++ {
		other, err := gw.Send(patient(t), sluice.Get("/nowhere"))
		if err != nil {
			t.Fatal(err)
		}
		if other.Status != 404 || other.Outcome.ID == kept.ID {
			t.Fatalf("%d %+v", other.Status, other.Outcome)
		}
	}
	if !reflect.DeepEqual(*first.Outcome, kept) || !reflect.DeepEqual(first.Outcome.Attempts, attempts) {
		t.Errorf("it was %+v and is %+v", kept, *first.Outcome)
	}
}

func TestFieldsThatComeTwiceKeepTheirValuesAndTouchNoOthers(t *testing.T) {
	gw := open(t, chatOn(server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Ratelimit-Limit-Tokens"] = []string{"a", "b"}
		w.Header().Set("Openai-Version", "z")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)
	})))
	answer, err := gw.Send(patient(t), chat())
	if err != nil {
		t.Fatal(err)
	}
	header := answer.Header
	if got := header["X-Ratelimit-Limit-Tokens"]; !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("x-ratelimit-limit-tokens: %q in %v", got, header)
	}
	header.Add("X-Ratelimit-Limit-Tokens", "c")
	header.Add("Content-Type", "more")
	if header.Get("Openai-Version") != "z" || len(header["Openai-Version"]) != 1 || len(header["Content-Type"]) != 2 {
		t.Errorf("other fields changed: %v", header)
	}
}
