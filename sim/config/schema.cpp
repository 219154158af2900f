#include "sim/config/schema.hpp"

#include <nlohmann/json.hpp>

#include "core/base/addr.hpp"
#include "core/config/device_type.hpp"
#include "core/exit/vm_exit.hpp"
#include "sim/config/file_keys.hpp"

namespace ax::sim {

namespace {

using Json = nlohmann::ordered_json;
using Keys = std::span<const KeyInfo>;

constexpr u64 most_of_toml = (u64{1} << 63) - 1;

/// Digits as a reader takes them from a string; alone they can go beyond TOML's integers.
constexpr const char* digits = "^(0[xX][0-9a-fA-F](_?[0-9a-fA-F])*|0o[0-7](_?[0-7])*|0b[01](_?[01])*|[0-9](_?[0-9])*)$";

Json number(const KeyInfo& info) {
    Json integer{{"type", "integer"}, {"minimum", info.min}};
    if (info.max < most_of_toml) integer["maximum"] = info.max;
    return Json{{"anyOf", Json::array({integer, Json{{"type", "string"}, {"pattern", digits}}})}};
}

Json plain_number() { return number({}); }

/// Numbers that alone have a meaning.
Json known_numbers(const std::vector<u64>& values) {
    return Json{{"anyOf", Json::array({Json{{"enum", values}}, Json{{"type", "string"}, {"pattern", digits}}})}};
}

std::vector<u64> device_types() {
    std::vector<u64> types;
    for (u64 type = 0; type <= 0xff; ++type)
        if (config::emulated_device_type_from(type)) types.push_back(type);
    return types;
}

Json list_of(Json items, u64 max) {
    Json list{{"type", "array"}, {"items", std::move(items)}};
    if (max != ~u64{0}) list["maxItems"] = max;
    return list;
}

Json element(const ElementLayout& layout, Keys keys);

Json value(const KeyInfo& info, Keys keys) {
    switch (info.kind) {
        case KeyKind::Number: return info.key == "emu_type" ? known_numbers(device_types()) : number(info);
        case KeyKind::Ratio:
            return Json{{"anyOf", Json::array({Json{{"type", "integer"}, {"minimum", info.min}, {"maximum", info.max}},
                                               Json{{"type", "string"}, {"pattern", "^(1_?000_?000|[1-9][0-9]{0,5}|[1-9][0-9]{0,2}_[0-9]{3})(/(1_?000_?000|[1-9][0-9]{0,5}|[1-9][0-9]{0,2}_[0-9]{3}))?$"}}})}};
        case KeyKind::Text: return Json{{"type", "string"}, {"maxLength", info.max}};
        case KeyKind::Boolean: return Json{{"type", "boolean"}};
        case KeyKind::Choice: return Json{{"enum", info.words}};
        case KeyKind::Numbers: return list_of(plain_number(), info.max);
        case KeyKind::Elements: return list_of(element(*info.layout, keys), info.max);
        case KeyKind::Ranges: {
            Json pair = list_of(plain_number(), 2);
            pair["minItems"] = 2;
            return list_of(std::move(pair), info.max);
        }
        case KeyKind::PathLists: return list_of(list_of(Json{{"type", "string"}}, info.max), ~u64{0});
    }
    return Json::object();
}

Json documented(const KeyInfo& info, Keys keys) {
    Json schema = value(info, keys);
    std::string doc(info.doc);
    if (info.is_extension) doc += " (axsim's own key.)";
    schema["description"] = std::move(doc);
    return schema;
}

Json table(std::string_view name, Keys keys) {
    Json schema{{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}, {"additionalProperties", false}};
    for (const KeyInfo& info : keys) {
        if (info.table != name) continue;
        schema["properties"][std::string(info.key)] = documented(info, keys);
        if (info.required) schema["required"].push_back(info.key);
    }
    return schema;
}

/// An element of a list: a table, or its values in the order of the layout.
Json element(const ElementLayout& layout, Keys keys) {
    Json positional{{"type", "array"}, {"prefixItems", Json::array()}, {"items", false},
                    {"minItems", layout.required}, {"maxItems", layout.fields.size()}};
    for (const std::string_view field : layout.fields)
        for (const KeyInfo& info : keys)
            if (info.table == layout.list && info.key == field) positional["prefixItems"].push_back(documented(info, keys));
    return Json{{"oneOf", Json::array({table(layout.list, keys), std::move(positional)})}};
}

/// The integer of a number's two forms.
Json& integer_of(Json& number) { return number["anyOf"][0]; }

/// What rules of core/config say and a schema can say too.
void add_rules(Json& vm) {
    Json& base = vm["properties"]["base"]["properties"];
    base["phys_cpu_ids"]["uniqueItems"] = true;
    integer_of(base["phys_cpu_sets"]["items"])["minimum"] = 1;
    Json& kernel = vm["properties"]["kernel"];
    kernel["dependentRequired"] = {{"bios_path", {"bios_load_addr"}}, {"dtb_path", {"dtb_load_addr"}}, {"ramdisk_path", {"ramdisk_load_addr"}}};
    // boot_protocol, where there is one, says direct exactly when enable_bios does not switch the firmware on.
    const Json says_direct{{"properties", {{"boot_protocol", {{"enum", {"direct", "kernel"}}}}}}};
    kernel["if"] = {{"properties", {{"enable_bios", {{"const", true}}}}}, {"required", {"enable_bios"}}};
    kernel["then"] = {{"anyOf", {{{"not", {{"required", {"boot_protocol"}}}}}, {{"not", says_direct}}}}};
    kernel["else"] = says_direct;
    // An ordered object moves its members when one is added: nothing is added to this one from here on.
    Json& keys = kernel["properties"];
    keys["kernel_path"]["minLength"] = 1;
    integer_of(keys["dtb_load_addr"])["multipleOf"] = 8;
    for (Json& form : keys["memory_regions"]["items"]["oneOf"]) {
        const bool is_table = form["type"] == "object";
        Json& fields = is_table ? form["properties"] : form["prefixItems"];
        Json& gpa = is_table ? fields["gpa"] : fields[0];
        Json& size = is_table ? fields["size"] : fields[1];
        integer_of(gpa)["multipleOf"] = page_size;
        integer_of(size)["multipleOf"] = page_size;
        integer_of(size)["minimum"] = 1;
    }
    // What is no device-tree path needs a length.
    const Json is_path{{"pattern", "^/"}};
    for (Json& form : vm["properties"]["devices"]["properties"]["passthrough_devices"]["items"]["oneOf"]) {
        if (form["type"] == "object") {
            form["anyOf"] = {{{"properties", {{"name", is_path}}}}, {{"properties", {{"length", {{"not", {{"const", 0}}}}}}}, {"required", {"length"}}}};
        } else {
            form["anyOf"] = {{{"prefixItems", Json::array({is_path})}},
                             {{"prefixItems", Json::array({true, true, true, {{"not", {{"const", 0}}}}})}, {"minItems", 4}}};
        }
    }
}

Json head(const char* id, const char* title) {
    return Json{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", id}, {"title", title}};
}

std::string finish(const Json& schema) { return schema.dump(2) + "\n"; }

}  // namespace

std::string vm_schema() {
    const Keys keys = vm_key_table();
    Json schema = head("urn:axsim:schema:vm", "A VM of AxVisor or axsim");
    schema["type"] = "object";
    for (const char* name : {"base", "kernel", "devices"}) schema["properties"][name] = table(name, keys);
    Json cpu_set = plain_number();
    cpu_set["deprecated"] = true;
    cpu_set["description"] = "A key of 2024 without effect; phys_cpu_sets has one mask per vCPU.";
    schema["properties"]["base"]["properties"]["cpu_set"] = std::move(cpu_set);
    schema["required"] = {"base", "kernel", "devices"};
    schema["additionalProperties"] = false;
    add_rules(schema);
    return finish(schema);
}

std::string platform_schema() {
    const Keys keys = platform_key_table();
    Json schema = head("urn:axsim:schema:platform", "A board of AxVisor or axsim");
    schema.update(table("", keys));
    for (const char* name : {"plat", "devices", "sim"}) schema["properties"][name] = table(name, keys);
    // Boards have constants of their own, which are numbers.
    schema["properties"]["devices"]["additionalProperties"] = plain_number();
    Json costs{{"type", "object"}, {"additionalProperties", false}, {"description", "Virtual nanoseconds that each kind of exit takes; 0 where not named. (axsim's own key.)"}};
    KeyInfo cost;
    cost.max = 1'000'000'000;
    for (const char* exit : vm_exit_names) costs["properties"][exit] = number(cost);
    schema["properties"]["sim"]["properties"]["exit-cost-ns"] = std::move(costs);
    integer_of(schema["properties"]["sim"]["properties"]["memory"])["multipleOf"] = page_size;
    for (const char* key : {"phys-memory-base", "phys-memory-size"}) integer_of(schema["properties"]["plat"]["properties"][key])["multipleOf"] = page_size;
    schema["required"].push_back("plat");
    schema["required"].push_back("devices");
    // A defconfig has the last three keys of the top and nothing else.
    Json defconfig{{"type", "object"}, {"minProperties", 1}, {"additionalProperties", false}};
    for (const char* key : {"task-stack-size", "ticks-per-sec", "smp"}) defconfig["properties"][key] = schema["properties"][key];
    Json platform;
    for (const char* key : {"type", "properties", "required", "additionalProperties"}) {
        platform[key] = std::move(schema[key]);
        schema.erase(key);
    }
    schema["oneOf"] = Json::array({std::move(platform), std::move(defconfig)});
    return finish(schema);
}

}  // namespace ax::sim
