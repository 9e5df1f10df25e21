// Two lists become one chain: judged link by link, the route's put in the gateway's places, sorted by phase.

#include "plugin/chain.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace sluice::plugin {
namespace {

// The bits that cannot stand without another one, by themselves.
constexpr Wants kDecodedRequest = (kWantsPrompt | kWantsTools | kWantsShape) & ~kWantsRequest;
constexpr Wants kRequestBits = kDecodedRequest | kWantsRequest | kWantsRequestEdits;
constexpr Wants kDeltaBits = kWantsDeltas | kWantsDeltaEdits;
constexpr Wants kEditBits = (kWantsRequestEdits & ~kWantsRequest) | (kWantsDeltaEdits & ~kWantsDeltas);

std::string where(const LinkList& list, std::size_t i) {
  return std::string(list.pointer) + '/' + std::to_string(i);
}

tl::unexpected<Error> wrong(const LinkList& list, std::size_t i, std::string message) {
  return fail(Code::kInvalidConfiguration, std::move(message), where(list, i));
}

/// What is said of one link alone. Reads name, phase and wants of the plugin: nobody else does.
Result<Chain::Entry> read(const LinkList& list, std::size_t i) {
  const Link& link = list.links[i];
  Chain::Entry entry;
  entry.mode = link.mode;
  entry.on_error = link.on_error;
  entry.timeout = link.timeout;
  if (const auto* plugin = std::get_if<std::shared_ptr<const Plugin>>(&link.what); plugin != nullptr && *plugin != nullptr) {
    entry.plugin = *plugin;
    entry.name = entry.plugin->name();
    entry.phase = entry.plugin->phase();
    entry.wants = entry.plugin->wants();
  } else if (const auto* observer = std::get_if<std::shared_ptr<const Observer>>(&link.what); observer != nullptr && *observer != nullptr) {
    entry.observer = *observer;
    entry.name = entry.observer->name();
    entry.phase = Phase::kObserve;
    entry.wants = entry.observer->wants();
  } else {
    return wrong(list, i, "the link holds no plugin; give it one, or take it out");
  }
  // A bit without the one it stands on means both.
  if ((entry.wants & kRequestBits) != 0) entry.wants |= kWantsRequest;
  if ((entry.wants & kDeltaBits) != 0) entry.wants |= kWantsDeltas;
  return entry;
}

/// What makes no sense wherever the link stands; empty where it does.
std::string senseless(const Chain::Entry& entry) {
  const std::string name = (entry.observer ? "observer '" : "plugin '") + std::string(entry.name) + '\'';
  if (entry.name.empty()) return "a plugin has no name; errors and telemetry must be able to call it something";
  if (entry.timeout.count() < 0) {
    return name + " has a timeout of " + std::to_string(entry.timeout.count()) + " ms; 0 is none, and there is nothing below";
  }
  if (entry.observer && (entry.wants & kEditBits) != 0) {
    return name + " asks to edit, and observers change nothing; ask for what is seen alone, or make it a Plugin";
  }
  if (entry.observer && entry.has(kWantsAttempts)) {
    return name + " asks for attempts, of which observers learn in on_finish; leave kWantsAttempts out, or make it a Plugin";
  }
  if (entry.plugin && entry.phase == Phase::kObserve) {
    return name + " is of phase observe, whose hooks decide nothing; derive it from sluice::Observer";
  }
  if (entry.phase == Phase::kAuthenticate && (entry.wants & kDecodedRequest) != 0) {
    return name + " authenticates on the head and asks for text of the body, which has not come then; make it a guard";
  }
  return {};
}

/// What makes no sense for a plugin of this route.
std::string misplaced(const Chain::Entry& entry, bool opaque) {
  if (!opaque || (entry.wants & (kDecodedRequest | kDeltaBits)) == 0) return {};
  const char* what = (entry.wants & kDeltaBits) != 0 ? "the answer" : entry.has(kWantsPrompt) ? "the prompt" : entry.has(kWantsTools) ? "the tools" : "the request";
  return "plugin '" + std::string(entry.name) + "' reads the decoded text of " + what +
         ", and this route is opaque: nothing is decoded there; put it on the routes that decode, or make the route one of them";
}

using Places = std::unordered_map<std::string_view, std::size_t>;

struct Placed {
  Chain::Entry entry;
  const LinkList* list;
  std::size_t place;  // in that list
};

Status judge(const LinkList& list, std::vector<Placed>& into) {
  Places seen;
  for (std::size_t i = 0; i < list.links.size(); ++i) {
    auto entry = read(list, i);
    if (!entry) return tl::unexpected(entry.error());
    if (std::string why = senseless(*entry); !why.empty()) return wrong(list, i, std::move(why));
    if (const auto [first, fresh] = seen.emplace(entry->name, i); !fresh) {
      return wrong(list, i, "'" + std::string(entry->name) + "' is listed twice, as " + where(list, first->second) + " and as " +
                                where(list, i) + "; rename one of them, or take it out");
    }
    into.push_back({std::move(*entry), &list, i});
  }
  return {};
}

/// The route's links take the places of the gateway's of their name; the others follow.
Status merge(std::vector<Placed>& gateway, std::vector<Placed> route) {
  Places places;
  for (std::size_t i = 0; i < gateway.size(); ++i) places.emplace(gateway[i].entry.name, i);
  for (Placed& own : route) {
    const std::string name(own.entry.name);
    if (own.entry.phase == Phase::kAuthenticate) {
      return wrong(*own.list, own.place, "plugin '" + name + "' authenticates on the head, when no route is known yet; list it for the gateway");
    }
    const auto there = places.find(own.entry.name);
    if (there == places.end()) {
      gateway.push_back(std::move(own));
      continue;
    }
    Placed& general = gateway[there->second];
    if (general.entry.phase == Phase::kAuthenticate) {
      return wrong(*own.list, own.place, "'" + name + "' is the name of a plugin that authenticates for the gateway, before any route could " +
                                             "replace it; rename this one");
    }
    general = std::move(own);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Chain>> Chain::compile(LinkList gateway, LinkList route, bool opaque) {
  std::vector<Placed> all, own;
  if (Status judged = judge(gateway, all); !judged) return tl::unexpected(judged.error());
  if (Status judged = judge(route, own); !judged) return tl::unexpected(judged.error());
  if (Status merged = merge(all, std::move(own)); !merged) return tl::unexpected(merged.error());
  std::stable_sort(all.begin(), all.end(), [](const Placed& a, const Placed& b) { return a.entry.phase < b.entry.phase; });

  auto chain = std::make_shared<Chain>();
  for (Placed& placed : all) {
    Entry& entry = placed.entry;
    if (std::string why = misplaced(entry, opaque); !why.empty()) return wrong(*placed.list, placed.place, std::move(why));
    if (entry.wants == kWantsNothing) continue;
    const auto index = static_cast<std::uint32_t>(chain->entries_.size());
    const auto ask = [&](Stage stage, Wants what) {
      if (entry.has(what)) chain->asked_[static_cast<std::size_t>(stage)].push_back(index);
    };
    if (entry.phase == Phase::kAuthenticate) {
      ++chain->authenticating_;
      ask(Stage::kAuthenticate, kWantsRequest);
    }
    ask(Stage::kRequest, kWantsRequest);
    ask(Stage::kAttempt, kWantsAttempts);
    ask(Stage::kHead, kWantsHead);
    ask(Stage::kDelta, kWantsDeltas);
    if (entry.plugin) ask(Stage::kAnswerEnd, kWantsDeltas);
    chain->wants_ |= entry.wants;
    chain->entries_.push_back(std::move(entry));
  }
  return chain;
}

}  // namespace sluice::plugin
