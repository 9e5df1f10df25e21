// Outcomes: kept as the library gave them until somebody looks, for most callers never do.

#include "native.h"

typedef struct OutcomeObject {
  PyObject_HEAD
  sluice_outcome_t *outcome;
} OutcomeObject;

#define MEMBER(type, kind, name) {#name, kind, offsetof(type, name)}

static const Member kOutcome[] = {
    MEMBER(sluice_outcome_info_t, kInt32, ending),         MEMBER(sluice_outcome_info_t, kInt32, status),
    MEMBER(sluice_outcome_info_t, kCode, code),            MEMBER(sluice_outcome_info_t, kFlag32, streamed),
    MEMBER(sluice_outcome_info_t, kText, id),              MEMBER(sluice_outcome_info_t, kText, error_message),
    MEMBER(sluice_outcome_info_t, kText, consumer),        MEMBER(sluice_outcome_info_t, kText, tenant),
    MEMBER(sluice_outcome_info_t, kText, route),           MEMBER(sluice_outcome_info_t, kText, requested_model),
    MEMBER(sluice_outcome_info_t, kText, served_model),    MEMBER(sluice_outcome_info_t, kText, dialect),
    MEMBER(sluice_outcome_info_t, kText, operation),       MEMBER(sluice_outcome_info_t, kText, finish_reason),
    MEMBER(sluice_outcome_info_t, kText, model_note),      MEMBER(sluice_outcome_info_t, kText, mode),
    MEMBER(sluice_outcome_info_t, kUsage, usage),          MEMBER(sluice_outcome_info_t, kInt64, started_at_ms),
    MEMBER(sluice_outcome_info_t, kInt64, first_delta_ns), MEMBER(sluice_outcome_info_t, kInt64, total_ns),
    MEMBER(sluice_outcome_info_t, kInt64, receive_ns),     MEMBER(sluice_outcome_info_t, kInt64, plugins_ns),
    MEMBER(sluice_outcome_info_t, kInt64, queued_ns),      MEMBER(sluice_outcome_info_t, kInt64, waited_ns),
    MEMBER(sluice_outcome_info_t, kInt64, upstream_ns),    MEMBER(sluice_outcome_info_t, kUint64, deltas),
    MEMBER(sluice_outcome_info_t, kUint64, bytes_in),      MEMBER(sluice_outcome_info_t, kUint64, bytes_out),
    {NULL, kText, 0}};

static const Member kAttempt[] = {
    MEMBER(sluice_attempt_info_t, kText, upstream),         MEMBER(sluice_attempt_info_t, kText, model),
    MEMBER(sluice_attempt_info_t, kText, reason),           MEMBER(sluice_attempt_info_t, kText, chosen_because),
    MEMBER(sluice_attempt_info_t, kFlag32, skipped),        MEMBER(sluice_attempt_info_t, kCode, code),
    MEMBER(sluice_attempt_info_t, kInt32, status),          MEMBER(sluice_attempt_info_t, kFlag32, reused_connection),
    MEMBER(sluice_attempt_info_t, kInt64, started_ns),      MEMBER(sluice_attempt_info_t, kInt64, waited_ns),
    MEMBER(sluice_attempt_info_t, kInt64, queued_ns),       MEMBER(sluice_attempt_info_t, kInt64, resolve_ns),
    MEMBER(sluice_attempt_info_t, kInt64, connect_ns),      MEMBER(sluice_attempt_info_t, kInt64, first_byte_ns),
    MEMBER(sluice_attempt_info_t, kInt64, total_ns),        MEMBER(sluice_attempt_info_t, kUint64, sends),
    MEMBER(sluice_attempt_info_t, kUint64, bytes_sent),     MEMBER(sluice_attempt_info_t, kUint64, bytes_received),
    MEMBER(sluice_attempt_info_t, kUsage, usage),           {NULL, kText, 0}};

