// SPDX-License-Identifier: Apache-2.0
// Trees out of files: includes, replaced values, settings, and every way in which that can go wrong.
#include <systole/config/config_loader.hpp>
#include <systole/config/nearest_word.hpp>

#include "config_files.hpp"

namespace systole {
namespace {

std::string value(const std::string& key, const std::string& text, const char* source = "chosen") {
    return "  " + key + ": {value: " + text + ", source: " + source + ", note: n}\n";
}

struct Loaded {
    ConfigNode tree;
    std::vector<std::string> errors;
};

Loaded load(const TextFiles& files, const std::vector<std::string>& settings = {}) {
    ConfigErrors errors;
    Loaded loaded;
    loaded.tree = load_config_tree("dir/a.yaml", errors, in_memory(files));
    override_values(loaded.tree, settings, errors);
    loaded.errors = errors.messages();
    return loaded;
}

std::string only_error(const Loaded& loaded) {
    EXPECT_EQ(loaded.errors.size(), 1U);
    return loaded.errors.empty() ? "no error" : loaded.errors.front();
}

TEST(ConfigLoader, MergesIncludedFilesAndOwnValuesReplaceTheirs) {
    const Loaded loaded =
        load({{"dir/a.yaml", "include: [sub/b.yaml, c.yaml]\ns:\n" + value("x", "3", "inferred")},
              {"dir/sub/b.yaml", "s:\n" + value("x", "1") + value("y", "2")},
              {"dir/c.yaml", "t:\n" + value("z", "4")}});
    ASSERT_TRUE(loaded.errors.empty()) << loaded.errors.front();
    const ConfigNode* x = find_node(loaded.tree, "s.x");
    ASSERT_NE(x, nullptr);
    EXPECT_EQ(x->text, "3");
    EXPECT_EQ(x->source, Provenance::kInferred);
    EXPECT_EQ(x->origin.text(), "dir/a.yaml:3");
    ASSERT_EQ(x->replaced.size(), 1U);
    EXPECT_EQ(x->replaced.front().text(), "dir/sub/b.yaml:2");
    EXPECT_EQ(find_node(loaded.tree, "s.y")->text, "2");
    EXPECT_EQ(find_node(loaded.tree, "t.z")->text, "4");
    EXPECT_EQ(find_node(loaded.tree, "t.q"), nullptr);
}

TEST(ConfigLoader, AFileMayComeInTwoWaysAndAValueMayNot) {
    const TextFiles diamond{{"dir/a.yaml", "include: [b.yaml, c.yaml]\n"},
                            {"dir/b.yaml", "include: c.yaml\n"},
                            {"dir/c.yaml", "s:\n" + value("x", "1")}};
    EXPECT_TRUE(load(diamond).errors.empty());
    TextFiles twice = diamond;
    twice["dir/b.yaml"] = "s:\n" + value("x", "1");
    EXPECT_EQ(only_error(load(twice)),
              "dir/c.yaml:2: s.x: expected each key in one included file, found a second 'x' (the first is "
              "dir/b.yaml:2)");
}

TEST(ConfigLoader, CyclesAreRefused) {
    EXPECT_EQ(only_error(load({{"dir/a.yaml", "s:\n" + value("x", "1") + "include: b.yaml\n"},
                               {"dir/b.yaml", "include: ../dir/a.yaml\n"}})),
              "dir/b.yaml:1: include: expected no cycle of includes, found dir/a.yaml -> dir/b.yaml -> "
              "dir/a.yaml");
}

TEST(ConfigLoader, IncludesMayStandInSectionsAndMustBeReadable) {
    EXPECT_NE(
        find_node(load({{"dir/a.yaml", "s:\n  include: b.yaml\n"}, {"dir/b.yaml", value("x", "1")}}).tree,
                  "s.x"),
        nullptr);
    EXPECT_EQ(only_error(load({{"dir/a.yaml", "s:\n  include: none.yaml\n"}})),
              "dir/a.yaml:2: s.include: expected a readable configuration file, found 'dir/none.yaml'");
    EXPECT_EQ(only_error(load({{"dir/a.yaml", "include: {x: 1}\n"}})),
              "dir/a.yaml:1: include: expected a file or a list of files, found a mapping");
    EXPECT_THROW((void)load({}), InputError);
}

TEST(ConfigLoader, EndlessInputIsCutOff) {
    EXPECT_NE(only_error(load({{"dir/a.yaml", "&a {s: *a}\n"}})).find("levels of sections"),
              std::string::npos);
    TextFiles chain;
    for (char c = 'a'; c < 'z'; ++c)
        chain[std::string("dir/") + c + ".yaml"] =
            std::string("include: ") + static_cast<char>(c + 1) + ".yaml\n";
    EXPECT_NE(only_error(load(chain)).find("levels of includes"), std::string::npos);
}

TEST(ConfigLoader, EveryFaultIsReportedInTheOrderOfLines) {
    const Loaded loaded = load({{"dir/a.yaml", "s:\n" + value("x", "1", "guessed") + value("x", "2") +
                                                   "  y: {value: [1], source: chosen, note: n}\n"
                                                   "  z: {valeu: 1, source: chosen, note: n}\n"
                                                   "  w: {value: 1, source: chosen}\n"
                                                   "  v: {value: 1, source: chosen, note: ''}\n"}});
    ASSERT_EQ(loaded.errors.size(), 6U);
    EXPECT_EQ(
        loaded.errors[0],
        "dir/a.yaml:2: s.x: expected source to be one of documented, inferred, chosen, found 'guessed'");
    EXPECT_EQ(loaded.errors[1],
              "dir/a.yaml:3: s.x: expected each key once, found a second 'x' (the first is in line 2)");
    EXPECT_EQ(loaded.errors[2], "dir/a.yaml:4: s.y: expected a plain value, found a sequence");
    EXPECT_EQ(loaded.errors[3],
              "dir/a.yaml:5: s.z: expected the keys value, source and note, found 'valeu' (did "
              "you mean 'value'?)");
    EXPECT_EQ(loaded.errors[4], "dir/a.yaml:6: s.w: expected the key 'note', found no such key");
    EXPECT_EQ(loaded.errors[5], "dir/a.yaml:7: s.v: expected a plain note, found nothing");
}

TEST(ConfigLoader, WhatIsNotAMappingIsRefused) {
    EXPECT_NE(only_error(load({{"dir/a.yaml", "s: [\n"}})).find("expected valid YAML"), std::string::npos);
    EXPECT_EQ(only_error(load({{"dir/a.yaml", ""}})), "dir/a.yaml: expected a mapping, found nothing");
    EXPECT_NE(only_error(load({{"dir/a.yaml", "[1]: 2\n"}})).find("a key without dots"), std::string::npos);
}

TEST(ConfigLoader, SettingsReplaceValues) {
    const TextFiles files{{"dir/a.yaml", "s:\n" + value("count", "1") + "t:\n" + value("y", "2")}};
    const Loaded loaded = load(files, {"s.count=5", "s.count=6"});
    ASSERT_TRUE(loaded.errors.empty());
    const ConfigNode* node = find_node(loaded.tree, "s.count");
    EXPECT_EQ(node->text, "6");
    EXPECT_EQ(node->origin.text(), "--set s.count");
    EXPECT_EQ(node->replaced.back().text(), "dir/a.yaml:2");
    EXPECT_EQ(only_error(load(files, {"s.cuont=5"})),
              "--set s.cuont: expected one of the keys count, found 'cuont' (did you mean 'count'?)");
    EXPECT_EQ(only_error(load(files, {"u.x=5"})),
              "--set u.x: expected one of the keys s, t, found 'u' (did you "
              "mean 's'?)");
    EXPECT_EQ(only_error(load(files, {"s=5"})), "--set s: expected a value, found the section of count");
    EXPECT_EQ(only_error(load(files, {"s.count"})), "--set: expected KEY=VALUE, found 's.count'");
}

TEST(NearestWord, FindsSlipsAndNothingElse) {
    EXPECT_EQ(nearest_word("collumns", {"rows", "columns"}), "columns");
    EXPECT_EQ(nearest_word("row", {"rows", "columns"}), "rows");
    EXPECT_EQ(nearest_word("voltage", {"rows", "columns"}), "");
    EXPECT_EQ(nearest_word(std::string(1'000'000, 'x'), {"rows"}), "");
}

}  // namespace
}  // namespace systole
