// SPDX-License-Identifier: Apache-2.0
#include <systole/config/chip_checks.hpp>
#include <systole/config/chip_config.hpp>
#include <systole/config/chip_sections.hpp>
#include <systole/config/nearest_word.hpp>

#include <algorithm>
#include <array>

namespace systole {
namespace {

struct SectionReader {
    std::string_view name;
    void (*read)(ConfigSection& section, ChipConfig& config);
};

constexpr std::array kReaders{SectionReader{"chip", read_chip},
                              SectionReader{"features", read_features},
                              SectionReader{"tensor", read_tensor},
                              SectionReader{"tensor_engine", read_tensor_engine},
                              SectionReader{"throttle", read_throttle},
                              SectionReader{"memory", read_memory},
                              SectionReader{"psum", read_psum},
                              SectionReader{"sequencer", read_sequencer},
                              SectionReader{"lanes", read_lanes},
                              SectionReader{"sram", read_sram},
                              SectionReader{"semaphores", read_semaphores},
                              SectionReader{"host_queues", read_host_queues},
                              SectionReader{"dma", read_dma},
                              SectionReader{"dma_queue", read_dma_queue},
                              SectionReader{"descriptors", read_descriptors},
                              SectionReader{"hbm", read_hbm},
                              SectionReader{"fabric", read_fabric},
                              SectionReader{"host", read_host},
                              SectionReader{"links", read_links},
                              SectionReader{"collectives", read_collectives},
                              SectionReader{"address_map", read_address_map}};

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const SectionReader& reader : kReaders) names.push_back(reader.name);
    return names;
}

void read_section(const SectionReader& reader, const ConfigNode& node, ChipDescription& d) {
    if (node.kind != ConfigNode::Kind::kSection) {
        d.errors.add(node.origin, node.key, "a section",
                     node.kind == ConfigNode::Kind::kValue ? "a value" : node.text);
        return;
    }
    ConfigSection section(node, node.key, d.errors);
    reader.read(section, d.config);
    section.finish();
}

// Sections that must be there. A misspelt section was reported with its suggestion and is not missing too.
void require_sections(ChipDescription& d, const std::vector<std::string_view>& needed) {
    std::vector<std::string_view> misspelt;
    const std::vector<std::string_view> names = section_names();
    for (const std::string_view key : d.tree.child_keys())
        if (std::find(names.begin(), names.end(), key) == names.end())
            misspelt.push_back(nearest_word(key, names));
    for (const std::string_view name : needed)
        if (d.tree.child(name) == nullptr &&
            std::find(misspelt.begin(), misspelt.end(), name) == misspelt.end())
            d.errors.add(d.tree.origin, "", fmt::format("the section '{}'", name), "no such section");
}

// `needed` besides all sections of a whole chip.
ChipDescription read_description(const std::string& path, const std::vector<std::string>& settings,
                                 const ConfigFiles& files, const std::vector<std::string_view>& needed) {
    ChipDescription d;
    d.tree = load_config_tree(path, d.errors, files);
    if (d.errors.faulty("")) {  // nothing is known of what is not YAML
        d.reading_faults = d.errors.size();
        return d;
    }
    const bool complete =
        d.errors.empty();  // else what is missing may stand in a file that could not be read
    override_values(d.tree, settings, d.errors);
    const std::vector<std::string_view> names = section_names();
    for (const SectionReader& reader : kReaders)
        if (const ConfigNode* node = d.tree.child(reader.name)) read_section(reader, *node, d);
    for (const ConfigNode& node : d.tree.children)
        if (std::find(names.begin(), names.end(), node.key) == names.end())
            d.errors.add(node.origin, node.key, fmt::format("one of the sections {}", fmt::join(names, ", ")),
                         quoted_with_suggestion(node.key, names));
    if (complete) require_sections(d, d.whole_chip() ? names : needed);
    d.config.core.map.memory_base = d.config.map.hbm.base;
    d.config.core.map.memory_bytes = d.config.hbm.stack_bytes;
    d.config.core.map.core_base = d.config.map.core.base;
    d.reading_faults = d.errors.size();
    check_chip_description(d);
    return d;
}

ChipConfig config_without_faults(const ChipDescription& d) {
    d.errors.throw_if_any();
    return d.config;
}

}  // namespace

ChipDescription read_chip_description(const std::string& path, const std::vector<std::string>& settings,
                                      const ConfigFiles& files) {
    ChipDescription d = read_description(path, settings, files, {});
    if (d.tree.children.empty() && d.errors.empty())
        d.errors.add(d.tree.origin, "",
                     fmt::format("one of the sections {}", fmt::join(section_names(), ", ")), "none");
    return d;
}

ChipConfig load_chip_config(const std::string& path, const std::vector<std::string>& settings,
                            const ConfigFiles& files) {
    return config_without_faults(read_description(path, settings, files, section_names()));
}

ChipConfig load_config_sections(const std::string& path, const std::vector<std::string_view>& needed,
                                const ConfigFiles& files) {
    return config_without_faults(read_description(path, {}, files, needed));
}

}  // namespace systole
