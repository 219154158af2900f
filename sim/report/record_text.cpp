#include "sim/report/record_text.hpp"

#include "sim/base/text.hpp"

namespace ax::sim {

std::string quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            result += "\\n";
        else if (c == '\r')
            result += "\\r";
        else if (c == '\t')
            result += "\\t";
        else if (c == '"' || c == '\\')
            result += std::string("\\") + c;
        else if (byte < 0x20 || byte > 0x7e)
            result += std::string("\\x") + digits[byte / 16] + digits[byte % 16];
        else
            result += c;
    }
    return result + "\"";
}

std::string_view input_name(InputKind kind) {
    switch (kind) {
        case InputKind::Console: return "console";
        case InputKind::ConsoleClosed: return "console-closed";
        case InputKind::Stop: return "stop";
    }
    return "?";
}

std::string to_line(const ExitRecord& exit) {
    return "icount " + std::to_string(exit.icount) + " vm" + std::to_string(exit.vm) + "/vcpu" + std::to_string(exit.vcpu) +
           " pc " + hex(exit.pc) + " " + describe(exit);
}

std::string to_line(const InputRecord& input) {
    return "input before slice " + std::to_string(input.slice) + " at " + std::to_string(input.virtual_ns) + " ns: vm" +
           std::to_string(input.vm) + " " + std::string(input_name(input.kind)) + " " + quoted(input.data);
}

std::string to_line(const StateHashRecord& hash) {
    return "state hash " + hex(hash.total, 16) + " at icount " + std::to_string(hash.icount) + ", " +
           std::to_string(hash.virtual_ns) + " ns, of " + std::to_string(hash.components.size()) + " components";
}

std::string to_line(const EndRecord& end) {
    return "end: " + end.outcome + " at icount " + std::to_string(end.icount) + ", " + std::to_string(end.virtual_ns) +
           " ns, after " + std::to_string(end.exits) + " exits; state hash " + hex(end.state_hash, 16) + ", exit chain " +
           hex(end.chain, 16);
}

std::string to_line(const Record& record) {
    return std::visit([](const auto& r) { return to_line(r); }, record);
}

}  // namespace ax::sim
