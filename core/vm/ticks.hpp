// Guest timer ticks and nanoseconds.
#pragma once

#include "core/timer/ticks.hpp"

namespace ax::vm {

using timer::ns_per_second;
using timer::ns_to_ticks;
using timer::ticks_to_ns;

}  // namespace ax::vm
