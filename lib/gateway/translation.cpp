// Decode, note, encode; and the two crossings: whole answers told as streams, streams gathered for who wants them whole.

#include "gateway/translation.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "dialect/base64.hpp"

namespace sluice::gateway {
namespace {

/// Vectors and rankings have no ids.
bool is_said(chat::Operation operation) noexcept { return operation == chat::Operation::kChat || operation == chat::Operation::kCompletions; }

}  // namespace

Translation::Translation(const Ways& ways, const dialect::Asked& asked, const dialect::AnswerForm& form)
    : from_(ways.from), to_(ways.to), max_bytes_(ways.max_bytes), exchange_(is_said(asked.operation) ? ways.exchange : std::string_view{}), asked_at_(ways.asked_at) {
  if (ways.stream_in) {
    reader_ = http::make_event_reader(*ways.stream_in, ways.max_event_bytes);
    decoder_ = from_.delta_decoder(asked);
  }
  if (ways.stream_out) {
    dialect::AnswerForm full = form;
    full.usage = true;  // who has not asked for it has it taken out again by the tap
    encoder_ = to_.delta_encoder(full);
  }
}

Status Translation::feed(std::string_view bytes, std::string& out) {
  if (!reader_) return gather(bytes);
  if (!encoder_) {
    if (Status fits = count(bytes.size()); !fits) return fits;
  }
  reader_->feed(bytes);
  http::StreamEvent event;
  for (;;) {
    const auto more = reader_->next(event);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    if (Status taken = take_event(event, out); !taken) return taken;
  }
}

Status Translation::take_event(const http::StreamEvent& event, std::string& out) {
  if (!event.has_data || over_) return {};
  deltas_.clear();
  if (Status read = decoder_->on_event(event.name, event.data, deltas_); !read) return read;
  if (Status taken = take(std::move(deltas_), out); !taken) return taken;
  if (decoder_->over()) end_stream(out);
  return {};
}

Status Translation::take(std::vector<chat::Delta>&& deltas, std::string& out) {
  for (chat::Delta& delta : deltas) {
    if (auto* start = std::get_if<chat::AnswerStart>(&delta.event)) fill_in(*start);
    if (const auto* failed = delta.as<chat::ErrorDelta>()) {
      provider_text_ = failed->provider_text.empty() ? failed->error.message : failed->provider_text;
      return tl::unexpected(failed->error);
    }
    note(delta);
    if (encoder_) {
      encoder_->encode(delta, out);
    } else {
      gathered_.add(delta);
    }
  }
  return {};
}

/// What some servers do not say of an answer, and others' clients read off each.
template <typename Answer>
void Translation::fill_in(Answer& answer) const {
  if (answer.id.empty()) answer.id = exchange_;
  if (!answer.created) answer.created = asked_at_;
}

void Translation::note(const chat::Delta& delta) {
  if (const auto* start = delta.as<chat::AnswerStart>()) {
    if (model_.empty()) model_ = start->model;
  } else if (const auto* finish = delta.as<chat::FinishDelta>()) {
    finished_ = true;
    if (delta.choice == 0) finish_reason_ = finish->native.empty() ? std::string(to_string(finish->reason)) : finish->native;
  } else if (const auto* counted = delta.as<chat::UsageDelta>()) {
    chat::merge(usage_, counted->usage);
  }
}

void Translation::note(const chat::Message& message) {
  model_ = message.model;
  if (message.usage) usage_ = *message.usage;
  if (message.choices.empty()) return;
  const chat::Choice& first = message.choices.front();
  finished_ = first.finish != chat::FinishReason::kNone;
  finish_reason_ = first.native_finish.empty() ? std::string(to_string(first.finish)) : first.native_finish;
}

namespace {

/// Vectors as the caller wants them spelled: an upstream may know one spelling alone. Base64 holds float32, little-endian.
void respell(chat::Message& message, const chat::Request& request) {
  const auto* input = std::get_if<chat::EmbeddingInput>(&request.input);
  if (input == nullptr) return;
  static_assert(std::endian::native == std::endian::little);
  for (chat::Embedding& one : message.embeddings) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&one.vector); numbers != nullptr && input->encoding == "base64") {
      std::string bytes(numbers->size() * sizeof(float), '\0');
      for (std::size_t i = 0; i < numbers->size(); ++i) {
        const float single = static_cast<float>((*numbers)[i]);
        std::memcpy(bytes.data() + i * sizeof single, &single, sizeof single);
      }
      one.vector = dialect::base64_encode(bytes);
    } else if (const auto* packed = std::get_if<std::string>(&one.vector); packed != nullptr && input->encoding != "base64") {
      const auto bytes = dialect::base64_decode(*packed);
      if (!bytes || bytes->size() % sizeof(float) != 0) continue;
      std::vector<double> unpacked(bytes->size() / sizeof(float));
      for (std::size_t i = 0; i < unpacked.size(); ++i) {
        float single = 0;
        std::memcpy(&single, bytes->data() + i * sizeof single, sizeof single);
        unpacked[i] = static_cast<double>(single);
      }
      one.vector = std::move(unpacked);
    }
  }
}

}  // namespace

