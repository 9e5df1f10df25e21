#pragma once
/// The life of an exchange, as a drawing and a table. An illegal event is a hole in the table, not a forgotten `if`.
///
///          begin            body_done: receive, route, before
///   [kHead] ----> [kBody] ----------------------+-------------.
///      |             |                          | no place    | place
///      |             |                          v             v
///      |             |                      [kQueued] ---> [kSending] ---> [kAnswering]
///      |             |                          |   place     |    head        |
///      '-- refuse ---+--------- refuse, fail ---+---- fail ---+------ fail ----+ finish
///                    |                          |             |                |
///                    '------------------------- cancel ------ + ---------------+--> [kEnded]
///
/// kEnded is entered exactly once, and entering it is what tells the caller the end.

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::gateway {

enum class State : std::uint8_t { kHead, kBody, kQueued, kSending, kAnswering, kEnded };
enum class Happening : std::uint8_t {
  kHeadTaken,   ///< the head was judged and admitted
  kQueue,       ///< routed; no place at the upstream yet
  kSend,        ///< routed, and a place is held: the attempt starts
  kAnswerHead,  ///< the upstream's head has come
  kFinish,      ///< the upstream's answer is whole
  kRefuse,      ///< the gateway answers itself
  kFail,        ///< the attempt, or a deadline, ended it
  kCancel,      ///< the caller left
};

inline constexpr std::size_t kStates = 6, kHappenings = 8;
inline constexpr State kIllegal = static_cast<State>(0xff);

namespace table {
inline constexpr State X = kIllegal, B = State::kBody, Q = State::kQueued, S = State::kSending, A = State::kAnswering, E = State::kEnded;
// Rows: State; columns: Happening.                       Taken Queue Send Head Finish Refuse Fail Cancel
inline constexpr std::array<std::array<State, kHappenings>, kStates> kNext{{
    /* kHead      */ {{B, X, X, X, X, E, E, E}},
    /* kBody      */ {{X, Q, S, X, X, E, E, E}},
    /* kQueued    */ {{X, X, S, X, X, E, E, E}},
    /* kSending   */ {{X, X, X, A, X, X, E, E}},
    /* kAnswering */ {{X, X, X, X, E, X, E, E}},
    /* kEnded     */ {{X, X, X, X, X, X, X, X}},
}};
}  // namespace table

/// The state behind `state` when `what` happens; kIllegal where it cannot.
[[nodiscard]] constexpr State next_state(State state, Happening what) noexcept {
  return table::kNext[static_cast<std::size_t>(state)][static_cast<std::size_t>(what)];
}

/// Every open state can be cancelled and can fail, the end is final, and only an attempt can be answered.
constexpr bool table_holds() {
  for (std::size_t s = 0; s < kStates; ++s) {
    const State state = static_cast<State>(s);
    const bool ended = state == State::kEnded;
    if ((next_state(state, Happening::kCancel) == State::kEnded) == ended) return false;
    if ((next_state(state, Happening::kFail) == State::kEnded) == ended) return false;
    for (std::size_t h = 0; h < kHappenings; ++h) {
      const State next = next_state(state, static_cast<Happening>(h));
      if (ended && next != kIllegal) return false;
      // No way leads back: states are numbered in the order they are passed.
      if (next != kIllegal && next <= state) return false;
    }
  }
  return true;
}
static_assert(table_holds());
static_assert(next_state(State::kAnswering, Happening::kRefuse) == kIllegal, "an answer that began is never refused");
static_assert(next_state(State::kQueued, Happening::kAnswerHead) == kIllegal, "nothing answers before it was asked");

}  // namespace sluice::gateway
