/* Testing your own configuration: two minutes with an outage in them pass in a few milliseconds, without a network. */
#include <sluice.h>

#include <stdio.h>

static const char config[] =
    "{\"version\": 1,"
    " \"upstreams\": [{\"name\": \"primary\", \"provider\": \"simulator\"}],"
    " \"routes\": [{\"name\": \"chat\", \"match\": {\"path\": \"/v1/chat/completions\"}, \"upstreams\": [{\"name\": \"primary\"}],"
    "              \"retry\": {\"attempts\": 1}}]}";
static const char hello[] = "{\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

static const int64_t second = 1000000000;

/* Submits, lets the time run until the call is over, and gives its status. */
static int ask(sluice_simulation_t *simulation, sluice_gateway_t *gateway, sluice_queue_t *queue, sluice_error_t **err) {
  sluice_request_t request = {sizeof request};
  sluice_event_t events[16];
  size_t count = 0, i;
  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = hello;
  request.body_size = SLUICE_NUL_TERMINATED;
  if (sluice_submit(gateway, queue, &request, 1, NULL, err) != SLUICE_OK) return -1;
  if (sluice_simulation_settle(simulation, gateway, 60 * second, err) != SLUICE_OK) return -1;
  if (sluice_queue_poll(queue, events, sizeof events[0], 16, 0, &count, err) != SLUICE_OK) return -1;
  for (i = 0; i < count; ++i) {
    if (events[i].kind == SLUICE_EVENT_END) return events[i].status;
  }
  return 0;
}

int main(void) {
  sluice_error_t *err = NULL;
  sluice_simulation_t *simulation = NULL;
  sluice_script_t *primary = NULL;
  sluice_options_t *options = NULL;
  sluice_gateway_t *gateway = NULL;
  sluice_queue_t *queue = NULL;
  sluice_fault_t outage = {sizeof outage};
  int during = 0, after = 0;

  outage.kind = SLUICE_FAULT_STATUS;
  outage.status = 503;
  outage.until_ns = 60 * second;

  if (sluice_simulation_new(7, &simulation, &err) == SLUICE_OK &&
      sluice_simulation_script(simulation, "primary", SLUICE_NUL_TERMINATED, &primary, &err) == SLUICE_OK &&
      sluice_script_answer(primary, "All is well.", SLUICE_NUL_TERMINATED, &err) == SLUICE_OK &&
      sluice_script_fault(primary, &outage, &err) == SLUICE_OK && sluice_options_new(&options, &err) == SLUICE_OK &&
      sluice_options_set_json(options, config, SLUICE_NUL_TERMINATED, &err) == SLUICE_OK &&
      sluice_options_set_simulation(options, simulation, &err) == SLUICE_OK &&
      sluice_gateway_open(options, &gateway, &err) == SLUICE_OK && sluice_queue_new(&queue, &err) == SLUICE_OK) {
    during = ask(simulation, gateway, queue, &err);
    sluice_simulation_advance(simulation, gateway, 120 * second, NULL);
    after = ask(simulation, gateway, queue, &err);
  }
  printf("during the outage %d, afterwards %d, at %ld s\n", during, after, (long)(sluice_simulation_now_ns(simulation) / second));
  if (err != NULL) fprintf(stderr, "%s\n", sluice_error_message(err).data);
  sluice_error_free(err);
  sluice_options_free(options);
  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  sluice_simulation_free(simulation);
  return during == 503 && after == 200 ? 0 : 1;
}
