// The check for our own bugs. Conditions that a guest, a configuration or a file can cause are
// never expectations: they are errors with a value.
#pragma once

namespace ax {

/// Where a failed expectation goes before the program ends: the port's console or standard error.
/// Set once at start-up; null prints nothing.
using PanicSink = void (*)(const char* what);
void set_panic_sink(PanicSink sink);

[[noreturn]] void panic(const char* what);

/// Ends the program, naming what must hold, when `condition` is false. On in every build.
constexpr void expect(bool condition, const char* what) {
    if (!condition) [[unlikely]]
        panic(what);
}

}  // namespace ax