static const Member kVerdict[] = {
    MEMBER(sluice_verdict_info_t, kText, plugin),     MEMBER(sluice_verdict_info_t, kText, hook),
    MEMBER(sluice_verdict_info_t, kText, verdict),    MEMBER(sluice_verdict_info_t, kText, message),
    MEMBER(sluice_verdict_info_t, kCode, code),       MEMBER(sluice_verdict_info_t, kFlag32, observed),
    MEMBER(sluice_verdict_info_t, kFlag64, failed_open), MEMBER(sluice_verdict_info_t, kInt64, took_ns),
    {NULL, kText, 0}};

static const Member kLoss[] = {MEMBER(sluice_loss_info_t, kText, field), MEMBER(sluice_loss_info_t, kText, reason),
                               MEMBER(sluice_loss_info_t, kText, severity), {NULL, kText, 0}};

PyObject *outcome_take(State *state, sluice_queue_t *queue, sluice_call_t call) {
  sluice_outcome_t *outcome = NULL;
  if (sluice_call_take_outcome(queue, call, &outcome, NULL) != SLUICE_OK) Py_RETURN_NONE;
  OutcomeObject *self = (OutcomeObject *)new_object(state->outcome_type);
  if (self == NULL) return sluice_outcome_free(outcome), NULL;
  self->outcome = outcome;
  return (PyObject *)self;
}

static void outcome_dealloc(PyObject *self) {
  sluice_outcome_free(((OutcomeObject *)self)->outcome);
  free_object(self);
}

static PyObject *outcome_info(PyObject *object, PyObject *unused) {
  (void)unused;
  sluice_outcome_info_t info = {.struct_size = sizeof info};
  sluice_error_t *err = NULL;
  if (sluice_outcome_info(((OutcomeObject *)object)->outcome, &info, &err) != SLUICE_OK) return raise_error(state_of(object), err);
  return dict_of(&info, kOutcome);
}

// The three ledgers, each a list of dicts. They differ in a struct and a function.
#define LEDGER(noun, plural, type, members)                                                                                        \
  static PyObject *outcome_##plural(PyObject *object, PyObject *unused) {                                                 \
    (void)unused;                                                                                                         \
    const sluice_outcome_t *outcome = ((OutcomeObject *)object)->outcome;                                                 \
    sluice_outcome_info_t all = {.struct_size = sizeof all};                                                              \
    sluice_error_t *err = NULL;                                                                                           \
    if (sluice_outcome_info(outcome, &all, &err) != SLUICE_OK) return raise_error(state_of(object), err);                 \
    const size_t count = (size_t)(LEDGER_COUNT_##noun(all));                                                              \
    PyObject *list = PyList_New((Py_ssize_t)count);                                                                       \
    for (size_t i = 0; list != NULL && i < count; ++i) {                                                                  \
      type info = {.struct_size = sizeof info};                                                                           \
      if (sluice_outcome_##noun(outcome, i, &info, &err) != SLUICE_OK) return Py_DECREF(list), raise_error(state_of(object), err); \
      PyObject *dict = dict_of(&info, members);                                                                           \
      if (dict == NULL) return Py_DECREF(list), NULL;                                                                     \
      PyList_SetItem(list, (Py_ssize_t)i, dict);                                                                          \
    }                                                                                                                     \
    return list;                                                                                                          \
  }
#define LEDGER_COUNT_attempt(all) all.attempt_count
#define LEDGER_COUNT_verdict(all) all.verdict_count
#define LEDGER_COUNT_loss(all) all.loss_count
LEDGER(attempt, attempts, sluice_attempt_info_t, kAttempt)
LEDGER(verdict, verdicts, sluice_verdict_info_t, kVerdict)
LEDGER(loss, losses, sluice_loss_info_t, kLoss)

static PyMethodDef outcome_methods[] = {{"info", outcome_info, METH_NOARGS, NULL},
                                        {"attempts", outcome_attempts, METH_NOARGS, NULL},
                                        {"verdicts", outcome_verdicts, METH_NOARGS, NULL},
                                        {"losses", outcome_losses, METH_NOARGS, NULL},
                                        {NULL, NULL, 0, NULL}};

static PyType_Slot outcome_slots[] = {{Py_tp_dealloc, (void *)outcome_dealloc}, {Py_tp_methods, outcome_methods}, {0, NULL}};
PyType_Spec outcome_spec = {"sluice._native.Outcome", sizeof(OutcomeObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, outcome_slots};
