package sluice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice.example/sluice"
	"sluice.example/sluice/sluicetest"
)

func TestAGatewayOpensFromAFileFromBytesAndFromAMap(t *testing.T) {
	document, err := json.Marshal(chatOn(says("the same")))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "gateway.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, config := range []interface{}{path, document, json.RawMessage(document), chatOn(says("the same"))} {
		gw := open(t, config)
		answer, err := gw.Send(patient(t), chat())
		if err != nil {
			t.Fatalf("%T: %v", config, err)
		}
		if got := said(t, answer.Body); answer.Status != 200 || got != "the same" {
			t.Errorf("%T: %d %q", config, answer.Status, got)
		}
	}
}

func TestAConfigurationThatIsRefusedNamesEveryMistake(t *testing.T) {
	config := chatOn(says("x"))
	config["upstreams"] = list{object{"name": "demo", "provider": "simulatr"}}
	config["gatway"] = object{}
	_, err := sluice.Open(config)
	var e *sluice.Error
	if !errors.As(err, &e) || !errors.Is(err, sluice.CodeInvalidConfiguration) {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(e.Message, "simulatr") || !strings.Contains(e.Message, "gatway") {
		t.Errorf("one of two mistakes is not told: %s", e.Message)
	}
	document, _ := json.Marshal(config)
	if err := sluice.Check(document); !errors.Is(err, sluice.CodeInvalidConfiguration) {
		t.Errorf("check: %v", err)
	}
	if err := sluice.Check([]byte(`{"version": 1, "upstreams": [], "routes": []}`)); err != nil {
		t.Logf("an empty document: %v", err)
	}
}

func TestWhatIsNoConfigurationIsRefusedBeforeTheLibraryIsAsked(t *testing.T) {
	for _, config := range []interface{}{nil, make(chan int), "no/such/file.json"} {
		gw, err := sluice.Open(config)
		if err == nil {
			gw.Close()
			t.Errorf("%T opened", config)
		}
	}
	if _, err := sluice.Open("no/such/file.json"); !errors.Is(err, sluice.CodeFileUnreadable) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAGatewayWithoutThreadsIsRefusedWhereNobodyWouldDriveIt(t *testing.T) {
	config := chatOn(says("x"))
	config["gateway"] = object{"threads": 0}
	if _, err := sluice.Open(config); !errors.Is(err, sluice.CodeInvalidConfiguration) {
		t.Errorf("%v", err)
	}
	gw := open(t, config, sluice.WithThreads(1))
	if answer, err := gw.Send(patient(t), chat()); err != nil || answer.Status != 200 {
		t.Errorf("with a thread: %v", err)
	}
}

func TestExplainDumpAndStatisticsTellOfTheGateway(t *testing.T) {
	gw := open(t, chatOn(says("x")), sluice.WithThreads(2))
	explanation, err := gw.Explain(chat())
	if err != nil || explanation.Status != 200 || !strings.Contains(explanation.Text, "chat") || !json.Valid(explanation.JSON) {
		t.Errorf("explain: %+v %v", explanation, err)
	}
	refused, err := gw.Explain(sluice.Get("/v1/nowhere"))
	if err != nil || refused.Status != 404 {
		t.Errorf("explain a request nobody takes: %+v %v", refused, err)
	}
	document, err := gw.Dump()
	if err != nil || !json.Valid(document) || !bytes.Contains(document, []byte(`"demo"`)) {
		t.Errorf("dump: %s %v", document, err)
	}
	if _, err := gw.Send(patient(t), chat()); err != nil {
		t.Fatal(err)
	}
	counted, err := gw.Statistics()
	if err != nil || counted.Engines != 2 || counted.ExchangesStarted != 1 || counted.Completed != 1 {
		t.Errorf("statistics: %+v %v", counted, err)
	}
	if !json.Valid(sluice.ConfigSchema()) || sluice.Version() == "" {
		t.Error("the library tells no schema, or no version")
	}
}

func TestAReloadChangesWhatNewCallsGet(t *testing.T) {
	gw := open(t, chatOn(says("before")))
	if err := gw.Reload(object{"version": 2}); !errors.Is(err, sluice.CodeInvalidConfiguration) {
		t.Errorf("a bad document: %v", err)
	}
	answer, err := gw.Send(patient(t), chat())
	if err != nil || said(t, answer.Body) != "before" {
		t.Errorf("the old one is not in force any more: %v", err)
	}
	if err := gw.Reload(chatOn(says("after"))); err != nil {
		t.Fatal(err)
	}
	if answer, err = gw.Send(patient(t), chat()); err != nil || said(t, answer.Body) != "after" {
		t.Errorf("the new one is not in force: %v", err)
	}
}

func TestAGatewayCanBeClosedTwiceAndTakesNoCallAfterwards(t *testing.T) {
	gw, err := sluice.Open(chatOn(says("x")))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2; i++ {
		if err := gw.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := gw.Do(context.Background(), chat()); !errors.Is(err, sluice.CodeClosed) {
		t.Errorf("do: %v", err)
	}
	if _, err := gw.Statistics(); !errors.Is(err, sluice.CodeClosed) {
		t.Errorf("statistics: %v", err)
	}
	if _, err := gw.Dump(); !errors.Is(err, sluice.CodeClosed) {
		t.Errorf("dump: %v", err)
	}
	if err := gw.Reload(chatOn(says("x"))); !errors.Is(err, sluice.CodeClosed) {
		t.Errorf("reload: %v", err)
	}
	if _, err := gw.Serve(); !errors.Is(err, sluice.CodeClosed) {
		t.Errorf("serve: %v", err)
	}
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	config := chatOn(simulated("demo", object{"answer": strings.Repeat("word ", 1000), "tokens_per_second": 5}))
	gw, err := sluice.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	var streams []*sluice.Stream
	for i := 0; i < 20; i++ {
		stream, err := gw.Stream(patient(t), streaming())
		if err != nil {
			t.Fatal(err)
		}
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
		streams = append(streams, stream)
	}
	if err := gw.Close(); err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		if _, err := gather(stream); err == nil {
			t.Error("a stream that was cut off says that it is whole")
		}
		outcome, err := stream.Outcome()
		if err != nil || outcome.Ending != sluice.Cancelled {
			t.Errorf("outcome: %+v %v", outcome, err)
		}
	}
}

func TestLinesOfTheLogReachTheProgram(t *testing.T) {
	lines := make(chan string, 100)
	config := chatOn(says("x"))
	config["routes"].(list)[0].(object)["plugins"] = list{object{"name": "request_log"}}
	gw := open(t, config, sluice.WithLog(func(level sluice.LogLevel, line string) {
		select {
		case lines <- line:
		default:
		}
	}))
	if _, err := gw.Send(patient(t), chat()); err != nil {
		t.Fatal(err)
	}
	select {
	case line := <-lines:
		if line == "" {
			t.Error("an empty line")
		}
	case <-patient(t).Done():
		t.Error("no line came")
	}
}

func TestTheCodesAreThoseOfTheHeader(t *testing.T) {
	header, err := os.ReadFile("../../capi/include/sluice/error.h")
	if err != nil {
		t.Skip("the header is not beside this module: ", err)
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\tCode(\w+)\s+Code = (\d+)$`).FindAllStringSubmatch(string(source), -1) {
		constants[strings.ToLower(m[1])] = m[2]
	}
	named := 0
	for _, m := range regexp.MustCompile(`SLUICE_(?:CODE_)?(\w+) = (\d+)`).FindAllStringSubmatch(string(header[:bytes.Index(header, []byte("SLUICE_ORIGIN_CALLER"))]), -1) {
		named++
		if got := constants[strings.ToLower(strings.ReplaceAll(m[1], "_", ""))]; got != m[2] {
			t.Errorf("%s is %s in the header, and %q here", m[1], m[2], got)
		}
		n, _ := strconv.Atoi(m[2])
		if sluice.Code(n).String() == "unknown_code" {
			t.Errorf("the library has no name for code %d, %s", n, m[1])
		}
	}
	if named != len(constants) || named < 70 {
		t.Errorf("%d codes in the header, %d here", named, len(constants))
	}
}

func TestASimulationServesFailoverInVirtualTime(t *testing.T) {
	// ABI-14: twice the same, in no time.
	run := func() (string, []sluicetest.Seen) {
		sim := sluicetest.New(7)
		defer sim.Close()
		config := chatOn(says("unused"), simulated("spare", object{}))
		gw := open(t, config, sluice.WithSimulation(sim))
		sim.Upstream("demo").Fails(sluicetest.Fault{Kind: sluicetest.Status, Status: 503, Until: 90e9})
		sim.Upstream("spare").Answers("from the spare")
		answer, err := gw.Send(context.Background(), chat())
		if err != nil {
			t.Fatal(err)
		}
		attempts := answer.Outcome.Attempts
		if len(attempts) < 2 || attempts[0].Reason != "status 503" || attempts[len(attempts)-1].Upstream != "spare" {
			t.Errorf("attempts: %+v", attempts)
		}
		if err := sim.Advance(gw, 120e9); err != nil {
			t.Fatal(err)
		}
		sim.Upstream("demo").Answers("well again")
		after, err := gw.Send(context.Background(), chat())
		if err != nil {
			t.Fatal(err)
		}
		return said(t, answer.Body) + ", " + said(t, after.Body) + ", " + answer.Outcome.ID + ", " + sim.Now().String(), sim.Seen()
	}
	first, seen := run()
	second, _ := run()
	if first != second {
		t.Errorf("two runs differ: %s; %s", first, second)
	}
	if !strings.HasPrefix(first, "from the spare, well again, ") {
		t.Error(first)
	}
	if len(seen) < 3 || seen[0].Upstream != "demo" || !bytes.Contains(seen[0].Body, []byte("hello")) {
		t.Errorf("what the upstreams saw: %+v", seen)
	}
}