/// What must be whole before it can be told is bounded.
Status Translation::count(std::size_t bytes) {
  gathered_bytes_ += bytes;
  if (gathered_bytes_ <= max_bytes_) return {};
  return sluice::fail(Code::kUpstreamAnswerTooLarge,
                      "it answered with more than the " + std::to_string(max_bytes_) + " bytes that can be translated as a whole");
}

Status Translation::gather(std::string_view bytes) {
  if (Status fits = count(bytes.size()); !fits) return fits;
  whole_.append(bytes);
  return {};
}

Status Translation::end(const dialect::Asked& asked, const dialect::AnswerForm& form, std::string& out, chat::LossReport& loss) {
  if (over_) return {};
  chat::Message message;
  if (reader_) {
    http::StreamEvent event;
    while (reader_->finish(event)) {
      if (Status taken = take_event(event, out); !taken) return taken;
    }
    if (over_) return {};
    deltas_.clear();
    decoder_->conclude(deltas_);
    if (Status taken = take(std::move(deltas_), out); !taken) return taken;
    if (Status ended = decoder_->on_end(); !ended) return ended;
    if (encoder_) {
      end_stream(out);
      return {};
    }
    message = gathered_.take();
  } else {
    auto read = from_.decode_answer(whole_, asked);
    if (!read) {
      if (read.error().code == Code::kUpstreamError) provider_text_ = read.error().message;
      return tl::unexpected(read.error());
    }
    whole_ = {};
    message = *std::move(read);
    fill_in(message);
    for (chat::Choice& choice : message.choices) choice.turn.form = chat::ContentForm::kAuto;  // the other dialect has its own
    note(message);
    if (asked.request != nullptr) respell(message, *asked.request);
    if (encoder_) {
      if (Status taken = take(chat::to_deltas(message), out); !taken) return taken;
      end_stream(out);
      return {};
    }
  }
  over_ = true;
  out += to_.encode_answer(message, form, loss);
  return {};
}

/// Where the caller wants it whole, what was gathered is still to be told by end().
void Translation::end_stream(std::string& out) {
  if (!encoder_) return;
  over_ = true;
  encoder_->end(out);
}

bool Translation::cut(chat::FinishReason reason, std::uint32_t choices, std::string& out) {
  if (!encoder_ || over_) return false;
  for (std::uint32_t choice = 0; choice < choices; ++choice) encoder_->encode({.choice = choice, .event = chat::FinishDelta{.reason = reason}}, out);
  if (!chat::empty(usage_)) encoder_->encode({.choice = 0, .event = chat::UsageDelta{.usage = usage_}}, out);
  end_stream(out);
  return true;
}

void Translation::fail(const Error& error, std::string_view provider_text, std::string& out) {
  if (!encoder_ || over_) return;
  over_ = true;
  encoder_->encode({.choice = 0, .event = chat::ErrorDelta{.error = error, .provider_text = std::string(provider_text)}}, out);
}

}  // namespace sluice::gateway
