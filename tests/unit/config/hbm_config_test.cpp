// SPDX-License-Identifier: Apache-2.0
// HBM presets and the HBM of the chip: the files of the project say what they should, and wrong files are
// refused by line.
#include <systole/base/error.hpp>
#include <systole/config/config_loader.hpp>
#include <systole/config/hbm_config.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace systole {
namespace {

std::string path_of(const std::string& file) { return SYSTOLE_CONFIGS "/" + file; }

// In the order of the struct: tck, bl, cl, cwl, rcdrd, rcdwr, rp, ras, rc, wr, rtp, ccds, ccdl, ccdr, rrds,
// rrdl, faw, wtrs, wtrl, rtw, rfc, rfcpb, refi, rrefd, ppd, and the buses.
using Row = std::array<std::uint32_t, 28>;

Row row_of(const HbmTiming& t) {
    return {t.tck_ps,
            t.bl,
            t.cl,
            t.cwl,
            t.rcdrd,
            t.rcdwr,
            t.rp,
            t.ras,
            t.rc,
            t.wr,
            t.rtp,
            t.ccds,
            t.ccdl,
            t.ccdr,
            t.rrds,
            t.rrdl,
            t.faw,
            t.wtrs,
            t.wtrl,
            t.rtw,
            t.rfc,
            t.rfcpb,
            t.refi,
            t.rrefd,
            t.ppd,
            t.act_half_cycles,
            t.pre_half_cycles,
            t.column_half_cycles};
}

TEST(HbmPreset, FilesHaveTheTimingOfTheirDevices) {
    EXPECT_EQ(row_of(load_hbm_preset(path_of("hbm/hbm3_6400.yaml")).timing),
              (Row{625, 2, 20, 10, 31, 15, 26,  45,  72,   33, 9, 2, 4, 3,
                   4,   5, 24, 7,  10, 20, 560, 320, 6240, 8,  2, 3, 1, 2}));
    EXPECT_EQ(row_of(load_hbm_preset(path_of("hbm/hbm3e_9600.yaml")).timing),
              (Row{417, 2, 30, 15, 47, 23, 39,  68,  108,  50, 14, 2, 6, 3,
                   6,   8, 36, 11, 15, 30, 840, 480, 9360, 20, 2,  3, 1, 2}));
    EXPECT_EQ(row_of(load_hbm_preset(path_of("hbm/hbm2_2000.yaml")).timing),
              (Row{1000, 2, 17, 7, 12, 6,  14,  28, 42,   14, 5, 2, 3, 2,
                   4,    6, 16, 4, 9,  18, 220, 96, 3900, 8,  0, 4, 2, 2}));
}

TEST(HbmPreset, SixtyFourChannelsAreTheChipsBandwidth) {
    const HbmConfig chip = load_hbm_config(path_of("hbm/chip.yaml"));
    EXPECT_EQ(chip.preset.name, "HBM3E-9600");
    const double peak = chip.preset.channel_bytes_per_s() * chip.preset.geometry.channels * chip.stacks;
    EXPECT_NEAR(peak / 1e12, 4.91, 0.005);
    EXPECT_EQ(chip.preset.geometry.bytes_per_stack() * chip.stacks, std::uint64_t{144} << 30);
    EXPECT_NEAR(load_hbm_preset(path_of("hbm/hbm3_6400.yaml")).channel_bytes_per_s() / 1e9, 51.2, 1e-9);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

template <typename Parse>
void refused(const Parse& parse, const std::string& text, std::initializer_list<const char*> parts) {
    try {
        parse(text);
        ADD_FAILURE() << "accepted";
    } catch (const InputError& error) {
        for (const char* part : parts)
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << part << " in " << error.what();
    }
}

TEST(HbmPreset, WrongFilesAreRefusedByLine) {
    const std::string good = read_config_text(path_of("hbm/hbm3_6400.yaml"));
    const auto parse = [](const std::string& text) { return parse_hbm_preset(text, "p.yaml"); };
    EXPECT_NO_THROW(parse(good));
    refused(parse, replaced(good, "  ras:", "  rass:"), {"p.yaml:", "timing.rass", "did you mean 'ras'"});
    refused(parse, replaced(good, "refi: {value: 6240", "refi: {value: 600"),
            {"p.yaml:", "timing.refi", "more than rtp + rp + rfc + rcdrd = 626"});
    refused(parse, replaced(good, "rc: {value: 72", "rc: {value: 40"), {"timing.rc", "at least ras = 45"});
    refused(parse, replaced(good, "refresh: {value: all_bank", "refresh: {value: some"),
            {"controller.refresh", "none, all_bank, per_bank", "'some'"});
    refused(parse, replaced(good, "burst_bytes: {value: 32", "burst_bytes: {value: 24"),
            {"geometry.burst_bytes", "a power of two"});
    refused(parse, replaced(good, "banks: {value: 4", "banks: {value: 16"),
            {"geometry.banks", "from 1 to 8"});
    refused(parse, replaced(good, "drain_high_percent: {value: 80", "drain_high_percent: {value: 10"),
            {"drain_high_percent", "from 20 to 100"});
}

TEST(HbmConfig, WrongFilesAreRefusedByLine) {
    const std::string good = read_config_text(path_of("hbm/chip.yaml"));
    const HbmPreset preset = load_hbm_preset(path_of("hbm/hbm3e_9600.yaml"));
    const auto parse = [&](const std::string& text) { return parse_hbm_config(text, "chip.yaml", preset); };
    EXPECT_NO_THROW(parse(good));
    refused(parse, replaced(good, "preset: {value: HBM3E-9600", "preset: {value: HBM2-2000"),
            {"chip.yaml:6: chip.preset", "HBM3E-9600", "HBM2-2000"});
    refused(parse, replaced(good, "model: {value: fast", "model: {value: slow"),
            {"chip.model", "fast, banked", "'slow'"});
    refused(parse, replaced(good, "rows: {value: 24576", "rows: {value: 65536"),
            {"chip.pitch_bytes", "at least the stack's"});
    refused(parse, replaced(good, "hash: {value: none", "hash: {value: xor"), {"stack.hash", "none, row"});
    refused([](const std::string& path) { return load_hbm_config(path); }, path_of("neuron_core.yaml"),
            {"neuron_core.yaml", "chip.preset"});
}

}  // namespace
}  // namespace systole
