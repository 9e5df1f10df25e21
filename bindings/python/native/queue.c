// The completion queue. What came is put where its call is waited for, in C: nothing of a batch is lost where a signal's handler
// raises in the middle. Events are the named tuples that Python has registered; the class says the kind.
//
//   Head(status, [(name, value), ...])    Delta(text, channel, choice, tool_index)    Chunk(data)
//   End(status, code, ending, message, outcome or None)

#include "native.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

PyObject *queue_new(PyObject *module, PyObject *unused) {
  (void)unused;
  State *state = PyModule_GetState(module);
  QueueObject *self = (QueueObject *)new_object(state->queue_type);
  if (self == NULL) return NULL;
  self->fd = -1;
  sluice_error_t *err = NULL;
  if (sluice_queue_new(&self->queue, &err) != SLUICE_OK || sluice_queue_fd(self->queue, &self->fd, &err) != SLUICE_OK) {
    Py_DECREF(self);
    return raise_error(state, err);
  }
  return (PyObject *)self;
}

static void queue_dealloc(PyObject *self) {
  sluice_queue_free(((QueueObject *)self)->queue);
  free_object(self);
}

// `name: value` and CR LF, each, as a list of pairs.
static PyObject *fields_of(const char *data, size_t size) {
  PyObject *list = PyList_New(0);
  const char *const end = data + size;
  while (list != NULL && data < end) {
    const char *line_end = memchr(data, '\r', (size_t)(end - data));
    if (line_end == NULL) line_end = end;
    const char *colon = memchr(data, ':', (size_t)(line_end - data));
    if (colon != NULL) {
      const char *value = colon + 1;
      while (value < line_end && *value == ' ') ++value;
      PyObject *pair = Py_BuildValue("(y#y#)", data, (Py_ssize_t)(colon - data), value, (Py_ssize_t)(line_end - value));
      if (pair == NULL || PyList_Append(list, pair) != 0) Py_CLEAR(list);
      Py_XDECREF(pair);
    }
    data = line_end + 2;
  }
  return list;
}

static PyObject *long_of(uint64_t value) { return PyLong_FromUnsignedLongLong(value); }

// A tuple, or an instance of a subclass of it. Steals what it is given; NULL among them is the failure of the whole. Built by
// hand: a call of the class costs more than all the rest of an event.
static PyObject *tuple_of(PyTypeObject *type, PyObject *const *items, Py_ssize_t count) {
  allocfunc allocate = type == NULL ? NULL : (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  PyObject *tuple = allocate == NULL ? PyTuple_New(count) : allocate(type, count);
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (items[i] == NULL) Py_CLEAR(tuple);
    if (tuple == NULL) {
      Py_XDECREF(items[i]);
    } else {
      PyTuple_SetItem(tuple, i, items[i]);
    }
  }
  return tuple;
}

#define TUPLE(type, ...) tuple_of((PyTypeObject *)(type), (PyObject *const[]){__VA_ARGS__}, sizeof((PyObject *const[]){__VA_ARGS__}) / sizeof(PyObject *))

// The enumerator, or the number where a later library knows one more.
static PyObject *channel_of(const State *state, int32_t channel) {
  if (channel >= 0 && channel < PyTuple_Size(state->channels)) return Py_XNewRef(PyTuple_GetItem(state->channels, channel));
  return PyLong_FromLong(channel);
}

// NULL without an exception: an event of a kind that is not known here.
static PyObject *event_of(const State *state, PyObject *outcome, const sluice_event_t *event, const char *data) {
  const sluice_bytes_t bytes = {data, event->size};
  switch (event->kind) {
    case SLUICE_EVENT_HEAD:
      return TUPLE(state->head, PyLong_FromLong(event->status), fields_of(data, event->size));
    case SLUICE_EVENT_CHUNK:
      return TUPLE(state->chunk, PyBytes_FromStringAndSize(data, event->size));
    case SLUICE_EVENT_DELTA:
      return TUPLE(state->delta, text_of(bytes), channel_of(state, event->channel), PyLong_FromLong((long)event->choice), PyLong_FromLong((long)event->tool_index));
    case SLUICE_EVENT_END:
      return TUPLE(state->end, PyLong_FromLong(event->status), PyLong_FromLong(event->code), PyLong_FromLong(event->detail), text_of(bytes), outcome);
    default:
      return NULL;
  }
}

// Fetches a batch without waiting. The lock of the interpreter is kept: giving it up would cost more than the few microseconds
// that this takes, and no engine thread ever waits for it. -1 and an exception, or how many there are.
static Py_ssize_t fetch(State *state, QueueObject *self) {
  if (state->end == NULL) return PyErr_SetString(PyExc_RuntimeError, "sluice._native is not to be used without sluice"), -1;
  sluice_error_t *err = NULL;
  size_t count = 0;
  if (sluice_queue_poll(self->queue, self->events, sizeof *self->events, kBatch, 0, &count, &err) == SLUICE_OK) return (Py_ssize_t)count;
  return raise_error(state, err), -1;
}

