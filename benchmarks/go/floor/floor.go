// Package floor is what the benchmarks beside it are measured against: a program in C that does the same work on the same
// upstream, called from Go once for all its exchanges. It knows the C ABI and nothing of the binding.
package floor

// #cgo pkg-config: sluice_c
// #include <sluice.h>
//
// static int is_bad(sluice_error_t *err) {
//   if (err == NULL) return 0;
//   sluice_error_free(err);
//   return 1;
// }
//
// /* `count` exchanges, `depth` of them under way, each taken to its account. 0, or the line where it failed. */
// static int exchanges(const char *config, size_t config_size, const char *body, size_t body_size, size_t depth, size_t count) {
//   sluice_error_t *err = NULL;
//   sluice_gateway_t *gateway = NULL;
//   sluice_queue_t *queue = NULL;
//   static sluice_event_t events[256];
//   size_t submitted = 0, ended = 0;
//   int failed = 0;
//   sluice_queue_new(&queue, &err);
//   if (is_bad(err)) return __LINE__;
//   sluice_gateway_open_json(config, config_size, &gateway, &err);
//   if (is_bad(err)) { sluice_queue_free(queue); return __LINE__; }
//   while (ended < count && failed == 0) {
//     size_t came = 0, i;
//     while (submitted < count && submitted - ended < depth) {
//       sluice_request_t request = {0};
//       request.struct_size = sizeof request;
//       request.target = "/v1/chat/completions";
//       request.target_size = SLUICE_NUL_TERMINATED;
//       request.body = body;
//       request.body_size = body_size;
//       sluice_submit(gateway, queue, &request, 1, NULL, &err);
//       if (is_bad(err)) { failed = __LINE__; break; }
//       submitted += 1;
//     }
//     if (failed != 0) break;
//     sluice_queue_poll(queue, events, sizeof events[0], 256, -1, &came, &err);
//     if (is_bad(err)) failed = __LINE__;
//     for (i = 0; i < came; ++i) {
//       sluice_outcome_t *outcome = NULL;
//       if (events[i].kind != SLUICE_EVENT_END) continue;
//       ended += 1;
//       if (events[i].status != 200) failed = __LINE__;
//       sluice_call_take_outcome(queue, events[i].call, &outcome, &err);
//       if (is_bad(err)) failed = __LINE__;
//       sluice_outcome_free(outcome);
//     }
//     sluice_queue_release(queue);
//   }
//   sluice_gateway_free(gateway);
//   sluice_queue_free(queue);
//   return failed;
// }
import "C"

import (
	"fmt"
	"unsafe"
)

// Exchanges makes `count` exchanges with a gateway of its own, `depth` of them under way at once, and takes the account of each.
func Exchanges(config, body string, depth, count int) error {
	c, b := []byte(config), []byte(body)
	line := C.exchanges((*C.char)(unsafe.Pointer(&c[0])), C.size_t(len(c)), (*C.char)(unsafe.Pointer(&b[0])), C.size_t(len(b)), C.size_t(depth), C.size_t(count))
	if line != 0 {
		return fmt.Errorf("the program in C failed in its line %d", int(line))
	}
	return nil
}
