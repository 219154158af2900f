// What a fuzzer, and every build's tests, do with one input of the configuration reader.
#pragma once

#include <string_view>

namespace ax::test {

/// Reads `input`: a platform file behind the line "platform", several VM files behind the line "vms" with lines
/// "----" between them, otherwise one VM file. Ends the program with a message when the reader breaks a promise:
/// what is refused has a diagnostic with place, text and advice; what is accepted resolves to a consistent
/// configuration and is written and read back the same; the same text gives the same findings. Opens no file.
void fuzz_config(std::string_view input);

}  // namespace ax::test
