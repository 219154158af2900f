#include "core/vm/hypercall.hpp"

namespace ax::vm {

Answer hypercall(Vm& /*vm*/, const Hypercall& /*call*/) { return Answer::of_value(hypercall_failed); }

}  // namespace ax::vm
