#pragma once
/// The words of an error answer, whoever wrote it: the shapes of all providers are looked for. Knows words; must not know
/// in which dialect they are told on.

#include <string>
#include <string_view>

#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect {

/// The message inside an error body: JSON in the usual shapes, else an excerpt of the text. Bounded, keys masked; empty where
/// there is none.
[[nodiscard]] std::string error_text(std::string_view body);
/// The same of an error object.
[[nodiscard]] std::string error_text(const json::Value& root);
/// The Error a structured error inside a 200 stream or answer stands for; a status it states is the error's.
[[nodiscard]] Error embedded_error(const json::Value& root);

}  // namespace sluice::dialect
