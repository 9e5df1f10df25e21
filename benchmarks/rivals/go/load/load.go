// Package load is what drive.py is to Python: it reads commands on stdin, keeps one gateway under load, and says on stdout what came
// and what CPU time it took. It knows no gateway: a program hands it one as two functions.
package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What is left for later after the last answer is a gateway's cost too.
const settle = 100 * time.Millisecond

// ending is that of the mock's whole answer.
const ending = "byte by byte."

// Message is one of a chat.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Body is the chat of the comparison, as a program would state it.
type Body struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages"`
	Temperature float64   `json:"temperature"`
	MaxTokens   int       `json:"max_tokens"`
	User        string    `json:"user"`
	Stream      bool      `json:"stream,omitempty"`
}

// Arguments are those of each program: PORT WHOLE STREAMED EVENTS.
type Arguments struct {
	Port            string // of the mock, on loopback
	Whole, Streamed Body
	Events          int // deltas of a stream
}

// Gateway is what is measured.
type Gateway struct {
	Version string
	Chat    func() (string, error) // the text of one answer
	Stream  func() (int, error)    // how many deltas had text
}

type command struct {
	Do         string  `json:"do"` // "chat" or "stream"
	AtOnce     int     `json:"at_once"`
	CPUSeconds float64 `json:"cpu_seconds"`
}

type report struct {
	Count  int   `json:"count"` // answers or deltas
	Calls  int   `json:"calls"`
	CPUNS  int64 `json:"cpu_ns"`  // of all threads
	WallNS int64 `json:"wall_ns"` // until the last answer
}

// Parse reads the program's arguments, and ends it where they are none.
func Parse() Arguments {
	if len(os.Args) != 5 {
		Die(fmt.Errorf("usage: %s PORT WHOLE STREAMED EVENTS", os.Args[0]))
	}
	a := Arguments{Port: os.Args[1]}
	for i, body := range []*Body{&a.Whole, &a.Streamed} {
		text, err := os.ReadFile(os.Args[2+i])
		if err == nil {
			err = json.Unmarshal(text, body)
		}
		if err != nil {
			Die(err)
		}
	}
	events, err := strconv.Atoi(os.Args[4])
	if err != nil {
		Die(err)
	}
	a.Events = events
	return a
}

// Die ends the program, with the reason on stderr.
func Die(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// cpu is the on-CPU time of the process.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		Die(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// Serve answers commands until there are no more.
func Serve(g Gateway, events int) {
	answers := json.NewEncoder(os.Stdout)
	say := func(value interface{}) {
		if err := answers.Encode(value); err != nil {
			Die(err)
		}
	}
	say(map[string]string{"version": g.Version})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			Die(err)
		}
		if c.Do == "chat" {
			say(run(c, func() int { return chat(g) }))
		} else {
			say(run(c, func() int { return stream(g, events) }))
		}
	}
}

func chat(g Gateway) int {
	text, err := g.Chat()
	if err == nil && !strings.HasSuffix(text, ending) {
		err = fmt.Errorf("an answer that is not the mock's: %q", text)
	}
	if err != nil {
		Die(err)
	}
	return 1
}

func stream(g Gateway, events int) int {
	count, err := g.Stream()
	if err == nil && count != events {
		err = fmt.Errorf("a stream of %d events gave %d deltas", events, count)
	}
	if err != nil {
		Die(err)
	}
	return count
}

// run keeps as many goroutines calling as shall be in flight: each again as soon as it has its answer, until the
// program has had its CPU time.
func run(c command, call func() int) report {
	var all sync.WaitGroup
	var mutex sync.Mutex
	var r report
	before, began := cpu(), time.Now()
	until := before + int64(c.CPUSeconds*1e9)
	for i := 0; i < c.AtOnce; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			count, calls := 0, 0
			for calls == 0 || cpu() < until {
				count += call()
				calls++
			}
			mutex.Lock()
			r.Count += count
			r.Calls += calls
			mutex.Unlock()
		}()
	}
	all.Wait()
	r.WallNS = time.Since(began).Nanoseconds()
	time.Sleep(settle)
	r.CPUNS = cpu() - before
	return r
}
