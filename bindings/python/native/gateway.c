// The gateway: opened, asked, changed, closed. What may take its time gives the lock of the interpreter up.

#include "native.h"

// (json or None, file or None, threads or -1, seed, log or None, [(name, phase, wants, tag), ...], queue or None, simulation or None)
PyObject *gateway_open(PyObject *module, PyObject *args) {
  State *state = PyModule_GetState(module);
  const char *json, *file;
  Py_ssize_t json_size, file_size;
  int threads;
  unsigned long long seed;
  PyObject *log, *plugins, *queue, *simulation;
  if (!PyArg_ParseTuple(args, "z#z#iKOO!OO", &json, &json_size, &file, &file_size, &threads, &seed, &log, &PyList_Type, &plugins, &queue, &simulation)) {
    return NULL;
  }
  if ((log != Py_None && Py_TYPE(log) != state->log_type) || (queue != Py_None && Py_TYPE(queue) != state->queue_type) ||
      (simulation != Py_None && Py_TYPE(simulation) != state->simulation_type)) {
    PyErr_SetString(PyExc_TypeError, "log, queue and simulation are objects of this module, or None");
    return NULL;
  }
  GatewayObject *self = (GatewayObject *)new_object(state->gateway_type);
  if (self == NULL) return NULL;
  sluice_options_t *options = NULL;
  sluice_error_t *err = NULL;
  sluice_code_t code = sluice_options_new(&options, &err);
  if (code == SLUICE_OK && json != NULL) code = sluice_options_set_json(options, json, (size_t)json_size, &err);
  if (code == SLUICE_OK && file != NULL) code = sluice_options_set_file(options, file, (size_t)file_size, &err);
  if (code == SLUICE_OK && threads >= 0) code = sluice_options_set_threads(options, (uint32_t)threads, &err);
  if (code == SLUICE_OK && seed != 0) code = sluice_options_set_seed(options, seed, &err);
  if (code == SLUICE_OK && log != Py_None) code = sluice_options_set_log(options, log_write, log_share(log), log_release, &err);
  for (Py_ssize_t i = 0; code == SLUICE_OK && i < PyList_Size(plugins); ++i) {
    const char *name;
    Py_ssize_t name_size;
    unsigned long long tag;
    sluice_queued_plugin_t plugin = {.struct_size = sizeof plugin};
    PyObject *row = PyList_GetItem(plugins, i);
    if (row == NULL || queue == Py_None || !PyArg_ParseTuple(row, "s#iIK", &name, &name_size, &plugin.phase, &plugin.wants, &tag)) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "plugins need a queue");
      sluice_options_free(options);
      Py_DECREF(self);
      return NULL;
    }
    plugin.name = name;
    plugin.name_size = (size_t)name_size;
    plugin.tag = tag;
    code = sluice_options_add_queued_plugin(options, &plugin, ((QueueObject *)queue)->queue, &err);
  }
  if (code == SLUICE_OK && simulation != Py_None) code = sluice_options_set_simulation(options, ((SimulationObject *)simulation)->simulation, &err);
  if (code == SLUICE_OK) {
    Py_BEGIN_ALLOW_THREADS
    code = sluice_gateway_open(options, &self->gateway, &err);
    Py_END_ALLOW_THREADS
  }
  sluice_options_free(options);
  if (code == SLUICE_OK) return (PyObject *)self;
  Py_DECREF(self);
  return raise_error(state, err);
}

PyObject *config_check(PyObject *module, PyObject *args) {
  const char *json;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(args, "y#", &json, &size)) return NULL;
  sluice_error_t *err = NULL;
  return none_or_error(PyModule_GetState(module), sluice_config_check(json, (size_t)size, &err), &err);
}

static void gateway_dealloc(PyObject *self) {
  // The engines end first, and one of them may be in need of this thread's lock: never here, but a host's own callbacks may.
  sluice_gateway_t *const gateway = ((GatewayObject *)self)->gateway;
  if (gateway != NULL) {
    Py_BEGIN_ALLOW_THREADS
    sluice_gateway_free(gateway);
    Py_END_ALLOW_THREADS
  }
  free_object(self);
}

