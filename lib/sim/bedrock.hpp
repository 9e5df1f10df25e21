#pragma once
/// The Bedrock dialect (Converse) as the simulated upstream speaks it: whole, and as a stream of AWS' frames. The path names
/// the model, a header the kind of an error; of the input, what came from a cache is counted apart. Signatures are not
/// looked at. What a model refuses to say is a text that was filtered.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_bedrock(std::string_view path) noexcept;
[[nodiscard]] const Voice& bedrock_voice();

}  // namespace sluice::sim
