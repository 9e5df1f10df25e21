/* One stream, as text, no faster than it is read: credit is given for what was printed, and the account tells the rest. */
#include <sluice.h>

#include <stdio.h>

static const char config[] =
    "{\"version\": 1,"
    " \"upstreams\": [{\"name\": \"demo\", \"provider\": \"simulator\", \"simulator\": {\"tokens_per_second\": 200}}],"
    " \"routes\": [{\"name\": \"chat\", \"match\": {\"path\": \"/v1/chat/completions\"}, \"upstreams\": [{\"name\": \"demo\"}]}]}";
static const char hello[] = "{\"model\": \"smart\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

static int print_account(sluice_queue_t *queue, sluice_call_t call) {
  sluice_outcome_t *outcome = NULL;
  sluice_outcome_info_t info = {sizeof info};
  if (sluice_call_take_outcome(queue, call, &outcome, NULL) != SLUICE_OK) return 0;
  sluice_outcome_info(outcome, &info, NULL);
  printf("\n%ld tokens written, %lu attempts, ending %d\n", (long)info.usage.output_tokens, (unsigned long)info.attempt_count, info.ending);
  sluice_outcome_free(outcome);
  return info.ending == SLUICE_ENDING_COMPLETED;
}

int main(void) {
  sluice_error_t *err = NULL;
  sluice_gateway_t *gateway = NULL;
  sluice_queue_t *queue = NULL;
  sluice_request_t request = {sizeof request};
  sluice_call_t call = 0;
  int ended = 0, good = 0;

  if (sluice_gateway_open_json(config, SLUICE_NUL_TERMINATED, &gateway, &err) != SLUICE_OK) goto failed;
  if (sluice_queue_new(&queue, &err) != SLUICE_OK) goto failed;

  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = hello;
  request.body_size = SLUICE_NUL_TERMINATED;
  request.answer = SLUICE_ANSWER_DELTAS;
  request.credit = 16; /* a real program gives some 64 KiB */
  if (sluice_submit(gateway, queue, &request, 1, &call, &err) != SLUICE_OK) goto failed;

  while (!ended) {
    sluice_event_t events[16];
    size_t count = 0, i, printed = 0;
    if (sluice_queue_poll(queue, events, sizeof events[0], 16, -1, &count, &err) != SLUICE_OK) goto failed;
    for (i = 0; i < count; ++i) {
      if (events[i].kind == SLUICE_EVENT_DELTA) {
        printed += fwrite(sluice_queue_arena(queue).data + events[i].offset, 1, events[i].size, stdout);
      }
      if (events[i].kind == SLUICE_EVENT_END) {
        ended = 1;
        good = print_account(queue, events[i].call);
      }
    }
    sluice_queue_release(queue);
    if (printed != 0 && sluice_call_credit(gateway, call, printed, &err) != SLUICE_OK) goto failed;
  }

  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  return good ? 0 : 1;

failed:
  fprintf(stderr, "%s\n", sluice_error_message(err).data);
  sluice_error_free(err);
  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  return 1;
}