// A request from the eight arguments that submit and explain begin with. 0 and an exception where they are not right.
typedef struct Asked {
  sluice_request_t request;
  sluice_header_t *headers;
} Asked;

static int asked_in(PyObject *tuple, Asked *asked) {
  PyObject *headers;
  Py_ssize_t method_size, target_size, body_size, consumer_size;
  long long deadline_ms;
  unsigned long long credit;
  *asked = (Asked){.request = {.struct_size = sizeof asked->request}};
  sluice_request_t *const request = &asked->request;
  if (!PyArg_ParseTuple(tuple, "z#s#O!z#z#LKi", &request->method, &method_size, &request->target, &target_size, &PyList_Type, &headers,
                        &request->body, &body_size, &request->consumer, &consumer_size, &deadline_ms, &credit, &request->answer)) {
    return 0;
  }
  request->method_size = (size_t)method_size;
  request->target_size = (size_t)target_size;
  request->body_size = (size_t)body_size;
  request->consumer_size = (size_t)consumer_size;
  request->deadline_ms = deadline_ms;
  request->credit = credit;
  if (headers_in(headers, &asked->headers, &request->header_count) != 0) return 0;
  request->headers = asked->headers;
  return 1;
}

// (queue, tag, (method, target, headers, body, consumer, deadline_ms, credit, answer)) -> call
static PyObject *gateway_submit(PyObject *object, PyObject *args) {
  State *state = state_of(object);
  PyObject *queue, *tuple;
  unsigned long long tag;
  Asked asked;
  if (!PyArg_ParseTuple(args, "O!KO!", state->queue_type, &queue, &tag, &PyTuple_Type, &tuple) || !asked_in(tuple, &asked)) return NULL;
  sluice_call_t call = 0;
  sluice_error_t *err = NULL;
  const sluice_code_t code = sluice_submit(((GatewayObject *)object)->gateway, ((QueueObject *)queue)->queue, &asked.request, tag, &call, &err);
  PyMem_Free(asked.headers);
  return code == SLUICE_OK ? PyLong_FromUnsignedLongLong(call) : raise_error(state, err);
}

// (method, ...) as above -> (status, text, json)
static PyObject *gateway_explain(PyObject *object, PyObject *tuple) {
  State *state = state_of(object);
  Asked asked;
  if (!asked_in(tuple, &asked)) return NULL;
  sluice_buffer_t text = {NULL, 0}, json = {NULL, 0};
  int32_t status = 0;
  sluice_error_t *err = NULL;
  sluice_code_t code;
  Py_BEGIN_ALLOW_THREADS
  code = sluice_gateway_explain(((GatewayObject *)object)->gateway, &asked.request, &status, &text, &json, &err);
  Py_END_ALLOW_THREADS
  PyMem_Free(asked.headers);
  if (code != SLUICE_OK) return raise_error(state, err);
  return Py_BuildValue("(iNN)", (int)status, take_text(&text), take_text(&json));
}

static PyObject *gateway_credit(PyObject *object, PyObject *args) {
  unsigned long long call, bytes;
  if (!PyArg_ParseTuple(args, "KK", &call, &bytes)) return NULL;
  sluice_error_t *err = NULL;
  return none_or_error(state_of(object), sluice_call_credit(((GatewayObject *)object)->gateway, call, bytes, &err), &err);
}

static PyObject *gateway_cancel(PyObject *object, PyObject *number) {
  const unsigned long long call = PyLong_AsUnsignedLongLong(number);
  if (PyErr_Occurred()) return NULL;
  sluice_error_t *err = NULL;
  return none_or_error(state_of(object), sluice_call_cancel(((GatewayObject *)object)->gateway, call, &err), &err);
}

// (hook, verdict, status, code, edits, text or None, body or None, headers)
static PyObject *gateway_answer(PyObject *object, PyObject *args) {
  unsigned long long hook;
  sluice_ruling_t ruling = {.struct_size = sizeof ruling};
  Py_ssize_t text_size, body_size;
  PyObject *headers;
  sluice_header_t *fields;
  if (!PyArg_ParseTuple(args, "KiiiIz#z#O!", &hook, &ruling.verdict, &ruling.status, &ruling.code, &ruling.edits, &ruling.text, &text_size,
                        &ruling.body, &body_size, &PyList_Type, &headers) ||
      headers_in(headers, &fields, &ruling.header_count) != 0) {
    return NULL;
  }
  ruling.text_size = (size_t)text_size;
  ruling.body_size = (size_t)body_size;
  ruling.headers = fields;
  sluice_error_t *err = NULL;
  const sluice_code_t code = sluice_hook_answer(((GatewayObject *)object)->gateway, hook, &ruling, &err);
  PyMem_Free(fields);
  return none_or_error(state_of(object), code, &err);
}

