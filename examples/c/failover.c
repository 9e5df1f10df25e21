/* Routing and failover: the first upstream answers 503, the second serves, and the ledger tells why. */
#include <sluice.h>

#include <stdio.h>

static const char config[] =
    "{\"version\": 1,"
    " \"upstreams\": [{\"name\": \"primary\", \"provider\": \"simulator\", \"simulator\": {\"status\": 503}},"
    "                {\"name\": \"spare\", \"provider\": \"simulator\", \"simulator\": {\"answer\": \"The spare is here.\"}}],"
    " \"routes\": [{\"name\": \"chat\", \"match\": {\"path\": \"/v1/chat/completions\", \"model\": [\"smart\"]},"
    "              \"upstreams\": [{\"name\": \"primary\"}, {\"name\": \"spare\", \"tier\": 1}], \"retry\": {\"attempts\": 3}}]}";
static const char hello[] = "{\"model\": \"smart\", \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

/* Prints each attempt; 1 where the last one was the spare's. */
static int print_ledger(const sluice_outcome_t *outcome) {
  sluice_outcome_info_t info = {sizeof info};
  int spare = 0;
  size_t i;
  sluice_outcome_info(outcome, &info, NULL);
  for (i = 0; i < info.attempt_count; ++i) {
    sluice_attempt_info_t attempt = {sizeof attempt};
    sluice_outcome_attempt(outcome, i, &attempt, NULL);
    printf("%.*s: %.*s (%.*s)\n", (int)attempt.upstream.size, attempt.upstream.data, (int)attempt.reason.size, attempt.reason.data,
           (int)attempt.chosen_because.size, attempt.chosen_because.data);
    spare = attempt.upstream.size == 5;
  }
  return spare;
}

int main(void) {
  sluice_error_t *err = NULL;
  sluice_gateway_t *gateway = NULL;
  sluice_queue_t *queue = NULL;
  sluice_request_t request = {sizeof request};
  sluice_buffer_t words = {NULL, 0};
  int ended = 0, good = 0;

  if (sluice_gateway_open_json(config, SLUICE_NUL_TERMINATED, &gateway, &err) != SLUICE_OK) goto failed;
  if (sluice_queue_new(&queue, &err) != SLUICE_OK) goto failed;

  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = hello;
  request.body_size = SLUICE_NUL_TERMINATED;

  /* Where would it go? Nothing is sent. */
  if (sluice_gateway_explain(gateway, &request, NULL, &words, NULL, &err) != SLUICE_OK) goto failed;
  printf("%s\n", words.data);
  sluice_buffer_free(&words);

  if (sluice_submit(gateway, queue, &request, 1, NULL, &err) != SLUICE_OK) goto failed;
  while (!ended) {
    sluice_event_t events[16];
    size_t count = 0, i;
    if (sluice_queue_poll(queue, events, sizeof events[0], 16, -1, &count, &err) != SLUICE_OK) goto failed;
    for (i = 0; i < count; ++i) {
      sluice_outcome_t *outcome = NULL;
      if (events[i].kind != SLUICE_EVENT_END) continue;
      ended = 1;
      if (sluice_call_take_outcome(queue, events[i].call, &outcome, &err) != SLUICE_OK) goto failed;
      good = print_ledger(outcome) && events[i].status == 200;
      sluice_outcome_free(outcome);
    }
    sluice_queue_release(queue);
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
