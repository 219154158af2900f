#include "sim/session/result.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/base/text.hpp"
#include "sim/session/version.hpp"
#include "sim/state/dump.hpp"

namespace ax::sim {

RunResult result_of(Machine& machine, Outcome outcome, double wall_seconds) {
    RunResult result;
    result.outcome = outcome;
    result.seed = machine.seed();
    result.instructions = machine.icount();
    result.exits = machine.exits();
    result.virtual_ns = machine.virtual_ns();
    result.wall_seconds = wall_seconds;
    result.backend = machine.board().backend();
    if (result.backend == Backend::Kvm) return result;
    result.components = machine.component_hashes();
    result.state_hash = combine(result.components);
    return result;
}

std::string to_json(const RunResult& result) {
    nlohmann::ordered_json json;
    json["outcome"] = to_text(result.outcome);
    if (!result.detail.empty()) json["detail"] = result.detail;
    json["version"] = version;
    if (result.backend == Backend::Kvm) {
        json["backend"] = "kvm";
        json["exits"] = result.exits;
        json["wall_seconds"] = result.wall_seconds;
        return json.dump(2);
    }
    json["seed"] = result.seed;
    json["instructions"] = result.instructions;
    json["exits"] = result.exits;
    json["virtual_ns"] = result.virtual_ns;
    json["wall_seconds"] = result.wall_seconds;
    json["mips"] = result.mips();
    json["state_hash"] = hex(result.state_hash, 16);
    for (const ComponentHash& component : result.components) json["components"][component.name] = hex(component.hash, 16);
    if (result.trace_bytes) json["trace_bytes"] = *result.trace_bytes;
    if (result.differences) {
        json["differences"] = *result.differences;
        json["state_hashes_checked"] = result.state_hashes_checked;
    }
    return json.dump(2);
}

std::string to_line(const RunResult& result) {
    char numbers[128];
    if (result.backend == Backend::Kvm) {
        std::snprintf(numbers, sizeof numbers, "%.2f s on KVM", result.wall_seconds);
        return std::string(to_text(result.outcome)) + ": " + std::to_string(result.exits) + " exits, " + numbers +
               (result.detail.empty() ? "" : " (" + result.detail + ")");
    }
    std::snprintf(numbers, sizeof numbers, "%.3f s virtual, %.2f s, %.0f MIPS", static_cast<double>(result.virtual_ns) / 1e9,
                  result.wall_seconds, result.mips());
    std::string line = std::string(to_text(result.outcome)) + ": " + std::to_string(result.instructions) + " instructions, " +
                       std::to_string(result.exits) + " exits, " + numbers + ", state " + hex(result.state_hash, 16);
    if (result.seed != 0) line += ", seed " + std::to_string(result.seed);
    if (result.differences) line += ", " + std::to_string(*result.differences) + " differences";
    if (!result.detail.empty()) line += " (" + result.detail + ")";
    return line;
}

std::string describe_failure(VmInstance& vm, const std::vector<ExitRecord>& last_exits) {
    const vm::VmStop& stop = vm.vm().stop_state();
    std::string where = hex(stop.pc.value(), 16);
    if (const auto symbol = vm.guest().symbols ? vm.guest().symbols->describe(stop.pc) : std::nullopt) where += " <" + *symbol + ">";
    std::string text = Error{"VM " + std::string(vm.name()) + " was stopped",
                             "vCPU " + std::to_string(index(stop.vcpu)) + ", pc " + where,
                             std::string(stop.what) + " (" + hex(stop.cause) + ", " + hex(stop.detail) + ")",
                             "the exits before it and the registers follow"}
                           .to_line();
    if (const std::string rule = vm.why_refused(stop.vcpu); !rule.empty()) text += "\nthe entry breaks a rule: " + rule;
    text += "\nlast exits:\n";
    for (const ExitRecord& exit : last_exits)
        text += "  " + pad_left(std::to_string(exit.icount), 14) + "  vcpu" + std::to_string(exit.vcpu) + "  " + hex(exit.pc, 16) + "  " +
                describe(exit) + "\n";
    text += "registers of vCPU " + std::to_string(index(stop.vcpu)) + ":\n";
    for (const StateEntry& entry : dump(vm.vm().vcpus()[index(stop.vcpu)])) text += "  " + pad_right(entry.path, 28) + entry.value + "\n";
    return text;
}

std::string describe_difference(const ReplayDifference& difference, const std::string& trace_path) {
    std::string text = Error{"replay differs from the recording", trace_path + ", exit " + std::to_string(difference.exit_number),
                             difference.difference.field + " was " + difference.difference.recorded + " and is now " +
                                 difference.difference.replayed,
                             ""}
                           .to_line();
    const auto side = [&](const char* name, const std::optional<ExitRecord>& exit) {
        if (exit)
            text += std::string("\n  ") + name + ": icount " + std::to_string(exit->icount) + " vcpu" + std::to_string(exit->vcpu) + " pc " +
                    hex(exit->pc, 16) + "  " + describe(*exit);
    };
    side("recorded", difference.recorded);
    side("replayed", difference.replayed);
    text += "\n  see it with: axsim replay " + trace_path + " --until exit:" + std::to_string(difference.exit_number);
    return text;
}

}  // namespace ax::sim