// (json or None, file or None)
static PyObject *gateway_reload(PyObject *object, PyObject *args) {
  sluice_gateway_t *const gateway = ((GatewayObject *)object)->gateway;
  const char *json, *file;
  Py_ssize_t json_size, file_size;
  if (!PyArg_ParseTuple(args, "z#z#", &json, &json_size, &file, &file_size)) return NULL;
  sluice_error_t *err = NULL;
  sluice_code_t code;
  Py_BEGIN_ALLOW_THREADS
  code = json != NULL ? sluice_gateway_reload_json(gateway, json, (size_t)json_size, &err)
                      : sluice_gateway_reload_file(gateway, file, (size_t)file_size, &err);
  Py_END_ALLOW_THREADS
  return none_or_error(state_of(object), code, &err);
}

static PyObject *gateway_dump(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_buffer_t json = {NULL, 0};
  sluice_error_t *err = NULL;
  if (sluice_gateway_dump(((GatewayObject *)object)->gateway, &json, &err) != SLUICE_OK) return raise_error(state_of(object), err);
  return take_text(&json);
}

#define COUNT(name) {#name, kUint64, offsetof(sluice_statistics_info_t, name)}
static const Member kStatistics[] = {
    COUNT(exchanges_started), COUNT(exchanges_open), COUNT(completed), COUNT(refused), COUNT(failed), COUNT(cancelled), COUNT(body_bytes_held),
    COUNT(replayed_sends), COUNT(decoded_answers), COUNT(plugin_errors), COUNT(plugin_timeouts), COUNT(plugins_failed_open),
    COUNT(ignored_resumes), COUNT(unrecorded_verdicts), COUNT(max_loop_lag_ns), COUNT(engines), COUNT(events_written), COUNT(events_dropped),
    {NULL, kText, 0}};

static PyObject *gateway_statistics(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_statistics_info_t info = {.struct_size = sizeof info};
  sluice_error_t *err = NULL;
  if (sluice_gateway_statistics(((GatewayObject *)object)->gateway, &info, &err) != SLUICE_OK) return raise_error(state_of(object), err);
  return dict_of(&info, kStatistics);
}

static PyObject *gateway_close(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_error_t *err = NULL;
  sluice_code_t code;
  Py_BEGIN_ALLOW_THREADS
  code = sluice_gateway_close(((GatewayObject *)object)->gateway, &err);
  Py_END_ALLOW_THREADS
  return none_or_error(state_of(object), code, &err);
}

static PyObject *gateway_after_fork(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_after_fork_child(((GatewayObject *)object)->gateway);
  Py_RETURN_NONE;
}

static PyObject *gateway_fileno(PyObject *object, PyObject *unused) {
  (void)unused;
  int fd = -1;
  sluice_error_t *err = NULL;
  if (sluice_gateway_fd(((GatewayObject *)object)->gateway, &fd, &err) != SLUICE_OK) return raise_error(state_of(object), err);
  return PyLong_FromLong(fd);
}

static PyObject *gateway_drive(PyObject *object, PyObject *wait) {
  const long wait_ms = PyLong_AsLong(wait);
  if (wait_ms == -1 && PyErr_Occurred()) return NULL;
  size_t handled = 0;
  sluice_error_t *err = NULL;
  sluice_code_t code;
  Py_BEGIN_ALLOW_THREADS
  code = sluice_gateway_drive(((GatewayObject *)object)->gateway, (int32_t)wait_ms, &handled, &err);
  Py_END_ALLOW_THREADS
  if (code != SLUICE_OK) return raise_error(state_of(object), err);
  if (PyErr_CheckSignals() != 0) return NULL;
  return PyLong_FromSize_t(handled);
}

