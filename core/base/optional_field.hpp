// A value that may be missing, in a list of fields.
#pragma once

#include <optional>

#include "core/base/fields.hpp"

namespace ax {

/// `value` is shown where there is one.
template <class T>
void field(FieldVisitor& v, std::string_view name, std::optional<T>& value) {
    bool is_there = value.has_value();
    T inner = value.value_or(T{});
    v.enter(name, 0);
    field(v, "is_there", is_there);
    if (is_there) field(v, "value", inner);
    v.leave();
    value = is_there ? std::optional(inner) : std::nullopt;
}

}  // namespace ax
