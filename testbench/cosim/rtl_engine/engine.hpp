// SPDX-License-Identifier: Apache-2.0
// Engine: the Verilated tensor engine with everything around its ports: command queue, operand feeders, PSUM
// service, events, wait states, bit flips, waveform.
//
// Time: cycle() is c when the clock edge that ends cycle c - 1 is done and the outputs of cycle c have been
// served (results written, completions reported). A step then offers a command in cycle c and gives the edge
// that ends it. No call allocates per cycle. Stretches in which nothing is under way and the RTL has run dry
// are not evaluated; they count all the same, as such cycles change no register. The Verilated class is
// chosen by SYSTOLE_RTL_MODEL and SYSTOLE_RTL_MODEL_HEADER, one library per model.
#pragma once

#include <systole/cosim/systole_rtl.h>
#include <systole/base/random.hpp>

#include <verilated.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "operand_feeder.hpp"
#include SYSTOLE_RTL_MODEL_HEADER

#ifdef SYSTOLE_RTL_WAVES
#include <verilated_fst_c.h>
#endif

namespace systole::rtl_engine {

class Engine {
  public:
    using Model = SYSTOLE_RTL_MODEL;

    static constexpr std::uint32_t kRows = std::extent_v<std::remove_reference_t<decltype(Model::moving_i)>>;
    static constexpr std::uint32_t kColumns =
        std::extent_v<std::remove_reference_t<decltype(Model::result_data_o)>>;
    static constexpr std::uint32_t kLanes =
        std::extent_v<std::remove_reference_t<decltype(Model::weight_i)>, 1>;

    Engine();
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void reset();
    void set_psum(const systole_rtl_psum& psum) { psum_ = psum; }
    int push(const systole_rtl_command& command, std::uint64_t offered);
    [[nodiscard]] std::uint64_t cycle() const { return cycle_; }
    int advance(std::uint64_t target);
    bool next_event(systole_rtl_event& event);
    int set_random_state(std::uint32_t column, const std::uint32_t* state);
    int get_random_state(std::uint32_t column, std::uint32_t* state);
    int probe(std::uint32_t which, std::uint32_t row, std::uint32_t column, std::uint32_t& value);
    int inject(const std::uint64_t cycle, std::uint32_t which, std::uint32_t row, std::uint32_t column,
               std::uint32_t bit);
    void set_stalls(std::uint64_t seed, std::uint32_t weight, std::uint32_t moving, std::uint32_t result);
    int wave_open(const char* path, std::uint32_t column);
    void wave_close();

    int fail(std::string message);
    [[nodiscard]] const char* last_error() const { return error_.c_str(); }

  private:
    struct Waiting {
        systole_rtl_command command;
        std::uint64_t offered;
    };
    struct Flip {
        std::uint64_t cycle;
        std::uint32_t which, row, column, bit;
    };
    struct RandomLoad {
        std::uint32_t column;
        std::array<std::uint32_t, 6> state;
    };
    // A PSUM read of the RTL, answered after the edge of its cycle.
    struct ReadRequest {
        bool valid = false;
        std::uint64_t tag;
        std::uint32_t j, address_bytes, element_bytes, column_start, columns;
    };

    [[nodiscard]] bool check(const systole_rtl_command& command);
    void step();
    void serve_outputs();
    void serve_result();
    void serve_weights();
    void serve_moving();
    void offer_command();
    void apply_flip();
    void apply_random_load();
    [[nodiscard]] std::uint64_t next_busy_cycle() const;
    [[nodiscard]] bool waits(std::uint32_t probability) {
        return probability != 0 && (stalls_() & 0xFFFFU) < probability;
    }
    void event(std::uint64_t tag, std::uint32_t kind);
    void dump(std::uint64_t time);

    VerilatedContext context_;
    Model model_;
    systole_rtl_psum psum_{};
    std::uint64_t cycle_ = 0;
    std::uint64_t last_activity_ = 0;

    std::deque<Waiting> waiting_;     // pushed, not yet accepted
    std::deque<Operand> loads_;       // accepted, beats still to come
    std::deque<Operand> multiplies_;  // accepted, moving columns still to come
    std::uint64_t loads_in_flight_ = 0;
    std::uint64_t multiplies_in_flight_ = 0;
    bool command_at_port_ = false;
    bool beat_at_port_ = false;
    bool column_at_port_ = false;
    bool beat_transfer_ = false;
    bool column_transfer_ = false;
    ReadRequest read_;
    std::deque<systole_rtl_event> events_;

    std::deque<Flip> flips_;  // by cycle
    std::deque<RandomLoad> random_loads_;
    SplitMix64 stalls_{0};
    std::uint32_t weight_stall_ = 0;
    std::uint32_t moving_stall_ = 0;
    std::uint32_t result_stall_ = 0;
    std::string error_;
    bool broken_ = false;  // the RTL left its protocol; nothing after that means anything
#ifdef SYSTOLE_RTL_WAVES
    std::unique_ptr<VerilatedFstC> wave_;
#endif
};

}  // namespace systole::rtl_engine