// --- the listener -----------------------------------------------------------------------------------------------------

typedef struct ServerObject {
  PyObject_HEAD
  sluice_server_t *server;
  PyObject *gateway;
  int draining;
} ServerObject;

static PyObject *gateway_serve(PyObject *object, PyObject *unused) {
  (void)unused;
  State *state = state_of(object);
  ServerObject *self = (ServerObject *)new_object(state->server_type);
  if (self == NULL) return NULL;
  self->gateway = Py_NewRef(object);
  sluice_error_t *err = NULL;
  sluice_code_t code;
  Py_BEGIN_ALLOW_THREADS
  code = sluice_server_start(((GatewayObject *)object)->gateway, &self->server, &err);
  Py_END_ALLOW_THREADS
  if (code == SLUICE_OK) return (PyObject *)self;
  Py_DECREF(self);
  return raise_error(state, err);
}

static void server_stop(ServerObject *self) {
  sluice_server_t *const server = self->server;
  self->server = NULL;
  if (server == NULL) return;
  Py_BEGIN_ALLOW_THREADS
  sluice_server_free(server);
  Py_END_ALLOW_THREADS
}

static void server_dealloc(PyObject *self) {
  server_stop((ServerObject *)self);
  Py_XDECREF(((ServerObject *)self)->gateway);
  free_object(self);
}

static PyObject *server_addresses(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_server_t *const server = ((ServerObject *)object)->server;
  const size_t count = server == NULL ? 0 : sluice_server_address_count(server);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list != NULL && i < count; ++i) PyList_SetItem(list, (Py_ssize_t)i, text_of(sluice_server_address(server, i)));
  return list;
}

static PyObject *server_drain(PyObject *object, PyObject *deadline) {
  ServerObject *self = (ServerObject *)object;
  const long long deadline_ms = PyLong_AsLongLong(deadline);
  if (deadline_ms == -1 && PyErr_Occurred()) return NULL;
  if (self->server == NULL || self->draining) Py_RETURN_NONE;
  sluice_error_t *err = NULL;
  sluice_code_t code;
  self->draining = 1;
  Py_BEGIN_ALLOW_THREADS
  code = sluice_server_drain(self->server, deadline_ms, &err);
  Py_END_ALLOW_THREADS
  self->draining = 0;
  return none_or_error(state_of(object), code, &err);
}

static PyObject *server_close(PyObject *object, PyObject *unused) {
  (void)unused;
  if (!((ServerObject *)object)->draining) server_stop((ServerObject *)object);
  Py_RETURN_NONE;
}

static PyMethodDef server_methods[] = {
    {"addresses", server_addresses, METH_NOARGS, NULL}, {"drain", server_drain, METH_O, NULL}, {"close", server_close, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyType_Slot server_slots[] = {{Py_tp_dealloc, (void *)server_dealloc}, {Py_tp_methods, server_methods}, {0, NULL}};
PyType_Spec server_spec = {"sluice._native.Server", sizeof(ServerObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, server_slots};

static PyMethodDef gateway_methods[] = {
    {"submit", gateway_submit, METH_VARARGS, NULL},         {"explain", gateway_explain, METH_O, NULL},
    {"credit", gateway_credit, METH_VARARGS, NULL},         {"cancel", gateway_cancel, METH_O, NULL},
    {"answer", gateway_answer, METH_VARARGS, NULL},         {"reload", gateway_reload, METH_VARARGS, NULL},
    {"dump", gateway_dump, METH_NOARGS, NULL},              {"statistics", gateway_statistics, METH_NOARGS, NULL},
    {"close", gateway_close, METH_NOARGS, NULL},            {"after_fork", gateway_after_fork, METH_NOARGS, NULL},
    {"fileno", gateway_fileno, METH_NOARGS, NULL},          {"drive", gateway_drive, METH_O, NULL},
    {"serve", gateway_serve, METH_NOARGS, NULL},            {NULL, NULL, 0, NULL}};
static PyType_Slot gateway_slots[] = {{Py_tp_dealloc, (void *)gateway_dealloc}, {Py_tp_methods, gateway_methods}, {0, NULL}};
PyType_Spec gateway_spec = {"sluice._native.Gateway", sizeof(GatewayObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, gateway_slots};
