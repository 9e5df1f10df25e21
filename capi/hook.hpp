#pragma once
/// One hook as a plugin in C sees it, and how one that waited goes on. Knows what can be read and changed in which hook; must
/// not know who wrote the plugin.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "guard.hpp"
#include "sluice/plugin.h"
#include "sluice/plugin.hpp"

namespace sluice::capi {

/// What the hook was handed; null where it has no such thing. Good until its verdict is in.
struct HookTargets {
  RequestContext* request = nullptr;
  AttemptContext* attempt = nullptr;
  HeadContext* head = nullptr;
  AnswerEndContext* end = nullptr;
  Delta* delta = nullptr;
};

/// A ruling, read: what to resume with, and the edits that go before it.
struct ReadRuling {
  Verdict verdict = Verdict::go_on();
  std::function<void()> edits = {};
};
/// Errors: kInvalidParameter.
[[nodiscard]] Result<ReadRuling> ruling_in(const sluice_ruling_t* ruling, const HookTargets& targets);

/// The error a hook fails with. `status` 0: that of the code.
[[nodiscard]] Error hook_error(sluice_code_t code, std::int32_t status, std::string_view message);

}  // namespace sluice::capi

struct sluice_hook {
  std::int32_t kind = 0;                         // SLUICE_HOOK_*; 0 in open
  const sluice::ExchangeView* view = nullptr;
  sluice::HookContext* context = nullptr;        // null in open
  sluice::capi::HookTargets targets = {};
  std::vector<sluice::RouteChoice> choices = {};
  std::optional<sluice::Verdict> said = {};      // by reply and fail
};

struct sluice_resumer {
  sluice::Resumer resumer;
  sluice::capi::HookTargets targets;
};