// Adds what came to `list`; its tag to `touched`, unless it stands there last. -1 and an exception.
static int deliver(State *state, QueueObject *self, const sluice_event_t *event, const char *arena, PyObject *lists, PyObject *touched, PyObject *ended) {
  PyObject *const tag = long_of(event->tag);
  // A collection in here may let go of a stream, and with it of this list.
  PyObject *const list = tag == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(lists, tag));
  const int ends = event->kind == SLUICE_EVENT_END;
  int result = list == NULL && PyErr_Occurred() ? -1 : 0;
  if (list != NULL) {
    PyObject *const outcome = ends ? outcome_take(state, self->queue, event->call) : NULL;
    PyObject *const made = event_of(state, outcome, event, arena == NULL ? "" : arena + event->offset);
    if (made == NULL) {
      result = PyErr_Occurred() ? -1 : 0;
    } else {
      const Py_ssize_t before = PyList_Size(touched);
      result = PyList_Append(list, made);
      if (result == 0 && (before == 0 || PyObject_RichCompareBool(PyList_GetItem(touched, before - 1), tag, Py_EQ) == 0)) result = PyList_Append(touched, tag);
      Py_DECREF(made);
      if (result == 0 && ends && PyDict_GetItemWithError(lists, tag) == list) result = PyDict_DelItem(lists, tag);
    }
    Py_DECREF(list);
  }
  if (result == 0 && ends) result = PyList_Append(ended, tag);
  Py_XDECREF(tag);
  return result;
}

// {tag: list} -> (tags that got something, tags that have ended, how many events there were). What has no list is thrown away.
static PyObject *queue_poll(PyObject *object, PyObject *lists) {
  QueueObject *self = (QueueObject *)object;
  State *state = state_of(object);
  const Py_ssize_t count = fetch(state, self);
  if (count < 0) return NULL;
  PyObject *touched = PyList_New(0), *ended = PyList_New(0);
  const char *const arena = sluice_queue_arena(self->queue).data;
  int result = touched == NULL || ended == NULL ? -1 : 0;
  for (Py_ssize_t i = 0; result == 0 && i < count; ++i) result = deliver(state, self, &self->events[i], arena, lists, touched, ended);
  sluice_queue_release(self->queue);
  if (result == 0) return Py_BuildValue("(NNn)", touched, ended, count);
  Py_XDECREF(touched);
  Py_XDECREF(ended);
  return NULL;
}

// [(plugin's tag, hook, session, which, choice, channel, tool_index, bytes), ...]
static PyObject *queue_hooks(PyObject *object, PyObject *unused) {
  (void)unused;
  QueueObject *self = (QueueObject *)object;
  State *state = state_of(object);
  const Py_ssize_t count = fetch(state, self);
  PyObject *list = count < 0 ? NULL : PyList_New(0);
  const char *const arena = sluice_queue_arena(self->queue).data;
  for (Py_ssize_t i = 0; list != NULL && i < count; ++i) {
    const sluice_event_t *const event = &self->events[i];
    if (event->kind != SLUICE_EVENT_HOOK) continue;
    PyObject *const row = TUPLE(NULL, long_of(event->tag), long_of(event->call), long_of(event->session), PyLong_FromLong(event->detail),
                                PyLong_FromLong((long)event->choice), channel_of(state, event->channel), PyLong_FromLong((long)event->tool_index),
                                PyBytes_FromStringAndSize(arena == NULL ? "" : arena + event->offset, event->size));
    if (row == NULL || PyList_Append(list, row) != 0) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  sluice_queue_release(self->queue);
  return list;
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Waits until events are there (True) or the time is over (False), with the lock of the interpreter given up. A signal ends the
// wait only where its handler raises.
static PyObject *queue_wait(PyObject *object, PyObject *timeout) {
  const int fd = ((QueueObject *)object)->fd;
  const long long timeout_ms = PyLong_AsLongLong(timeout);
  if (timeout_ms == -1 && PyErr_Occurred()) return NULL;
  const long long until = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
  for (;;) {
    struct pollfd waited = {fd, POLLIN, 0};
    long long left = until < 0 ? -1 : until - now_ms();
    if (until >= 0 && left < 0) left = 0;
    int ready;
    Py_BEGIN_ALLOW_THREADS
    ready = poll(&waited, 1, left > 1000000000 ? 1000000000 : (int)left);
    Py_END_ALLOW_THREADS
    if (ready < 0 && errno != EINTR) return PyErr_SetFromErrno(PyExc_OSError);
    if (PyErr_CheckSignals() != 0) return NULL;
    if (ready > 0) Py_RETURN_TRUE;
    if (ready == 0) Py_RETURN_FALSE;
  }
}

static PyObject *queue_fileno(PyObject *object, PyObject *unused) {
  (void)unused;
  return PyLong_FromLong(((QueueObject *)object)->fd);
}

static PyObject *queue_wake(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_error_t *err = NULL;
  return none_or_error(state_of(object), sluice_queue_wake(((QueueObject *)object)->queue, &err), &err);
}

static PyMethodDef queue_methods[] = {
    {"poll", queue_poll, METH_O, NULL},           {"hooks", queue_hooks, METH_NOARGS, NULL}, {"wait", queue_wait, METH_O, NULL},
    {"fileno", queue_fileno, METH_NOARGS, NULL}, {"wake", queue_wake, METH_NOARGS, NULL},   {NULL, NULL, 0, NULL}};

static PyType_Slot queue_slots[] = {{Py_tp_dealloc, (void *)queue_dealloc}, {Py_tp_methods, queue_methods}, {0, NULL}};
PyType_Spec queue_spec = {"sluice._native.Queue", sizeof(QueueObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, queue_slots};
