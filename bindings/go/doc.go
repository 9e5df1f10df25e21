// Package sluice is an AI gateway in your process: it matches each request by what it says, forwards it to the right upstream in
// the dialect that one knows, streams the answer back and accounts for the tokens.
//
//	gw, err := sluice.Open("gateway.json")
//	if err != nil { ... }
//	defer gw.Close()
//
//	client := &http.Client{Transport: sluice.RoundTripper(gw)}          // any HTTP client, the vendors' own among them
//	resp, err := gw.Do(ctx, sluice.Post("/v1/chat/completions", body))  // or without one
//	stream, err := gw.Stream(ctx, sluice.Post("/v1/chat/completions", body))
//
// It stands on the C library libsluice_c by cgo and pkg-config. What holds everywhere:
//
//   - Everything may be used from many goroutines at once, except a Response, a Stream and a Simulation, each of which has one
//     reader at a time.
//   - No goroutine waits in C for an answer: one goroutine of each gateway reads the events of all its calls. Two hundred open
//     streams need no more threads than one.
//   - An answer comes as fast as it is read: what is not read within a window of 64 KiB pauses the upstream of that call, and
//     nobody else's.
//   - The end of a context ends the call at its upstream too, whether anybody is reading or not.
//   - An answer with an error status is an answer, as with net/http. What else goes wrong is an *Error, for errors.Is with a Code
//     and for errors.As.
package sluice
