#pragma once
/// AWS' binary event stream: frames with headers and checksums, in and out.
/// Source: the event stream specification of Smithy (application/vnd.amazon.eventstream).

#include <string>
#include <string_view>

#include "http/gathering_reader.hpp"

namespace sluice::http {

/// Reads frames. A frame whose checksum, lengths or headers are wrong is kUpstreamInvalidAnswer. Errors that say what they
/// say in a header alone (`:error-message`) have it as `{"message":"…"}`, as exceptions do. Frames of the type `chunk`, in which
/// InvokeModelWithResponseStream carries the models' own events, are events without a name: what is in their `bytes`.
class AwsEventReader final : public GatheringReader {
 public:
  using GatheringReader::GatheringReader;

 private:
  Result<std::optional<std::size_t>> find_end(std::string_view text, std::size_t scanned) override;
  Status parse(std::string_view raw, StreamEvent& event) override;

  std::string name_;     // of an exception: its type behind a `!`
  std::string message_;  // of an error without a payload
  std::string chunk_;    // what was in one
};

/// Appends a frame: `:message-type` event, `:event-type` `name`, `:content-type` application/json. A name that begins with `!`
/// makes it an exception of that type.
void append_aws_event(std::string& out, std::string_view name, std::string_view payload);

}  // namespace sluice::http
