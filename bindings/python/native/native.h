/// What the files of the native module share. It knows the C header of sluice and Python's limited API, and nothing else: every
/// decision about how sluice looks from Python is made in Python.
///
/// abi3, from 3.11 on: one wheel serves every later CPython, and a call costs as little as one of the full API (28 ns for a
/// method without arguments, 101 ns for an event of a drained batch; ctypes takes 284 ns for a call, cffi 430 ns for an event).
#ifndef SLUICE_PYTHON_NATIVE_H
#define SLUICE_PYTHON_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "sluice.h"

/// Of one interpreter.
typedef struct State {
  PyObject *make_error;  ///< (code, number, origin, status, retry_after_ms, message, param) -> exception
  PyObject *head, *chunk, *delta, *end;  ///< the named tuples of events
  PyObject *channels;                    ///< the enumerators of the channels, by number
  PyTypeObject *gateway_type;
  PyTypeObject *queue_type;
  PyTypeObject *log_type;
  PyTypeObject *outcome_type;
  PyTypeObject *server_type;
  PyTypeObject *simulation_type;
} State;

typedef struct GatewayObject {
  PyObject_HEAD
  sluice_gateway_t *gateway;
} GatewayObject;

/// How many events leave a queue at once.
enum { kBatch = 256 };

typedef struct QueueObject {
  PyObject_HEAD
  sluice_queue_t *queue;
  int fd;
  sluice_event_t events[kBatch];
} QueueObject;

typedef struct SimulationObject {
  PyObject_HEAD
  sluice_simulation_t *simulation;
} SimulationObject;

extern PyType_Spec gateway_spec, queue_spec, log_spec, outcome_spec, server_spec, simulation_spec;

/// The state of the module that made this object's type.
State *state_of(PyObject *self);

/// Raises what `error` says, frees it, and gives NULL.
PyObject *raise_error(State *state, sluice_error_t *error);
/// NULL and an exception for a failure, None otherwise. Frees the error, which is read behind the call that `code` comes from.
PyObject *none_or_error(State *state, sluice_code_t code, sluice_error_t **error);

/// Text as Python's; bytes that are no UTF-8 are replaced.
PyObject *text_of(sluice_bytes_t bytes);
/// Text that the caller owned and gives away.
PyObject *take_text(sluice_buffer_t *buffer);

/// Allocates an object of one of the module's own types, zeroed.
PyObject *new_object(PyTypeObject *type);
/// The last step of each dealloc: frees the memory, then lets go of the type.
void free_object(PyObject *self);

/// A list of (bytes, bytes) as header fields, which borrow from it. `*fields` is to be given to PyMem_Free. -1 and an exception.
int headers_in(PyObject *list, sluice_header_t **fields, size_t *count);

/// An Outcome that takes over what the batch of `queue` has of `call`; None where there is nothing.
PyObject *outcome_take(State *state, sluice_queue_t *queue, sluice_call_t call);

/// The log of gateways: made in Python, written by engine threads that never wait for an interpreter.
void *log_share(PyObject *log);
void log_write(void *ring, int32_t level, const char *line, size_t size);
void log_release(void *ring);

/// What a member of an info struct is.
typedef enum Kind { kText, kInt32, kInt64, kUint64, kFlag32, kFlag64, kCode, kUsage } Kind;

typedef struct Member {
  const char *name;
  Kind kind;
  size_t offset;
} Member;

/// A dict of the members of an info struct; the table ends with a name of NULL.
PyObject *dict_of(const void *info, const Member *members);

/// Functions of the module that other files define.
PyObject *gateway_open(PyObject *module, PyObject *args);
PyObject *config_check(PyObject *module, PyObject *args);
PyObject *simulation_new(PyObject *module, PyObject *args);
PyObject *queue_new(PyObject *module, PyObject *args);
PyObject *log_new(PyObject *module, PyObject *args);

#endif
