// Objects of the configuration, whatever type they become: their keys read, refused, written and left out. Knows fields by the
// place of their values; must not know any key.

#include "gateway/config_codec.hpp"

namespace sluice::gateway::config {

namespace {

class ObjectWays final : public Ways {
 public:
  ObjectWays(ShapeRef shape, std::vector<AnyField> fields) : shape_(std::move(shape)), fields_(std::move(fields)) {}

  void read(Reader& in, json::Value value, void* out) const override {
    if (!in.expect(value, json::Type::kObject, *shape_)) return;
    std::vector<bool> seen(fields_.size());
    std::string scratch;
    for (json::Value item = value.first(); item; item = item.next()) {
      const std::string_view key = item.key(scratch);
      std::size_t i = 0;
      while (i < fields_.size() && fields_[i].member.key != key) ++i;
      if (i == fields_.size() && !is_annotation(key)) {
        in.unknown_key(key, *shape_);
        continue;
      }
      const Reader::Step step(in, key);
      if (i < fields_.size()) {
        seen[i] = true;
        fields_[i].ways->read(in, item, static_cast<char*>(out) + fields_[i].offset);
      } else if (!item.is(json::Type::kString)) {
        in.report("must be a text (is " + shown(item) + ")");
      }
    }
    judge(in, seen);
  }

  void write(json::Writer& out, const void* value) const override {
    out.begin_object();
    for (const AnyField& one : fields_) {
      if (one.left_out(value)) continue;
      out.key(one.member.key);
      one.ways->write(out, static_cast<const char*>(value) + one.offset);
    }
    out.end_object();
  }

  bool unset(const void* value) const override {
    for (const AnyField& one : fields_) {
      if (!one.left_out(value)) return false;
    }
    return true;
  }

 private:
  void judge(Reader& in, const std::vector<bool>& seen) const {
    std::size_t forms = 0;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Member& member = fields_[i].member;
      if (member.required && !seen[i]) in.report("needs \"" + std::string(member.key) + "\", " + describe(*member.shape));
      for (const auto& key : shape_->exactly_one) forms += seen[i] && key == member.key;
    }
    if (!shape_->exactly_one.empty() && forms != 1) {
      in.report("must be " + describe(*shape_) + (forms == 0 ? "; none stands there" : "; several stand there"));
    }
  }

  ShapeRef shape_;
  std::vector<AnyField> fields_;
};

}  // namespace

AnyField field_of(std::string_view key, const AnyCodec& codec, std::ptrdiff_t offset, const void* fresh, std::string_view meaning,
                  std::string_view example) {
  AnyField made;
  made.member.key = key;
  made.member.meaning = meaning;
  made.member.example = example;
  made.member.shape = codec.shape;
  made.ways = codec.ways;
  made.offset = offset;
  // An empty text where the default is none is a value, and is written.
  made.always = fresh != nullptr && codec.shape->kind != Shape::Kind::kObject && !codec.ways->unset(fresh);
  if (made.always) {
    json::Writer writer(made.member.default_json);
    codec.ways->write(writer, fresh);
  }
  return made;
}

AnyCodec object_of(std::string_view title, std::string_view meaning, std::vector<AnyField> fields, std::vector<std::string_view> exactly_one) {
  Shape made;
  made.kind = Shape::Kind::kObject;
  made.title = title;
  made.meaning = meaning;
  made.exactly_one = std::move(exactly_one);
  for (const AnyField& one : fields) made.members.push_back(one.member);
  auto shape = std::make_shared<const Shape>(std::move(made));
  WaysRef ways(static_cast<const Ways*>(new ObjectWays(shape, std::move(fields))));
  return {std::move(shape), std::move(ways)};
}

}  // namespace sluice::gateway::config
