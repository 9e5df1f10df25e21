// Routes filed by the literal parts of their matches. Ids are given out per part when the index is built; a request's
// texts that have no id are on no route, and drop out before any combination is looked up. The tables hold hashes, no
// texts: what is found is a superset anyway, and every route found is asked.

#include "policy/route_index.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "base/glob.hpp"
#include "policy/rules.hpp"

namespace sluice::policy {
namespace {

/// Most keys one route is filed under; a match with more combinations says nothing about its longest lists instead.
constexpr std::size_t kMaxKeys = 256;
/// Most header names that are filed; each is compared with every field of a request.
constexpr std::size_t kMaxHeaderNames = 4;

std::string_view literal_beginning(std::string_view glob) noexcept { return glob.substr(0, glob.find_first_of("*?")); }

void insert_sorted(std::vector<std::size_t>& sizes, std::size_t size) {
  const auto at = std::lower_bound(sizes.begin(), sizes.end(), size);
  if (at == sizes.end() || *at != size) sizes.insert(at, size);
}

}  // namespace

std::size_t RouteIndex::Ids::slot_of(std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  while (slots_[at].id != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  return at;
}

RouteIndex::Id RouteIndex::Ids::add(std::string_view text, Id& last) {
  if (4 * (used_ + 1) > 3 * slots_.size()) {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != 0) slots_[slot_of(slot.hash)] = slot;
    }
  }
  const std::uint64_t hash = std::hash<std::string_view>{}(text);
  Slot& slot = slots_[slot_of(hash)];
  if (slot.id == 0) {
    slot = {hash, ++last};
    ++used_;
  }
  return slot.id;
}

RouteIndex::Id RouteIndex::Ids::find(std::string_view text) const noexcept {
  return slots_[slot_of(std::hash<std::string_view>{}(text))].id;
}

RouteIndex::RouteIndex(std::span<const RouteKeys> keys) {
  std::map<std::uint64_t, std::vector<std::uint32_t>> files;
  every_ = keys.empty() ? 0 : ~0u;
  for (std::uint32_t route = 0; route < keys.size(); ++route) {
    for (const Key& key : file_route(keys[route])) {
      auto& list = files[hash(key)];
      if (list.empty() || list.back() != route) list.push_back(route);
      std::uint32_t says = 0;
      for (std::size_t part = 0; part < kParts; ++part) says |= (key[part] != 0 ? 1u : 0u) << part;
      some_ |= says;
      every_ &= says;
    }
  }
  std::size_t size = 4;
  while (3 * size < 4 * (files.size() + 1)) size *= 2;
  slots_.resize(size);
  for (const auto& [hash, list] : files) {
    Slot& slot = slots_[slot_of(hash)];
    if (list.size() == 1) {
      slot = {hash, list.front(), 1};
      continue;
    }
    slot = {hash, static_cast<std::uint32_t>(order_.size()), static_cast<std::uint32_t>(list.size())};
    order_.insert(order_.end(), list.begin(), list.end());
  }
}

std::vector<RouteIndex::Id> RouteIndex::file_models(const RouteKeys& keys) {
  std::vector<Id> ids;
  for (const std::string& model : keys.models) {
    if (!base::is_glob(model)) {
      ids.push_back(file(models_, model, kModel));
      continue;
    }
    const std::string_view beginning = literal_beginning(model);
    if (beginning.empty()) return {};  // it could be any model
    ids.push_back(file(beginnings_, beginning, kModel));
    insert_sorted(beginning_sizes_, beginning.size());
  }
  if (!ids.empty() && keys.absent_model) {
    if (absent_model_ == 0) absent_model_ = ++last_[kModel];
    ids.push_back(absent_model_);
  }
  return ids;
}

RouteIndex::Id RouteIndex::file_header(const RouteKeys& keys) {
  for (const auto& header : keys.headers) {
    auto at = std::find_if(headers_.begin(), headers_.end(), [&](const auto& one) { return same_name(one.first, header.first); });
    if (at == headers_.end()) {
      if (headers_.size() == kMaxHeaderNames) continue;
      at = headers_.insert(headers_.end(), {header.first, Ids{}});
    }
    return file(at->second, header.second, kHeader);
  }
  return 0;
}

