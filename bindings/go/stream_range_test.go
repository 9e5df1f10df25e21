//go:build go1.23

package sluice_test

import (
	"testing"

	"sluice.example/sluice"
)

func TestARangeOverAStreamEndsWithItsErrorAndClosesItWhenLeft(t *testing.T) {
	gw := open(t, chatOn(says("one two three")))
	stream, err := gw.Stream(patient(t), streaming())
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for event, err := range stream.All() {
		if err != nil {
			t.Fatal(err)
		}
		text += event.Text
	}
	if text != "one two three" {
		t.Errorf("%q", text)
	}
	broken, err := gw.Stream(patient(t), sluice.Post("/v1/nowhere", object{}))
	if err != nil {
		t.Fatal(err)
	}
	var errs int
	for _, err := range broken.All() {
		if err != nil {
			errs++
		}
	}
	if errs != 1 {
		t.Errorf("%d errors", errs)
	}
	left, err := gw.Stream(patient(t), streaming())
	if err != nil {
		t.Fatal(err)
	}
	for range left.All() {
		break
	}
	if left.Next() {
		t.Error("a stream whose loop was left goes on")
	}
}
