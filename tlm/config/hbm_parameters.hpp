// SPDX-License-Identifier: Apache-2.0
// Structure, timing and controller of an HBM stack, as plain data. Filled by load_hbm_preset() and
// load_hbm_config() from configs/, never from literals in the code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// A stack as its channels see it.
struct HbmGeometry {
    std::uint32_t channels = 0;  ///< per stack
    std::uint32_t pseudo_channels = 0;
    std::uint32_t stack_ids = 0;
    std::uint32_t bank_groups = 0;
    std::uint32_t banks = 0;    ///< per bank group
    std::uint32_t rows = 0;     ///< per bank
    std::uint32_t columns = 0;  ///< bursts per row and pseudo-channel
    std::uint32_t burst_bytes = 0;

    [[nodiscard]] std::uint32_t banks_per_pseudo_channel() const { return stack_ids * bank_groups * banks; }
    [[nodiscard]] std::uint64_t bytes_per_channel() const {
        return std::uint64_t{pseudo_channels} * banks_per_pseudo_channel() * rows * columns * burst_bytes;
    }
    [[nodiscard]] std::uint64_t bytes_per_stack() const { return channels * bytes_per_channel(); }
};

/// Timing in cycles of CK, under the names of the standard.
struct HbmTiming {
    std::uint32_t tck_ps = 0;
    std::uint32_t bl = 0;  ///< a burst on the data bus
    std::uint32_t cl = 0, cwl = 0;
    std::uint32_t rcdrd = 0, rcdwr = 0;
    std::uint32_t rp = 0, ras = 0, rc = 0;
    std::uint32_t wr = 0, rtp = 0;
    std::uint32_t ccds = 0, ccdl = 0, ccdr = 0;
    std::uint32_t rrds = 0, rrdl = 0, faw = 0;
    std::uint32_t wtrs = 0, wtrl = 0, rtw = 0;
    std::uint32_t rfc = 0, rfcpb = 0, refi = 0, rrefd = 0;
    std::uint32_t ppd = 0;
    // Commands on their buses, in half cycles.
    std::uint32_t act_half_cycles = 0;
    std::uint32_t pre_half_cycles = 0;  ///< precharges and refreshes
    std::uint32_t column_half_cycles = 0;

    /// Time of a burst on the data bus of a pseudo-channel.
    [[nodiscard]] std::uint64_t burst_ps() const { return std::uint64_t{bl} * tck_ps; }
    /// Share of the time that all-bank refresh takes from a pseudo-channel that streams.
    [[nodiscard]] double refresh_share() const {
        return static_cast<double>(rtp + rp + rfc + rcdrd) / static_cast<double>(refi);
    }
};

enum class HbmRefresh : std::uint8_t { kNone, kAllBank, kPerBank };

struct HbmControllerParameters {
    std::uint32_t read_entries = 0;        ///< per channel
    std::uint32_t write_entries = 0;       ///< per channel
    std::uint32_t drain_low_percent = 0;   ///< of write_entries: below it reads have their way again
    std::uint32_t drain_high_percent = 0;  ///< above it writes are drained
    std::uint32_t forward_cycles = 0;      ///< a read of a burst whose write still waits
    HbmRefresh refresh = HbmRefresh::kAllBank;
};

/// Everything a file configs/hbm/PRESET.yaml says.
struct HbmPreset {
    std::string name;
    HbmGeometry geometry;
    HbmTiming timing;
    HbmControllerParameters controller;

    /// Bytes per second of the pins of one channel.
    [[nodiscard]] double channel_bytes_per_s() const {
        return static_cast<double>(geometry.pseudo_channels * geometry.burst_bytes) * 1e12 /
               static_cast<double>(timing.burst_ps());
    }
};

enum class HbmModel : std::uint8_t { kFast, kBanked };
enum class HbmHash : std::uint8_t { kNone, kRow };

/// Of the `fast` model.
struct HbmFastParameters {
    std::uint32_t data_efficiency_percent = 0;  ///< of the pins, bank conflicts and the like
    std::uint32_t read_row_cycles = 0;          ///< pins idle per run of reads that opens rows
    std::uint32_t write_row_cycles = 0;
    std::uint32_t turnaround_percent = 0;  ///< of the pins' idle time around a drain that counts
};

/// Everything configs/hbm/chip.yaml says, the preset it names included: the HBM of a chip.
struct HbmConfig {
    HbmPreset preset;  ///< with the stack's size and the controller's queues of this file
    std::uint32_t stacks = 0;
    std::uint64_t base = 0;         ///< address of the first byte of stack 0
    std::uint64_t pitch_bytes = 0;  ///< from stack to stack
    std::string interleave;         ///< order of HbmAddressMap
    HbmHash hash = HbmHash::kNone;
    HbmModel model = HbmModel::kFast;
    HbmFastParameters fast;
    std::uint64_t window_ns = 0;   ///< of the bandwidth over time
    std::uint8_t poison_byte = 0;  ///< what is read of a burst with an uncorrectable error
    bool track_written = false;    ///< whether it is remembered which bytes were ever written
};

}  // namespace systole
