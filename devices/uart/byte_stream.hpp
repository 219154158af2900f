// Where the bytes of a serial port go, and where they come from.
#pragma once

#include "core/base/types.hpp"

namespace ax::dev {

/// Takes what a port sends.
class ByteSink {
public:
    virtual void put(u8 byte) = 0;

protected:
    ~ByteSink() = default;
};

/// Holds input until a port has room for it.
class ByteSource {
public:
    /// The next byte; false, and `byte` untouched, when there is none now.
    [[nodiscard]] virtual bool take(u8& byte) = 0;

protected:
    ~ByteSource() = default;
};

}  // namespace ax::dev
