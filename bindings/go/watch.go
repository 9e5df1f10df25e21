//go:build go1.21

package sluice

import "context"

// watch cancels the call when its context ends, whether or not anybody is reading.
func watch(ctx context.Context, c *call) (unwatch func()) {
	stop := context.AfterFunc(ctx, c.cancel)
	return func() { stop() }
}
