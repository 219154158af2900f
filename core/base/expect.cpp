#include "core/base/expect.hpp"

#include <cstdlib>

namespace ax {

namespace {
PanicSink panic_sink = nullptr;
}

void set_panic_sink(PanicSink sink) { panic_sink = sink; }

void panic(const char* what) {
    if (panic_sink != nullptr) panic_sink(what);
    std::abort();
}

}  // namespace ax
