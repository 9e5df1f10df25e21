package sluice

import (
	"context"
	"time"

	"sluice.example/sluice/internal/abi"
)

// Code says what went wrong; docs/errors.md has each with its remedy. A Code is an error, so that
//
//	errors.Is(err, sluice.CodeRouteNotFound)
//
// asks what happened.
type Code int32

// Error is the name of the code as it stands in answers: "route_not_found".
func (c Code) Error() string { return c.String() }

// String is the same.
func (c Code) String() string {
	if name := abi.CodeName(int32(c)); name != "" {
		return name
	}
	return "unknown_code"
}

// Origin says who caused an error, which decides who must act.
type Origin int32

const (
	OriginCaller   Origin = 0
	OriginGateway  Origin = 1
	OriginPlugin   Origin = 2
	OriginUpstream Origin = 3
	OriginUnknown  Origin = -1 // not told: how a call ended, where only its Outcome says more
)

// Error is one failure.
type Error struct {
	Code       Code
	Origin     Origin
	Status     int           // the HTTP status a caller on the wire would get; 0 where none makes sense
	RetryAfter time.Duration // the soonest moment a retry makes sense; negative where nothing is known of it
	Message    string        // one sentence for a person: what, who, what next. No secrets, no content
	Param      string        // the field or JSON Pointer that is wrong
}

func (e *Error) Error() string { return "sluice: " + e.Message }

// Is lets errors.Is compare with a Code, and finds context.Canceled and context.DeadlineExceeded in calls that ended so.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == CodeCancelled
	case context.DeadlineExceeded:
		return e.Timeout()
	}
	code, is := target.(Code)
	return is && code == e.Code
}

// Timeout says whether a time-out of the gateway was over, as net.Error has it.
func (e *Error) Timeout() bool {
	switch e.Code {
	case CodeConnectTimeout, CodeHeadersTimeout, CodeFirstDeltaTimeout, CodeIdleTimeout, CodeTotalTimeout, CodeQueueTimeout, CodePluginTimeout:
		return true
	}
	return false
}

// errorOf is an error of the C ABI as this package gives it.
func errorOf(e *abi.Error) error {
	if e == nil {
		return nil
	}
	return &Error{Code(e.Code), Origin(e.Origin), int(e.HTTPStatus), e.RetryAfter, e.Message, e.Param}
}

func failed(code Code, message string) *Error {
	return &Error{Code: code, Origin: OriginCaller, RetryAfter: -1, Message: message}
}
