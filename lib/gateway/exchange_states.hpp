#pragma once
/// The life of an exchange, as a drawing and a table. An illegal event is a hole in the table, not a forgotten `if`.
///
///          begin          body_done          receive, route, before; plugins of the request
///   [kHead] ----> [kBody] -------> [kJudging] ---------.
///      |             |                 |               v    no place    place
///      |             |                 |    .---> [kChoosing] ---> [kQueued] ---> [kSending] ---> [kAnswering]
///      |             |                 |    |       |  |  |           |   |          | |    head      | |
///      |             |                 |    |       |  |  '-- place --|---|--------->' |              | |
///      |             |                 |    |       |  '--------> [kPreparing] ----->' |              | |
///      |             |                 |    |       |     place: plugins of the attempt               | |
///      |             |                 |    '-- another upstream, or the same again, while nothing of the answer was given
///      |             |                 |    '-------|-----------------'----------------'--------------' |
///      '-- refuse ---+- refuse, fail --+- refuse ---+------ refuse ---+--- fail ------------- fail -----+ finish
///                    |                 |            |                 |              |                  |
///                    '---------------- cancel ------+-----------------+--------------+------------------+--> [kEnded]
///
/// Plugins may keep it waiting in kBody (those of the head, while the body comes), kJudging, kPreparing and kAnswering (head,
/// deltas and end of the answer, while bytes may come); these are no states of their own, for whatever happens to an exchange
/// happens to one that waits, too.
///
/// kEnded is entered exactly once, and entering it is what tells the caller the end.

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::gateway {

enum class State : std::uint8_t { kHead, kBody, kJudging, kChoosing, kQueued, kPreparing, kSending, kAnswering, kEnded };
enum class Happening : std::uint8_t {
  kHeadTaken,   ///< the head was judged and admitted
  kWhole,       ///< the request has come to its end
  kChoose,      ///< routed; an upstream is to be chosen, perhaps after a pause: the first time, or after a failed attempt
  kQueue,       ///< chosen; no place at that upstream yet
  kPrepare,     ///< chosen, and a place is held: plugins are asked about the attempt
  kSend,        ///< chosen, and a place is held: the attempt starts
  kAnswerHead,  ///< the upstream's head has come
  kFinish,      ///< the upstream's answer is whole
  kRefuse,      ///< the gateway answers itself
  kFail,        ///< the attempt, or a deadline, ended it
  kCancel,      ///< the caller left
};

inline constexpr std::size_t kStates = 9, kHappenings = 11;
inline constexpr State kIllegal = static_cast<State>(0xff);

namespace table {
inline constexpr State X = kIllegal, B = State::kBody, J = State::kJudging, C = State::kChoosing, Q = State::kQueued, P = State::kPreparing,
                       S = State::kSending, A = State::kAnswering, E = State::kEnded;
// Rows: State; columns: Happening.                       Taken Whole Choose Queue Prepare Send Head Finish Refuse Fail Cancel
inline constexpr std::array<std::array<State, kHappenings>, kStates> kNext{{
    /* kHead      */ {{B, X, X, X, X, X, X, X, E, E, E}},
    /* kBody      */ {{X, J, X, X, X, X, X, X, E, E, E}},
    /* kJudging   */ {{X, X, C, X, X, X, X, X, E, E, E}},
    /* kChoosing  */ {{X, X, X, Q, P, S, X, X, E, E, E}},
    /* kQueued    */ {{X, X, C, X, P, S, X, X, E, E, E}},
    /* kPreparing */ {{X, X, X, X, X, S, X, X, E, E, E}},
    /* kSending   */ {{X, X, C, X, X, X, A, X, X, E, E}},
    /* kAnswering */ {{X, X, C, X, X, X, X, E, X, E, E}},
    /* kEnded     */ {{X, X, X, X, X, X, X, X, X, X, X}},
}};
}  // namespace table

/// The state behind `state` when `what` happens; kIllegal where it cannot.
[[nodiscard]] constexpr State next_state(State state, Happening what) noexcept {
  return table::kNext[static_cast<std::size_t>(state)][static_cast<std::size_t>(what)];
}

/// Every open state can be cancelled and can fail, the end is final, and the only way back leads to another choice.
constexpr bool table_holds() {
  for (std::size_t s = 0; s < kStates; ++s) {
    const State state = static_cast<State>(s);
    const bool ended = state == State::kEnded;
    if ((next_state(state, Happening::kCancel) == State::kEnded) == ended) return false;
    if ((next_state(state, Happening::kFail) == State::kEnded) == ended) return false;
    for (std::size_t h = 0; h < kHappenings; ++h) {
      const State next = next_state(state, static_cast<Happening>(h));
      if (ended && next != kIllegal) return false;
      // States are numbered in the order they are passed.
      const bool back = next != kIllegal && next <= state;
      if (back && (next != State::kChoosing || static_cast<Happening>(h) != Happening::kChoose)) return false;
    }
  }
  return true;
}
static_assert(table_holds());
static_assert(next_state(State::kAnswering, Happening::kRefuse) == kIllegal, "an answer that began is never refused");
static_assert(next_state(State::kQueued, Happening::kAnswerHead) == kIllegal, "nothing answers before it was asked");

}  // namespace sluice::gateway
