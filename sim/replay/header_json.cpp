#include "sim/replay/header_json.hpp"

#include <nlohmann/json.hpp>

namespace ax::sim {
namespace {

using Json = nlohmann::ordered_json;

/// Takes members of an object and remembers the first that is not as it must be.
class Members {
public:
    explicit Members(const Json& object) : object_(object) {}

    void take(const char* name, std::string& to) {
        if (const Json* value = find(name, [](const Json& j) { return j.is_string(); })) to = value->get<std::string>();
    }
    void take(const char* name, u64& to) {
        if (const Json* value = find(name, [](const Json& j) { return j.is_number_unsigned(); })) to = value->get<u64>();
    }
    const Json& list(const char* name) {
        static const Json empty = Json::array();
        const Json* value = find(name, [](const Json& j) { return j.is_array(); });
        return value != nullptr ? *value : empty;
    }
    const Json& object(const char* name) {
        static const Json empty = Json::object();
        const Json* value = find(name, [](const Json& j) { return j.is_object(); });
        return value != nullptr ? *value : empty;
    }
    void fail(const std::string& name) {
        if (bad_.empty()) bad_ = name;
    }
    [[nodiscard]] const std::string& bad() const { return bad_; }

private:
    template <class Check>
    const Json* find(const char* name, Check is_right) {
        if (object_.is_object()) {
            const auto at = object_.find(name);
            if (at != object_.end() && is_right(*at)) return &*at;
        }
        fail(name);
        return nullptr;
    }

    const Json& object_;
    std::string bad_;
};

TraceConfig config_from(const Json& json, Members& outer) {
    TraceConfig config;
    Members members(json);
    members.take("role", config.role);
    members.take("name", config.name);
    members.take("text", config.text);
    if (!members.bad().empty()) outer.fail("configs." + members.bad());
    return config;
}

TraceImage image_from(const Json& json, Members& outer) {
    TraceImage image;
    u64 vm = 0;
    Members members(json);
    members.take("vm", vm);
    members.take("role", image.role);
    members.take("path", image.path);
    members.take("size_bytes", image.size_bytes);
    members.take("digest", image.digest);
    image.vm = static_cast<u32>(vm);
    if (!members.bad().empty()) outer.fail("images." + members.bad());
    return image;
}

}  // namespace

std::string to_json_text(const TraceHeader& header) {
    Json configs = Json::array();
    for (const TraceConfig& c : header.configs) configs.push_back({{"role", c.role}, {"name", c.name}, {"text", c.text}});
    Json images = Json::array();
    for (const TraceImage& i : header.images)
        images.push_back({{"vm", i.vm}, {"role", i.role}, {"path", i.path}, {"size_bytes", i.size_bytes}, {"digest", i.digest}});
    const Json json = {{"axsim", header.axsim_version},
                       {"engine", header.engine_version},
                       {"command_line", header.command_line},
                       {"seed", header.seed},
                       {"configs", configs},
                       {"images", images},
                       {"options", header.options}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::expected<TraceHeader, std::string> header_from_json(std::string_view text) {
    constexpr bool throws = false;
    const Json json = Json::parse(text, nullptr, throws);
    if (json.is_discarded()) return std::unexpected("it is not JSON");
    TraceHeader header;
    Members members(json);
    members.take("axsim", header.axsim_version);
    members.take("engine", header.engine_version);
    members.take("seed", header.seed);
    for (const Json& word : members.list("command_line")) {
        if (word.is_string())
            header.command_line.push_back(word.get<std::string>());
        else
            members.fail("command_line");
    }
    for (const Json& config : members.list("configs")) header.configs.push_back(config_from(config, members));
    for (const Json& image : members.list("images")) header.images.push_back(image_from(image, members));
    for (const auto& [name, value] : members.object("options").items()) {
        if (value.is_string())
            header.options.emplace(name, value.get<std::string>());
        else
            members.fail("options." + name);
    }
    if (!members.bad().empty()) return std::unexpected("its member " + members.bad() + " is missing or of the wrong type");
    return header;
}

}  // namespace ax::sim
