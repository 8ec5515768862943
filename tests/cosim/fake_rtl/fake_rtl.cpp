// SPDX-License-Identifier: Apache-2.0
// A tensor engine behind the C ABI of systole_rtl.h without any RTL: scalar arithmetic and the cycle model.
// It shows what a library of one's own has to do, and, built with a fault, how the co-simulation reports
// libraries that fail.
//
// FAKE_RTL_FAULT selects the fault, see the enumeration. No probes, injections, stalls or waveforms.
#include <systole/cosim/systole_rtl.h>
#include <systole/semantics/tensor_timing.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../reference_array.hpp"

namespace {

using systole::TensorCommand;
using systole::TensorOp;

enum Fault {
    kNone = 0,
    kWrongBits = 1,     // lowest bit of result (m, j) = (1, 2) flipped
    kLate = 2,          // multiplies complete three cycles late
    kHang = 3,          // multiplies never complete
    kOldAbi = 4,        // claims ABI version 0
    kWrongAddress = 5,  // writes moving column 1 outside PSUM
    kSkipsColumn = 6,   // does not write moving column 1
    kWrongRandom = 7,   // draws one random word too many in column 0
};
constexpr int kFault = FAKE_RTL_FAULT;

constexpr std::uint64_t kLateCycles = 3;
constexpr std::uint32_t kOutsidePsum = 0xFFFF'0000U;

const systole::TensorEngineParameters kParameters{.rows = 8,
                                                  .columns = 8,
                                                  .weight_lanes = 4,
                                                  .min_interval_cycles = 64,
                                                  .command_depth = 4,
                                                  .stage_cycles = 6,
                                                  .clock_hz = 1};

TensorCommand from_abi(const systole_rtl_command& in) {
    TensorCommand out;
    out.op = static_cast<TensorOp>(in.op);
    out.mode = static_cast<systole::TensorMode>(in.mode);
    out.stationary_dtype = static_cast<systole::DType>(in.stationary_dtype);
    out.moving_dtype = static_cast<systole::DType>(in.moving_dtype);
    out.psum_dtype = static_cast<systole::DType>(in.psum_dtype);
    out.accumulate = in.accumulate != 0;
    out.rounding = static_cast<systole::Rounding>(in.stochastic);
    out.tile = {in.row_start, in.row_tile, in.rows, in.column_start, in.column_tile, in.columns};
    out.operand = {reinterpret_cast<const std::byte*>(in.data), in.row_stride_bytes, in.scale,
                   in.scale_stride_bytes};
    out.n = in.n;
    out.psum_base_bytes = in.psum_base_bytes;
    out.psum_step_bytes = in.psum_step_bytes;
    out.tag = in.tag;
    return out;
}

}  // namespace

struct systole_rtl {
    // What happens in which cycle. A multimap keeps things of one cycle in the order in which they were
    // planned.
    struct Step {
        std::uint32_t kind = 0;
        TensorCommand command;
        std::vector<std::uint32_t> results;
    };

    systole::TensorTiming timing{kParameters};
    systole::test::ReferenceArray array{kParameters.rows, kParameters.columns};
    std::vector<systole::Xorwow> random = std::vector<systole::Xorwow>(kParameters.columns);
    systole_rtl_psum psum{};
    std::uint64_t cycle = 0;
    std::multimap<std::uint64_t, Step> plan;
    std::deque<systole_rtl_event> events;
    std::string error;

    int fail(std::string message) {
        error = std::move(message);
        return -1;
    }

    void write_results(const Step& step) {
        const TensorCommand& command = step.command;
        const std::uint32_t element_bytes = systole::dtype_bytes(command.psum_dtype);
        std::vector<std::uint32_t> words(kParameters.columns);
        for (std::uint32_t j = 0; j < command.n; ++j) {
            const std::uint32_t address = systole::test::psum_address(command, j);
            const std::uint32_t first = command.tile.column_start;
            if (command.accumulate)
                psum.read(psum.context, command.tag, j, address, element_bytes, first, command.tile.columns,
                          words.data());
            for (std::uint32_t m = 0; m < command.tile.columns; ++m) {
                const systole::PsumOptions options = systole::test::psum_options(command);
                const bool draws = systole::psum_uses_random(options);
                std::uint32_t& word = words[first + m];
                word = systole::reference_psum_update(options, word,
                                                      step.results[std::size_t{m} * command.n + j],
                                                      draws ? random[first + m].next() : 0);
                if (kFault == kWrongBits && m == 1 && j == 2) word ^= 1;
                if (kFault == kWrongRandom && draws && first + m == 0 && j == 0) random[0].next();
            }
            if (kFault == kSkipsColumn && j == 1) continue;
            psum.write(psum.context, command.tag, j,
                       kFault == kWrongAddress && j == 1 ? kOutsidePsum : address, element_bytes, first,
                       command.tile.columns, words.data());
        }
    }
};

