// Simulations: scripted upstreams and time that passes when it is told. Every change of a script names its upstream.

#include "native.h"

PyObject *simulation_new(PyObject *module, PyObject *args) {
  State *state = PyModule_GetState(module);
  unsigned long long seed;
  if (!PyArg_ParseTuple(args, "K", &seed)) return NULL;
  SimulationObject *self = (SimulationObject *)new_object(state->simulation_type);
  if (self == NULL) return NULL;
  sluice_error_t *err = NULL;
  if (sluice_simulation_new(seed, &self->simulation, &err) == SLUICE_OK) return (PyObject *)self;
  Py_DECREF(self);
  return raise_error(state, err);
}

static void simulation_dealloc(PyObject *self) {
  sluice_simulation_free(((SimulationObject *)self)->simulation);
  free_object(self);
}

static sluice_simulation_t *simulation_of(PyObject *object) { return ((SimulationObject *)object)->simulation; }

static PyObject *simulation_now(PyObject *object, PyObject *unused) {
  (void)unused;
  return PyLong_FromLongLong(sluice_simulation_now_ns(simulation_of(object)));
}

// (gateway, ns)
static PyObject *simulation_advance(PyObject *object, PyObject *args) {
  State *state = state_of(object);
  PyObject *gateway;
  long long ns;
  if (!PyArg_ParseTuple(args, "O!L", state->gateway_type, &gateway, &ns)) return NULL;
  sluice_error_t *err = NULL;
  return none_or_error(state, sluice_simulation_advance(simulation_of(object), ((GatewayObject *)gateway)->gateway, ns, &err), &err);
}

static PyObject *simulation_step(PyObject *object, PyObject *gateway) {
  State *state = state_of(object);
  if (Py_TYPE(gateway) != state->gateway_type) {
    PyErr_SetString(PyExc_TypeError, "a gateway is moved");
    return NULL;
  }
  int32_t happened = 0;
  sluice_error_t *err = NULL;
  if (sluice_simulation_step(simulation_of(object), ((GatewayObject *)gateway)->gateway, &happened, &err) != SLUICE_OK) return raise_error(state, err);
  return PyBool_FromLong(happened);
}

// --- scripts ----------------------------------------------------------------------------------------------------------

// NULL and an exception where it cannot be had.
static sluice_script_t *script_of(PyObject *object, const char *upstream, Py_ssize_t size) {
  sluice_script_t *script = NULL;
  sluice_error_t *err = NULL;
  if (sluice_simulation_script(simulation_of(object), upstream, (size_t)size, &script, &err) != SLUICE_OK) raise_error(state_of(object), err);
  return script;
}

// The opening of each: parses (upstream, ...) and finds the script.
#define SCRIPT(format, ...)                                                             \
  const char *upstream;                                                                 \
  Py_ssize_t upstream_size;                                                             \
  sluice_error_t *err = NULL;                                                           \
  if (!PyArg_ParseTuple(args, "s#" format, &upstream, &upstream_size, __VA_ARGS__)) return NULL; \
  sluice_script_t *script = script_of(object, upstream, upstream_size);                 \
  if (script == NULL) return NULL

static PyObject *script_answer(PyObject *object, PyObject *args) {
  const char *text;
  Py_ssize_t size;
  SCRIPT("s#", &text, &size);
  return none_or_error(state_of(object), sluice_script_answer(script, text, (size_t)size, &err), &err);
}

static PyObject *script_generate(PyObject *object, PyObject *args) {
  unsigned long long tokens;
  SCRIPT("K", &tokens);
  return none_or_error(state_of(object), sluice_script_generate(script, tokens, &err), &err);
}

static PyObject *script_refuse(PyObject *object, PyObject *args) {
  const char *text;
  Py_ssize_t size;
  SCRIPT("s#", &text, &size);
  return none_or_error(state_of(object), sluice_script_refuse(script, text, (size_t)size, &err), &err);
}

static PyObject *script_call_tool(PyObject *object, PyObject *args) {
  const char *name, *arguments;
  Py_ssize_t name_size, size;
  SCRIPT("s#s#", &name, &name_size, &arguments, &size);
  return none_or_error(state_of(object), sluice_script_call_tool(script, name, (size_t)name_size, arguments, (size_t)size, &err), &err);
}

static PyObject *script_body(PyObject *object, PyObject *args) {
  const char *type, *bytes;
  Py_ssize_t type_size, size;
  SCRIPT("s#y#", &type, &type_size, &bytes, &size);
  return none_or_error(state_of(object), sluice_script_body(script, type, (size_t)type_size, bytes, (size_t)size, &err), &err);
}

