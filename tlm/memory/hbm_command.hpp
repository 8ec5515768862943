// SPDX-License-Identifier: Apache-2.0
// Commands of an HBM channel as its controller issues them, for whoever listens.
#pragma once

#include <systole/memory/hbm_ticks.hpp>

#include <cstdint>

namespace systole {

enum class HbmCommandKind : std::uint8_t {
    kActivate,
    kPrecharge,
    kPrechargeAll,
    kRead,
    kWrite,
    kRefreshAll,
    kRefreshBank,
};

/// "ACT", "PRE", "PREA", "RD", "WR", "REFAB", "REFPB".
const char* hbm_command_name(HbmCommandKind kind);

struct HbmCommand {
    HbmCommandKind kind = HbmCommandKind::kActivate;
    std::uint8_t pseudo_channel = 0;
    std::uint8_t bank = 0;  ///< (stack id * bank groups + bank group) * banks + bank; 0 for all-bank commands
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    HbmTime time = 0;
};

class HbmCommandObserver {
  public:
    virtual ~HbmCommandObserver() = default;
    virtual void issued(const HbmCommand& command) = 0;
};

}  // namespace systole
