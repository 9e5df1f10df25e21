//go:build go1.23

package sluice

import "iter"

// All ranges over the events. After the last one comes the error, if there is one; leaving the loop closes the stream.
//
//	for event, err := range stream.All() { ... }
func (s *Stream) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		defer s.Close()
		for s.Next() {
			if !yield(s.Event(), nil) {
				return
			}
		}
		if s.err != nil {
			yield(Event{}, s.err)
		}
	}
}