static PyObject *script_stream(PyObject *object, PyObject *args) {
  const char *bytes;
  Py_ssize_t size;
  SCRIPT("y#", &bytes, &size);
  return none_or_error(state_of(object), sluice_script_stream(script, bytes, (size_t)size, &err), &err);
}

static PyObject *script_usage(PyObject *object, PyObject *args) {
  unsigned long long input, output;
  SCRIPT("KK", &input, &output);
  return none_or_error(state_of(object), sluice_script_usage(script, input, output, &err), &err);
}

static PyObject *script_header(PyObject *object, PyObject *args) {
  const char *name, *value;
  Py_ssize_t name_size, size;
  SCRIPT("s#s#", &name, &name_size, &value, &size);
  return none_or_error(state_of(object), sluice_script_header(script, name, (size_t)name_size, value, (size_t)size, &err), &err);
}

static PyObject *script_pieces(PyObject *object, PyObject *args) {
  unsigned long long bytes;
  SCRIPT("K", &bytes);
  return none_or_error(state_of(object), sluice_script_pieces(script, (size_t)bytes, &err), &err);
}

static PyObject *script_pace(PyObject *object, PyObject *args) {
  long long head, first, jitter, ping;
  double rate;
  SCRIPT("LLLLd", &head, &first, &jitter, &ping, &rate);
  const sluice_pace_t pace = {sizeof pace, head, first, jitter, ping, rate};
  return none_or_error(state_of(object), sluice_script_pace(script, &pace, &err), &err);
}

static PyObject *script_fault(PyObject *object, PyObject *args) {
  int kind, status;
  unsigned long long at_byte, after_events, times;
  long long step_ms, retry_after_ms, from_ns, until_ns;
  SCRIPT("iiKKLLLLK", &kind, &status, &at_byte, &after_events, &step_ms, &retry_after_ms, &from_ns, &until_ns, &times);
  const sluice_fault_t fault = {sizeof fault, kind, status, at_byte, after_events, step_ms, retry_after_ms, from_ns, until_ns, times};
  return none_or_error(state_of(object), sluice_script_fault(script, &fault, &err), &err);
}

// --- what the upstreams saw -------------------------------------------------------------------------------------------

// [(upstream, method, target, body, at_ns), ...]
static PyObject *simulation_seen(PyObject *object, PyObject *unused) {
  (void)unused;
  const size_t count = sluice_simulation_seen_count(simulation_of(object));
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list != NULL && i < count; ++i) {
    sluice_seen_info_t info = {.struct_size = sizeof info};
    sluice_error_t *err = NULL;
    if (sluice_simulation_seen(simulation_of(object), i, &info, &err) != SLUICE_OK) return Py_DECREF(list), raise_error(state_of(object), err);
    PyObject *row = Py_BuildValue("(NNNNL)", text_of(info.upstream), text_of(info.method), text_of(info.target),
                                  PyBytes_FromStringAndSize(info.body.data, (Py_ssize_t)info.body.size), (long long)info.at_ns);
    if (row == NULL) return Py_DECREF(list), NULL;
    PyList_SetItem(list, (Py_ssize_t)i, row);
  }
  return list;
}

static PyObject *simulation_forget_seen(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_simulation_forget_seen(simulation_of(object));
  Py_RETURN_NONE;
}

static PyMethodDef simulation_methods[] = {
    {"now", simulation_now, METH_NOARGS, NULL},           {"advance", simulation_advance, METH_VARARGS, NULL},
    {"step", simulation_step, METH_O, NULL},              {"answer", script_answer, METH_VARARGS, NULL},
    {"generate", script_generate, METH_VARARGS, NULL},    {"refuse", script_refuse, METH_VARARGS, NULL},
    {"call_tool", script_call_tool, METH_VARARGS, NULL},  {"body", script_body, METH_VARARGS, NULL},
    {"stream", script_stream, METH_VARARGS, NULL},        {"usage", script_usage, METH_VARARGS, NULL},
    {"header", script_header, METH_VARARGS, NULL},        {"pieces", script_pieces, METH_VARARGS, NULL},
    {"pace", script_pace, METH_VARARGS, NULL},            {"fault", script_fault, METH_VARARGS, NULL},
    {"seen", simulation_seen, METH_NOARGS, NULL},         {"forget_seen", simulation_forget_seen, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};
static PyType_Slot simulation_slots[] = {{Py_tp_dealloc, (void *)simulation_dealloc}, {Py_tp_methods, simulation_methods}, {0, NULL}};
PyType_Spec simulation_spec = {"sluice._native.Simulation", sizeof(SimulationObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, simulation_slots};
