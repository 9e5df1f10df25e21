// The module: its functions, its types, how failures become exceptions, and how structs become dicts.

#include "native.h"

#include <string.h>

State *state_of(PyObject *self) { return (State *)PyType_GetModuleState(Py_TYPE(self)); }

PyObject *text_of(sluice_bytes_t bytes) {
  return PyUnicode_DecodeUTF8(bytes.data == NULL ? "" : bytes.data, (Py_ssize_t)bytes.size, "replace");
}

PyObject *take_text(sluice_buffer_t *buffer) {
  const sluice_bytes_t bytes = {buffer->data, buffer->size};
  PyObject *text = text_of(bytes);
  sluice_buffer_free(buffer);
  return text;
}

PyObject *raise_error(State *state, sluice_error_t *error) {
  const sluice_code_t code = sluice_error_code(error);
  PyObject *made = NULL;
  if (state->make_error == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "sluice._native is not to be used without sluice");
  } else {
    PyObject *name = text_of(sluice_code_name(code)), *message = text_of(sluice_error_message(error)), *param = text_of(sluice_error_param(error));
    if (name != NULL && message != NULL && param != NULL) {
      made = PyObject_CallFunction(state->make_error, "OiiiLOO", name, (int)code, (int)sluice_error_origin(error),
                                   (int)sluice_error_http_status(error), (long long)sluice_error_retry_after_ms(error), message, param);
    }
    Py_XDECREF(name);
    Py_XDECREF(message);
    Py_XDECREF(param);
  }
  sluice_error_free(error);
  if (made != NULL) {
    PyErr_SetObject((PyObject *)Py_TYPE(made), made);
    Py_DECREF(made);
  }
  return NULL;
}

PyObject *none_or_error(State *state, sluice_code_t code, sluice_error_t **error) {
  if (code != SLUICE_OK) return raise_error(state, *error);
  Py_RETURN_NONE;
}

PyObject *new_object(PyTypeObject *type) {
  allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  return allocate(type, 0);
}

void free_object(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  release(self);
  Py_DECREF(type);
}

int headers_in(PyObject *list, sluice_header_t **fields, size_t *count) {
  *fields = NULL;
  *count = 0;
  const Py_ssize_t size = PyList_Size(list);
  if (size < 0) return -1;
  if (size == 0) return 0;
  sluice_header_t *made = PyMem_Calloc((size_t)size, sizeof *made);
  if (made == NULL) return PyErr_NoMemory(), -1;
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject *pair = PyList_GetItem(list, i);
    PyObject *name = pair == NULL ? NULL : PyTuple_GetItem(pair, 0), *value = name == NULL ? NULL : PyTuple_GetItem(pair, 1);
    char *data = NULL;
    Py_ssize_t length = 0;
    if (value == NULL || PyBytes_AsStringAndSize(name, &data, &length) != 0) return PyMem_Free(made), -1;
    made[i].name = data;
    made[i].name_size = (size_t)length;
    if (PyBytes_AsStringAndSize(value, &data, &length) != 0) return PyMem_Free(made), -1;
    made[i].value = data;
    made[i].value_size = (size_t)length;
  }
  *fields = made;
  *count = (size_t)size;
  return 0;
}

// --- structs as dicts -------------------------------------------------------------------------------------------------

// SLUICE_UNKNOWN is None: a count that nobody has stated is not 0.
static PyObject *count_of(int64_t value) {
  if (value == SLUICE_UNKNOWN) Py_RETURN_NONE;
  return PyLong_FromLongLong(value);
}

static PyObject *usage_of(const sluice_usage_t *usage) {
  return Py_BuildValue("(NNNNNNN)", count_of(usage->input_tokens), count_of(usage->output_tokens), count_of(usage->cached_input_tokens),
                       count_of(usage->cache_write_tokens), count_of(usage->reasoning_tokens), count_of(usage->total_tokens),
                       PyBool_FromLong(usage->estimated == 1));
}

static PyObject *value_of(const char *at, Kind kind) {
  switch (kind) {
    case kText: return text_of(*(const sluice_bytes_t *)at);
    case kInt32: return PyLong_FromLong(*(const int32_t *)at);
    case kInt64: return PyLong_FromLongLong(*(const int64_t *)at);
    case kUint64: return PyLong_FromUnsignedLongLong(*(const uint64_t *)at);
    case kFlag32: return PyBool_FromLong(*(const int32_t *)at != 0);
    case kFlag64: return PyBool_FromLong(*(const int64_t *)at != 0);
    case kCode: return *(const int32_t *)at == SLUICE_OK ? PyUnicode_FromString("") : text_of(sluice_code_name(*(const int32_t *)at));
    case kUsage: return usage_of((const sluice_usage_t *)at);
  }
  PyErr_SetString(PyExc_SystemError, "a member of no kind");
  return NULL;
}

