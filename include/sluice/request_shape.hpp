#pragma once
/// How large a request is, counted in what it is made of. Plain values.

#include <cstdint>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

/// A medium in a request: image, sound, file.
struct Attachment {
  /// `image/png`, lower case; what the request says, or else what its form means: an image by URL is `image/*`. Empty:
  /// nobody says, or says nothing that is a media type. Lifetime: the request's.
  std::string_view media_type = {};
  /// Decoded size of what is inline; base64 is counted, not decoded. A form that nobody knows counts as it stands, whole.
  std::uint64_t bytes = 0;
  bool is_inline = false;  ///< false: it is somewhere else, and named by URL or id
};

/// What a dialect counts in a request. 0 where its operation has no such thing. What is malformed counts as the most it
/// could mean: a content part of a type nobody knows is an attachment.
struct RequestShape {
  std::uint32_t messages = 0;
  std::uint32_t parts = 0;               ///< content parts of all messages; a content that is one text is one part
  std::uint32_t tools = 0;               ///< offered; the older functions too
  std::uint32_t json_depth = 0;          ///< of the body; 1 = an object of scalars
  std::uint64_t characters = 0;          ///< code points of all texts of the prompt, or of all inputs
  std::vector<Attachment> attachments = {};
  std::uint32_t inputs = 0;              ///< of embeddings, moderations and completions: texts or token lists
  std::uint64_t largest_input_characters = 0;
  std::uint64_t largest_input_tokens = 0;///< of inputs given as token lists
  std::uint64_t dimensions = 0;          ///< asked for; 0: not said
};

}  // namespace sluice
