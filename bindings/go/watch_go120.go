//go:build !go1.21

package sluice

import "context"

// watch cancels the call when its context ends, whether or not anybody is reading. The goroutine waits in Go, not in C.
func watch(ctx context.Context, c *call) (unwatch func()) {
	go func() {
		select {
		case <-ctx.Done():
			c.cancel()
		case <-c.over:
		}
	}()
	return func() {}
}
