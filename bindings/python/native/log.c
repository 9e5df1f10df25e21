// The log: lines that engine threads leave, and a thread of Python's fetches. Writing a line takes a lock of its own for the
// time of a copy, and never the interpreter's.

#include "native.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// What waits is bounded: a program that does not fetch its lines loses the newest, and is told how many.
enum { kMostLines = 1024 };

typedef struct Line {
  struct Line *next;
  int32_t level;
  size_t size;
  char text[];
} Line;

/// Shared by the Python object and the gateways that write; whoever lets go last frees it.
typedef struct Ring {
  atomic_int owners;
  pthread_mutex_t lock;
  Line *first, **last;
  size_t lines, lost;
  int ends[2];  ///< readable while lines wait
} Ring;

typedef struct LogObject {
  PyObject_HEAD
  Ring *ring;
} LogObject;

void *log_share(PyObject *log) {
  Ring *ring = ((LogObject *)log)->ring;
  atomic_fetch_add(&ring->owners, 1);
  return ring;
}

void log_release(void *shared) {
  Ring *ring = shared;
  if (atomic_fetch_sub(&ring->owners, 1) != 1) return;
  for (Line *line = ring->first; line != NULL;) {
    Line *next = line->next;
    free(line);
    line = next;
  }
  close(ring->ends[0]);
  close(ring->ends[1]);
  pthread_mutex_destroy(&ring->lock);
  free(ring);
}

void log_write(void *shared, int32_t level, const char *text, size_t size) {
  Ring *ring = shared;
  Line *line = malloc(sizeof *line + size);
  if (line != NULL) {
    line->next = NULL;
    line->level = level;
    line->size = size;
    if (size != 0) memcpy(line->text, text, size);
  }
  pthread_mutex_lock(&ring->lock);
  const int was_empty = ring->first == NULL && ring->lost == 0;
  if (line == NULL || ring->lines == kMostLines) {
    ++ring->lost;
    free(line);
  } else {
    *ring->last = line;
    ring->last = &line->next;
    ++ring->lines;
  }
  if (was_empty) {
    const ssize_t put = write(ring->ends[1], "", 1);
    (void)put;
  }
  pthread_mutex_unlock(&ring->lock);
}

PyObject *log_new(PyObject *module, PyObject *unused) {
  (void)unused;
  State *state = PyModule_GetState(module);
  Ring *ring = calloc(1, sizeof *ring);
  if (ring == NULL) return PyErr_NoMemory();
  if (pipe(ring->ends) != 0) {
    free(ring);
    return PyErr_SetFromErrno(PyExc_OSError);
  }
  for (int i = 0; i < 2; ++i) {
    fcntl(ring->ends[i], F_SETFL, O_NONBLOCK);
    fcntl(ring->ends[i], F_SETFD, FD_CLOEXEC);
  }
  pthread_mutex_init(&ring->lock, NULL);
  atomic_init(&ring->owners, 1);
  ring->last = &ring->first;
  LogObject *self = (LogObject *)new_object(state->log_type);
  if (self == NULL) return log_release(ring), NULL;
  self->ring = ring;
  return (PyObject *)self;
}

static void log_dealloc(PyObject *self) {
  if (((LogObject *)self)->ring != NULL) log_release(((LogObject *)self)->ring);
  free_object(self);
}

// ([(level, text), ...], how many were lost)
static PyObject *log_drain(PyObject *object, PyObject *unused) {
  (void)unused;
  Ring *ring = ((LogObject *)object)->ring;
  pthread_mutex_lock(&ring->lock);
  Line *line = ring->first;
  const size_t lost = ring->lost;
  char byte;
  if (line != NULL || lost != 0) {  // then the one byte is there
    const ssize_t got = read(ring->ends[0], &byte, 1);
    (void)got;
  }
  ring->first = NULL;
  ring->last = &ring->first;
  ring->lines = ring->lost = 0;
  pthread_mutex_unlock(&ring->lock);

  PyObject *list = PyList_New(0);
  while (line != NULL) {
    Line *const next = line->next;
    if (list != NULL) {
      const sluice_bytes_t bytes = {line->text, line->size};
      PyObject *pair = Py_BuildValue("(iN)", (int)line->level, text_of(bytes));
      if (pair == NULL || PyList_Append(list, pair) != 0) Py_CLEAR(list);
      Py_XDECREF(pair);
    }
    free(line);
    line = next;
  }
  return list == NULL ? NULL : Py_BuildValue("(Nn)", list, (Py_ssize_t)lost);
}

static PyObject *log_fileno(PyObject *object, PyObject *unused) {
  (void)unused;
  return PyLong_FromLong(((LogObject *)object)->ring->ends[0]);
}

static PyMethodDef log_methods[] = {
    {"drain", log_drain, METH_NOARGS, NULL}, {"fileno", log_fileno, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyType_Slot log_slots[] = {{Py_tp_dealloc, (void *)log_dealloc}, {Py_tp_methods, log_methods}, {0, NULL}};
PyType_Spec log_spec = {"sluice._native.Log", sizeof(LogObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, log_slots};
