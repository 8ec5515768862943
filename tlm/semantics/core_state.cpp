// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/core_state.hpp>

namespace systole {

void EngineState::reset() {
    registers = {};
    accumulator = {};
    accumulator_state = {};
    for (std::uint32_t lane = 0; lane < kLanes; ++lane)
        for (std::uint32_t index = 0; index < random[lane].size(); ++index)
            random[lane][index] = Xorwow::from_seed(0, lane, index);
    seed_rounding(0);
    fp8_saturate = false;
    mx_rule_ocp = false;
}

void EngineState::seed_rounding(std::uint32_t seed) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane)
        rounding_random[lane] = Xorwow::from_seed(seed, kLanes + lane);
    transfer_random = Xorwow::from_seed(seed, 2 * kLanes);
}

}  // namespace systole
