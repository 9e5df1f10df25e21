/* A plugin: who names no tenant is refused, and the model's text is told in capitals. */
#include <sluice.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config[] =
    "{\"version\": 1,"
    " \"upstreams\": [{\"name\": \"demo\", \"provider\": \"simulator\", \"simulator\": {\"answer\": \"quietly said.\"}}],"
    " \"routes\": [{\"name\": \"chat\", \"match\": {\"path\": \"/v1/chat/completions\"}, \"upstreams\": [{\"name\": \"demo\"}]}]}";
static const char hello[] = "{\"model\": \"smart\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

static int32_t on_request(void *session, sluice_hook_t *hook) {
  (void)session;
  if (sluice_hook_header(hook, "x-tenant", SLUICE_NUL_TERMINATED).size != 0) return SLUICE_CONTINUE;
  return sluice_hook_fail(hook, SLUICE_CODE_UNAUTHORIZED, 403, "send x-tenant with every request", SLUICE_NUL_TERMINATED);
}

static int32_t on_delta(void *session, sluice_hook_t *hook) {
  sluice_hook_info_t info = {sizeof info};
  char *loud;
  size_t i;
  (void)session;
  if (sluice_hook_info(hook, &info, NULL) != SLUICE_OK || info.channel != SLUICE_CHANNEL_TEXT) return SLUICE_CONTINUE;
  loud = malloc(info.text.size + 1);
  if (loud == NULL) return sluice_hook_fail(hook, SLUICE_CODE_OUT_OF_MEMORY, 0, "no memory", SLUICE_NUL_TERMINATED);
  for (i = 0; i < info.text.size; ++i) loud[i] = (char)toupper((unsigned char)info.text.data[i]);
  sluice_hook_set_text(hook, loud, info.text.size, NULL);
  free(loud);
  return SLUICE_CONTINUE;
}

/* Asks, prints the text, and gives the status. */
static int ask(sluice_gateway_t *gateway, sluice_queue_t *queue, const sluice_header_t *headers, size_t header_count, sluice_error_t **err) {
  sluice_request_t request = {sizeof request};
  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.headers = headers;
  request.header_count = header_count;
  request.body = hello;
  request.body_size = SLUICE_NUL_TERMINATED;
  request.answer = SLUICE_ANSWER_DELTAS;
  if (sluice_submit(gateway, queue, &request, 1, NULL, err) != SLUICE_OK) return -1;
  for (;;) {
    sluice_event_t events[16];
    size_t count = 0, i;
    if (sluice_queue_poll(queue, events, sizeof events[0], 16, -1, &count, err) != SLUICE_OK) return -1;
    for (i = 0; i < count; ++i) {
      if (events[i].kind == SLUICE_EVENT_DELTA || events[i].kind == SLUICE_EVENT_CHUNK) {
        fwrite(sluice_queue_arena(queue).data + events[i].offset, 1, events[i].size, stdout);
      }
      if (events[i].kind == SLUICE_EVENT_END) {
        printf("  (%d)\n", events[i].status);
        return events[i].status;
      }
    }
  }
}

int main(void) {
  static const sluice_header_t tenant = {"x-tenant", SLUICE_NUL_TERMINATED, "acme", SLUICE_NUL_TERMINATED};
  sluice_error_t *err = NULL;
  sluice_options_t *options = NULL;
  sluice_gateway_t *gateway = NULL;
  sluice_queue_t *queue = NULL;
  sluice_plugin_t plugin = {sizeof plugin};
  int without = 0, with = 0;

  plugin.name = "house-rules";
  plugin.name_size = SLUICE_NUL_TERMINATED;
  plugin.phase = SLUICE_PHASE_TRANSFORM;
  plugin.wants = SLUICE_WANTS_REQUEST | SLUICE_WANTS_DELTA_EDITS;
  plugin.on_request = on_request;
  plugin.on_delta = on_delta;

  if (sluice_options_new(&options, &err) == SLUICE_OK &&
      sluice_options_set_json(options, config, SLUICE_NUL_TERMINATED, &err) == SLUICE_OK &&
      sluice_options_add_plugin(options, &plugin, &err) == SLUICE_OK &&
      sluice_gateway_open(options, &gateway, &err) == SLUICE_OK && sluice_queue_new(&queue, &err) == SLUICE_OK) {
    without = ask(gateway, queue, NULL, 0, &err);
    with = ask(gateway, queue, &tenant, 1, &err);
  }
  if (err != NULL) fprintf(stderr, "%s\n", sluice_error_message(err).data);
  sluice_error_free(err);
  sluice_options_free(options);
  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  return without == 403 && with == 200 ? 0 : 1;
}