PyObject *dict_of(const void *info, const Member *members) {
  PyObject *dict = PyDict_New();
  for (const Member *member = members; dict != NULL && member->name != NULL; ++member) {
    PyObject *value = value_of((const char *)info + member->offset, member->kind);
    if (value == NULL || PyDict_SetItemString(dict, member->name, value) != 0) Py_CLEAR(dict);
    Py_XDECREF(value);
  }
  return dict;
}

// --- the module -------------------------------------------------------------------------------------------------------

// (make_error, Head, Chunk, Delta, End, channels): what this module makes and Python defines.
static PyObject *registered(PyObject *module, PyObject *args) {
  State *state = PyModule_GetState(module);
  PyObject *make_error, *head, *chunk, *delta, *end, *channels;
  if (!PyArg_ParseTuple(args, "OO!O!O!O!O!", &make_error, &PyType_Type, &head, &PyType_Type, &chunk, &PyType_Type, &delta, &PyType_Type, &end,
                        &PyTuple_Type, &channels)) {
    return NULL;
  }
  if (state->end != NULL) Py_RETURN_NONE;
  state->make_error = Py_NewRef(make_error);
  state->head = Py_NewRef(head);
  state->chunk = Py_NewRef(chunk);
  state->delta = Py_NewRef(delta);
  state->end = Py_NewRef(end);
  state->channels = Py_NewRef(channels);
  Py_RETURN_NONE;
}

static PyObject *version(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return text_of(sluice_version());
}

static PyObject *code_name(PyObject *module, PyObject *number) {
  (void)module;
  const long code = PyLong_AsLong(number);
  if (code == -1 && PyErr_Occurred()) return NULL;
  return text_of(sluice_code_name((sluice_code_t)code));
}

static PyObject *config_schema(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return text_of(sluice_config_schema());
}

static PyMethodDef functions[] = {
    {"register", registered, METH_VARARGS, NULL},
    {"version", version, METH_NOARGS, NULL},
    {"code_name", code_name, METH_O, NULL},
    {"config_schema", config_schema, METH_NOARGS, NULL},
    {"config_check", config_check, METH_VARARGS, NULL},
    {"open", gateway_open, METH_VARARGS, NULL},
    {"new_queue", queue_new, METH_NOARGS, NULL},
    {"new_log", log_new, METH_NOARGS, NULL},
    {"new_simulation", simulation_new, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL}};

static int add_type(PyObject *module, PyTypeObject **type, PyType_Spec *spec) {
  *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
  return *type == NULL ? -1 : PyModule_AddType(module, *type);
}

static int execute(PyObject *module) {
  State *state = PyModule_GetState(module);
  if (add_type(module, &state->gateway_type, &gateway_spec) != 0 || add_type(module, &state->queue_type, &queue_spec) != 0 ||
      add_type(module, &state->log_type, &log_spec) != 0 || add_type(module, &state->outcome_type, &outcome_spec) != 0 ||
      add_type(module, &state->server_type, &server_spec) != 0 || add_type(module, &state->simulation_type, &simulation_spec) != 0) {
    return -1;
  }
  return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  State *state = PyModule_GetState(module);
  Py_VISIT(state->make_error);
  Py_VISIT(state->head);
  Py_VISIT(state->chunk);
  Py_VISIT(state->delta);
  Py_VISIT(state->end);
  Py_VISIT(state->channels);
  Py_VISIT(state->gateway_type);
  Py_VISIT(state->queue_type);
  Py_VISIT(state->log_type);
  Py_VISIT(state->outcome_type);
  Py_VISIT(state->server_type);
  Py_VISIT(state->simulation_type);
  return 0;
}

static int clear(PyObject *module) {
  State *state = PyModule_GetState(module);
  Py_CLEAR(state->make_error);
  Py_CLEAR(state->head);
  Py_CLEAR(state->chunk);
  Py_CLEAR(state->delta);
  Py_CLEAR(state->end);
  Py_CLEAR(state->channels);
  Py_CLEAR(state->gateway_type);
  Py_CLEAR(state->queue_type);
  Py_CLEAR(state->log_type);
  Py_CLEAR(state->outcome_type);
  Py_CLEAR(state->server_type);
  Py_CLEAR(state->simulation_type);
  return 0;
}

static void release(void *module) { (void)clear(module); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "sluice._native", NULL, sizeof(State), functions, slots, traverse, clear, release};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
