// SPDX-License-Identifier: Apache-2.0
// The C ABI of systole_rtl.h on top of Engine. Nothing leaves a function here as an exception.
#include <algorithm>
#include <exception>
#include <new>
#include <string_view>

#include "engine.hpp"

struct systole_rtl {
    // Reading a register settles combinational paths of the model, which no caller can see.
    mutable systole::rtl_engine::Engine engine;
};

namespace {

template <typename Body>
int guarded(const systole_rtl* rtl, Body&& body) {
    try {
        return body(rtl->engine);
    } catch (const std::exception& error) {
        return rtl->engine.fail(error.what());
    }
}

}  // namespace

extern "C" {

void systole_rtl_get_info(systole_rtl_info* info) {
    using systole::rtl_engine::Engine;
    *info = systole_rtl_info{.abi_version = SYSTOLE_RTL_ABI_VERSION,
                             .rows = Engine::kRows,
                             .columns = Engine::kColumns,
                             .weight_lanes = Engine::kLanes,
                             .min_interval_cycles = SYSTOLE_RTL_MIN_INTERVAL,
                             .command_depth = SYSTOLE_RTL_COMMAND_DEPTH,
                             .stage_cycles = SYSTOLE_RTL_STAGE_CYCLES,
                             .name = {}};
    constexpr std::string_view kName = SYSTOLE_RTL_NAME;
    std::copy_n(kName.begin(), std::min(kName.size(), sizeof info->name - 1), info->name);
}

systole_rtl* systole_rtl_create(void) {
    try {
        return new systole_rtl;
    } catch (const std::exception&) {
        return nullptr;
    }
}

void systole_rtl_destroy(systole_rtl* rtl) { delete rtl; }

void systole_rtl_reset(systole_rtl* rtl) { rtl->engine.reset(); }

const char* systole_rtl_last_error(const systole_rtl* rtl) { return rtl->engine.last_error(); }

void systole_rtl_set_psum(systole_rtl* rtl, const systole_rtl_psum* psum) { rtl->engine.set_psum(*psum); }

int systole_rtl_push(systole_rtl* rtl, const systole_rtl_command* command, uint64_t offered) {
    return guarded(rtl, [&](auto& engine) { return engine.push(*command, offered); });
}

uint64_t systole_rtl_cycle(const systole_rtl* rtl) { return rtl->engine.cycle(); }

int systole_rtl_advance(systole_rtl* rtl, uint64_t cycle) {
    return guarded(rtl, [&](auto& engine) { return engine.advance(cycle); });
}

int systole_rtl_next_event(systole_rtl* rtl, systole_rtl_event* event) {
    return rtl->engine.next_event(*event) ? 1 : 0;
}

int systole_rtl_set_random_state(systole_rtl* rtl, uint32_t column, const uint32_t state[6]) {
    return guarded(rtl, [&](auto& engine) { return engine.set_random_state(column, state); });
}

int systole_rtl_get_random_state(const systole_rtl* rtl, uint32_t column, uint32_t state[6]) {
    return guarded(rtl, [&](auto& engine) { return engine.get_random_state(column, state); });
}

int systole_rtl_probe(const systole_rtl* rtl, uint32_t which, uint32_t row, uint32_t column,
                      uint32_t* value) {
    return guarded(rtl, [&](auto& engine) { return engine.probe(which, row, column, *value); });
}

int systole_rtl_inject(systole_rtl* rtl, uint64_t cycle, uint32_t which, uint32_t row, uint32_t column,
                       uint32_t bit) {
    return guarded(rtl, [&](auto& engine) { return engine.inject(cycle, which, row, column, bit); });
}

void systole_rtl_set_stalls(systole_rtl* rtl, uint64_t seed, uint32_t weight, uint32_t moving,
                            uint32_t result) {
    rtl->engine.set_stalls(seed, weight, moving, result);
}

int systole_rtl_wave_open(systole_rtl* rtl, const char* path, uint32_t column) {
    return guarded(rtl, [&](auto& engine) { return engine.wave_open(path, column); });
}

void systole_rtl_wave_close(systole_rtl* rtl) { rtl->engine.wave_close(); }

}  // extern "C"
