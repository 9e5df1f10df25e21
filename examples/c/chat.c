/* One chat: a request goes in, its whole answer comes out of a queue. */
#include <sluice.h>

#include <stdio.h>

static const char config[] =
    "{\"version\": 1,"
    " \"upstreams\": [{\"name\": \"demo\", \"provider\": \"simulator\"}],"
    " \"routes\": [{\"name\": \"chat\", \"match\": {\"path\": \"/v1/chat/completions\"}, \"upstreams\": [{\"name\": \"demo\"}]}]}";
static const char hello[] = "{\"model\": \"smart\", \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

int main(void) {
  sluice_error_t *err = NULL;
  sluice_gateway_t *gateway = NULL;
  sluice_queue_t *queue = NULL;
  sluice_request_t request = {sizeof request};
  int status = 0;

  if (sluice_gateway_open_json(config, SLUICE_NUL_TERMINATED, &gateway, &err) != SLUICE_OK) goto failed;
  if (sluice_queue_new(&queue, &err) != SLUICE_OK) goto failed;

  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = hello;
  request.body_size = SLUICE_NUL_TERMINATED;
  if (sluice_submit(gateway, queue, &request, 1, NULL, &err) != SLUICE_OK) goto failed;

  while (status == 0) {
    sluice_event_t events[16];
    size_t count = 0, i;
    if (sluice_queue_poll(queue, events, sizeof events[0], 16, -1, &count, &err) != SLUICE_OK) goto failed;
    for (i = 0; i < count; ++i) {
      const char *data = sluice_queue_arena(queue).data + events[i].offset;
      if (events[i].kind == SLUICE_EVENT_CHUNK) fwrite(data, 1, events[i].size, stdout);
      if (events[i].kind == SLUICE_EVENT_END) status = events[i].status;
    }
    sluice_queue_release(queue);
  }
  printf("\nstatus %d\n", status);

  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  return status == 200 ? 0 : 1;

failed:
  fprintf(stderr, "%s\n", sluice_error_message(err).data);
  sluice_error_free(err);
  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  return 1;
}
