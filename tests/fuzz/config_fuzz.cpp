// libFuzzer's entry to the configuration reader; tests/fuzz/run.sh runs it.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "core/base/expect.hpp"
#include "tests/fuzz/config_fuzz_body.hpp"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    ax::set_panic_sink([](const char* what) { std::fprintf(stderr, "it does not hold that %s\n", what); });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ax::test::fuzz_config({static_cast<const char*>(static_cast<const void*>(data)), size});
    return 0;
}
