#pragma once
/// What is set up once in a process, at its first use, by the library below. Knows that there is such a thing.

namespace sluice::json {

/// Sets it up now, while there is memory: its first use cannot fail, and ends the process where there is none. Thread: any.
void prepare() noexcept;

}  // namespace sluice::json
