// Where in a state a visitor stands, as text: `vcpu[1].fifo.bytes[3]`.
#pragma once

#include <string>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// Follows `enter` and `leave`. An element of a sequence shows its position; the visitor's convention
/// for elements is a field without a name inside the entered one.
class StatePath {
public:
    void enter(std::string_view name, std::size_t position) { steps_.push_back({std::string(name), position}); }
    void leave() {
        if (!steps_.empty()) steps_.pop_back();
    }
    [[nodiscard]] std::size_t depth() const { return steps_.size(); }

    /// The dotted path of the field `name` at this place.
    [[nodiscard]] std::string of(std::string_view name) const {
        std::string text;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const std::string_view next = i + 1 < steps_.size() ? std::string_view(steps_[i + 1].name) : name;
            append(text, steps_[i].name);
            if (next.empty() || steps_[i].position != 0) text.append("[").append(std::to_string(steps_[i].position)).append("]");
        }
        append(text, name);
        return text;
    }

private:
    struct Step {
        std::string name;
        std::size_t position = 0;
    };
    static void append(std::string& text, std::string_view name) {
        if (name.empty()) return;
        if (!text.empty()) text += '.';
        text += name;
    }

    std::vector<Step> steps_;
};

}  // namespace ax::sim