std::vector<RouteIndex::Key> RouteIndex::file_route(const RouteKeys& keys) {
  std::array<std::vector<Id>, kParts> ids;
  if (keys.path) {
    ids[kPath].push_back(file(paths_, *keys.path, kPath));
  } else if (!keys.path_prefix.empty()) {
    ids[kPath].push_back(file(prefixes_, keys.path_prefix, kPath));
    deepest_prefix_ = std::max(deepest_prefix_, static_cast<std::size_t>(std::count(keys.path_prefix.begin(), keys.path_prefix.end(), '/')));
  }
  for (const std::string& host : keys.hosts) {
    const bool wildcard = host.starts_with("*.");
    ids[kHost].push_back(wildcard ? file(parents_, std::string_view(host).substr(1), kHost) : file(hosts_, host, kHost));
  }
  ids[kModel] = file_models(keys);
  for (const std::string& consumer : keys.consumers) ids[kConsumer].push_back(file(consumers_, consumer, kConsumer));
  if (const Id header = file_header(keys); header != 0) ids[kHeader].push_back(header);

  const auto combinations = [&ids] {
    std::size_t n = 1;
    for (const auto& part : ids) n *= std::clamp<std::size_t>(part.size(), 1, kMaxKeys + 1);
    return n;
  };
  while (combinations() > kMaxKeys) {
    std::max_element(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); })->clear();
  }
  std::vector<Key> out = {Key{}};
  for (std::size_t part = 0; part < kParts; ++part) {
    if (ids[part].empty()) continue;
    std::vector<Key> wider;
    for (const Key& key : out) {
      for (const Id id : ids[part]) {
        wider.push_back(key);
        wider.back()[part] = id;
      }
    }
    out = std::move(wider);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::uint64_t RouteIndex::hash(const Key& key) noexcept {
  std::uint64_t h = 0x9e3779b97f4a7c15;
  for (const Id id : key) h = (h ^ id) * 0xff51afd7ed558ccd, h ^= h >> 32;
  h *= 0xc4ceb9fe1a85ec53;  // once more for the last id
  return h ^ h >> 33;
}

std::size_t RouteIndex::slot_of(std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  while (slots_[at].size != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  return at;
}

void RouteIndex::find(const Ids& ids, std::string_view text, FewIds& out) {
  if (ids.empty()) return;
  if (const Id id = ids.find(text); id != 0) out.push(id);
}

void RouteIndex::find_paths(std::string_view path, FewIds& out) const {
  find(paths_, path, out);
  if (prefixes_.empty()) return;
  // No deeper than some route's prefix goes: the length of a path is the caller's choice.
  std::size_t depth = 0;
  for (std::size_t i = 1; i <= path.size() && depth < deepest_prefix_; ++i) {
    if (i < path.size() && path[i] != '/') continue;
    ++depth;
    find(prefixes_, path.substr(0, i), out);
  }
}

void RouteIndex::find_models(const chat::RequestView& view, FewIds& out) const {
  if (!view.model_present) {
    if (absent_model_ != 0) out.push(absent_model_);
    return;
  }
  find(models_, view.model, out);
  for (const std::size_t size : beginning_sizes_) {
    if (size > view.model.size()) break;
    find(beginnings_, view.model.substr(0, size), out);
  }
}

void RouteIndex::find_headers(const Headers& headers, FewIds& out) const {
  for (const HeaderField field : headers) {
    for (const auto& [name, values] : headers_) {
      if (field.name.size() != name.size() || !same_name(field.name, name)) continue;
      const std::size_t before = out.size();
      find(values, field.value, out);
      // The same field twice must not look up the same lists twice.
      if (out.size() > before && std::find(out.begin(), out.begin() + before, out[before]) != out.begin() + before) out.remove(before);
    }
  }
}

RouteIndex::Candidates RouteIndex::candidates(const Subject& subject) const {
  std::array<FewIds, kParts> ids;
  const auto says = [](std::uint32_t parts, Part part) { return (parts >> part & 1u) != 0; };
  if (says(some_, kPath)) find_paths(subject.path, ids[kPath]);
  if (says(some_, kHost)) {
    const std::string_view host = bare_host(subject.host);
    find(hosts_, host, ids[kHost]);
    const std::size_t dot = host.find('.');
    if (dot != std::string_view::npos && dot > 0) find(parents_, host.substr(dot), ids[kHost]);
  }
  if (says(some_, kModel) && subject.view) find_models(*subject.view, ids[kModel]);
  if (says(some_, kConsumer)) find(consumers_, subject.consumer, ids[kConsumer]);
  if (says(some_, kHeader) && subject.headers) find_headers(*subject.headers, ids[kHeader]);
  for (std::size_t part = 0; part < kParts; ++part) {
    if (!says(every_, static_cast<Part>(part))) ids[part].push(0);
  }

  Candidates found;
  Key key;
  for (const Id path : ids[kPath]) {
    key[kPath] = path;
    for (const Id host : ids[kHost]) {
      key[kHost] = host;
      for (const Id model : ids[kModel]) {
        key[kModel] = model;
        for (const Id consumer : ids[kConsumer]) {
          key[kConsumer] = consumer;
          for (const Id header : ids[kHeader]) {
            key[kHeader] = header;
            const Slot& at = slots_[slot_of(hash(key))];
            if (at.size != 0) found.lists_.push({at.size == 1 ? &at.begin : order_.data() + at.begin, at.size});
          }
        }
      }
    }
  }
  return found;
}

std::optional<std::uint32_t> RouteIndex::Candidates::next() noexcept {
  if (lists_.empty()) return std::nullopt;
  std::uint32_t first = lists_[0].front();
  for (const auto& list : lists_) first = std::min(first, list.front());
  for (std::size_t i = 0; i < lists_.size();) {
    auto& list = lists_[i];
    if (list.front() == first) list = list.subspan(1);  // a route filed under several keys stands in several lists
    if (list.empty()) lists_.remove(i);
    else ++i;
  }
  return first;
}

}  // namespace sluice::policy