extern "C" {

void systole_rtl_get_info(systole_rtl_info* info) {
    *info = systole_rtl_info{.abi_version = kFault == kOldAbi ? 0U : SYSTOLE_RTL_ABI_VERSION,
                             .rows = kParameters.rows,
                             .columns = kParameters.columns,
                             .weight_lanes = kParameters.weight_lanes,
                             .min_interval_cycles = kParameters.min_interval_cycles,
                             .command_depth = kParameters.command_depth,
                             .stage_cycles = kParameters.stage_cycles,
                             .name = "fake 8x8"};
}

systole_rtl* systole_rtl_create(void) {
    try {
        return new systole_rtl;
    } catch (const std::exception&) {
        return nullptr;
    }
}

void systole_rtl_destroy(systole_rtl* rtl) { delete rtl; }

void systole_rtl_reset(systole_rtl* rtl) {
    const systole_rtl_psum psum = rtl->psum;
    *rtl = systole_rtl{};
    rtl->psum = psum;
}

const char* systole_rtl_last_error(const systole_rtl* rtl) { return rtl->error.c_str(); }

void systole_rtl_set_psum(systole_rtl* rtl, const systole_rtl_psum* psum) { rtl->psum = *psum; }

int systole_rtl_push(systole_rtl* rtl, const systole_rtl_command* command, uint64_t offered) {
    if (offered < rtl->cycle) return rtl->fail("command offered in the past");
    try {
        systole_rtl::Step step{SYSTOLE_RTL_COMPLETED, from_abi(*command), {}};
        systole::TensorTimes times = rtl->timing.submit(step.command, offered);
        rtl->plan.emplace(times.accepted, systole_rtl::Step{SYSTOLE_RTL_ACCEPTED, step.command, {}});
        rtl->plan.emplace(times.dispatched, systole_rtl::Step{SYSTOLE_RTL_DISPATCHED, step.command, {}});
        if (step.command.op == TensorOp::kLoadWeights) {
            rtl->array.load(step.command);
        } else {
            if (kFault == kHang) return 0;
            if (kFault == kLate) times.completed += kLateCycles;
            step.results = rtl->array.multiply(step.command);
        }
        rtl->plan.emplace(times.completed, std::move(step));
        return 0;
    } catch (const std::exception& error) {
        return rtl->fail(error.what());
    }
}

uint64_t systole_rtl_cycle(const systole_rtl* rtl) { return rtl->cycle; }

int systole_rtl_advance(systole_rtl* rtl, uint64_t cycle) {
    if (cycle < rtl->cycle) return rtl->fail("advance into the past");
    try {
        while (!rtl->plan.empty() && rtl->plan.begin()->first <= cycle) {
            const auto node = rtl->plan.extract(rtl->plan.begin());
            const systole_rtl::Step& step = node.mapped();
            if (step.kind == SYSTOLE_RTL_COMPLETED && step.command.op == TensorOp::kMultiply)
                rtl->write_results(step);
            rtl->events.push_back({step.command.tag, node.key(), step.kind});
        }
        rtl->cycle = cycle;
        return 0;
    } catch (const std::exception& error) {
        return rtl->fail(error.what());
    }
}

int systole_rtl_next_event(systole_rtl* rtl, systole_rtl_event* event) {
    if (rtl->events.empty()) return 0;
    *event = rtl->events.front();
    rtl->events.pop_front();
    return 1;
}

int systole_rtl_set_random_state(systole_rtl* rtl, uint32_t column, const uint32_t state[6]) {
    if (column >= kParameters.columns) return rtl->fail("no such column");
    systole::Xorwow::State words;
    std::copy_n(state, words.size(), words.begin());
    rtl->random[column] = systole::Xorwow(words);
    return 0;
}

int systole_rtl_get_random_state(const systole_rtl* rtl, uint32_t column, uint32_t state[6]) {
    if (column >= kParameters.columns) return -1;
    const auto& words = rtl->random[column].state();
    std::copy(words.begin(), words.end(), state);
    return 0;
}

int systole_rtl_probe(const systole_rtl* /*rtl*/, uint32_t /*which*/, uint32_t /*row*/, uint32_t /*column*/,
                      uint32_t* /*value*/) {
    return -1;
}

int systole_rtl_inject(systole_rtl* rtl, uint64_t /*cycle*/, uint32_t /*which*/, uint32_t /*row*/,
                       uint32_t /*column*/, uint32_t /*bit*/) {
    return rtl->fail("this engine has no registers to disturb");
}

void systole_rtl_set_stalls(systole_rtl* /*rtl*/, uint64_t /*seed*/, uint32_t /*weight*/, uint32_t /*moving*/,
                            uint32_t /*result*/) {}

int systole_rtl_wave_open(systole_rtl* rtl, const char* /*path*/, uint32_t /*column*/) {
    return rtl->fail("this engine has no waveforms");
}

#ifndef FAKE_RTL_WITHOUT_WAVE_CLOSE
void systole_rtl_wave_close(systole_rtl* /*rtl*/) {}
#endif

}  // extern "C"
