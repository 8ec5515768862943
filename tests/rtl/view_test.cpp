// SPDX-License-Identifier: Apache-2.0
// array_structural equals array_flat: random commands with special values, wait states and bit flips; all
// ports in every cycle, and every debug-visible register of every PE in a sweep of the debug port within each
// cycle. Exit code 0 when equal, 1 at the first difference. SYSTOLE_FULL=1 runs twenty times as many cycles.
#include VIEW_BENCH_HEADER

#include <systole/base/random.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <type_traits>

namespace {

using Bench = VIEW_BENCH;
constexpr std::uint32_t kRows = std::extent_v<std::remove_reference_t<decltype(Bench::moving_i)>>;
constexpr std::uint32_t kColumns = VIEW_COLUMNS;
constexpr std::uint32_t kGroups = (kRows + 7) / 8;
constexpr std::uint32_t kRegisters = 5;

systole::SplitMix64 random_bits(2026);

std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_bits() % bound); }

// Raw bits with a liking for zeros, infinities, NaN and large exponents in every format.
std::uint32_t raw_bits() {
    static constexpr std::uint32_t kCorners[] = {0x00000000, 0x80008080, 0x7F807C7C, 0xFF80FCFC, 0x7FC07F7F,
                                                 0x3F803C3C, 0x00010001, 0x7F7F7B7B, 0x80000080, 0x00800400};
    switch (below(8)) {
        case 0:
            return kCorners[below(std::size(kCorners))];
        case 1:
            return kCorners[below(std::size(kCorners))] ^ (1U << below(32));
        default:
            return static_cast<std::uint32_t>(random_bits());
    }
}

std::uint8_t scale() { return static_cast<std::uint8_t>(below(6) == 0 ? below(256) : 120 + below(16)); }

struct Pair {
    std::uint8_t mode, stationary, moving;
};
constexpr Pair kPairs[] = {{0, 14, 14}, {0, 14, 15}, {0, 15, 15}, {0, 16, 16}, {0, 17, 17},
                           {0, 17, 16}, {0, 10, 11}, {0, 9, 12},  {0, 12, 14}, {1, 10, 10},
                           {1, 11, 12}, {1, 9, 11},  {2, 19, 19}, {2, 18, 18}, {2, 20, 20},
                           {2, 19, 18}, {2, 20, 18}, {3, 14, 14}, {3, 10, 10}, {3, 17, 17}};

class Driver {
  public:
    explicit Driver(Bench& bench) : bench_(bench) {}

    void reset() {
        bench_.rst_ni = 0;
        bench_.result_ready_i = 1;
        for (int i = 0; i < 2; ++i) edge();
        bench_.rst_ni = 1;
    }

    // Inputs of the next cycle. Valid inputs stay until taken.
    void drive() {
        if (!bench_.command_valid_i && below(3) != 0) command();
        if (!bench_.weight_valid_i && below(stall_) != 0) {
            bench_.weight_valid_i = 1;
            for (auto& row : words(bench_.weight_i, kRows * 4)) row = raw_bits() & mask_;
            for (std::uint32_t i = 0; i < kGroups * 4; ++i) (&bench_.weight_scale_i[0][0])[i] = scale();
        }
        if (!bench_.moving_valid_i && below(stall_) != 0) {
            bench_.moving_valid_i = 1;
            for (std::uint32_t i = 0; i < kRows; ++i) bench_.moving_i[i] = raw_bits() & mask_;
            for (std::uint32_t i = 0; i < kGroups; ++i) bench_.moving_scale_i[i] = scale();
        }
        bench_.result_ready_i = below(stall_) != 0;
        bench_.debug_flip_i = flips_ && below(40) == 0;
        bench_.debug_register_i = static_cast<std::uint8_t>(below(kRegisters));
        bench_.debug_row_i = static_cast<std::uint16_t>(below(kRows));
        bench_.debug_column_i = static_cast<std::uint16_t>(below(kColumns));
        bench_.debug_bit_i = static_cast<std::uint8_t>(below(32));
        bench_.random_load_i = below(50) == 0;
        bench_.random_column_i = bench_.debug_column_i;
        for (std::uint32_t i = 0; i < 6; ++i)
            bench_.random_state_i[i] = static_cast<std::uint32_t>(random_bits());
        bench_.clk_i = 0;
        bench_.eval();
        command_taken_ = bench_.command_valid_i && bench_.command_ready_o;
        weight_taken_ = bench_.weight_valid_i && bench_.weight_ready_o;
        moving_taken_ = bench_.moving_valid_i && bench_.moving_ready_o;
    }

    void edge() {
        bench_.clk_i = 1;
        bench_.eval();
        bench_.clk_i = 0;
        if (command_taken_) bench_.command_valid_i = 0;
        if (weight_taken_) bench_.weight_valid_i = 0;
        if (moving_taken_) bench_.moving_valid_i = 0;
        command_taken_ = weight_taken_ = moving_taken_ = false;
        bench_.debug_flip_i = 0;
        bench_.random_load_i = 0;
    }

    // Kind of traffic for a while: how often ports wait, whether bits flip, whether data are plain numbers.
    void new_phase() {
        stall_ = below(2) == 0 ? 1000 : 2 + below(6);
        flips_ = below(2) == 0;
        mask_ = below(3) == 0 ? 0xBF3FB7B7U : ~0U;
        pair_ = kPairs[below(std::size(kPairs))];
        mixed_ = below(3) == 0;
    }

  private:
    template <typename Array>
    struct Words {
        std::uint32_t* first;
        std::uint32_t count;
        std::uint32_t* begin() { return first; }
        std::uint32_t* end() { return first + count; }
    };
    template <typename Array>
    static Words<Array> words(Array& array, std::uint32_t count) {
        return {reinterpret_cast<std::uint32_t*>(&array[0]), count};
    }

    void command() {
        const Pair pair = mixed_ ? kPairs[below(std::size(kPairs))] : pair_;
        const auto tile = [](std::uint32_t size, std::uint16_t& start, std::uint16_t& length,
                             std::uint16_t& used) {
            length = static_cast<std::uint16_t>(size >> (below(2) == 0 ? 0 : below(3)));
            start = static_cast<std::uint16_t>(below(size / length) * length);
            used = static_cast<std::uint16_t>(below(2) == 0 ? length : 1 + below(length));
        };
        bench_.command_valid_i = 1;
        bench_.command_tag_i = ++tag_;
        bench_.command_op_i = below(2) != 0;
        bench_.command_mode_i = pair.mode;
        bench_.command_stationary_i = pair.stationary;
        bench_.command_moving_i = pair.moving;
        bench_.command_psum_i = below(2) == 0 ? 17 : 14;
        bench_.command_accumulate_i = below(2) != 0;
        bench_.command_stochastic_i = below(2) != 0;
        tile(kRows, bench_.command_row_start_i, bench_.command_row_tile_i, bench_.command_rows_i);
        tile(kColumns, bench_.command_column_start_i, bench_.command_column_tile_i, bench_.command_columns_i);
        bench_.command_n_i = below(4) == 0 ? 1 : 1 + below(3 * kColumns);
        bench_.command_psum_base_i = 4 * below(64);
        bench_.command_psum_step_i = 4 * below(2);
    }

    Bench& bench_;
    std::uint64_t tag_ = 0;
    std::uint32_t stall_ = 4;
    std::uint32_t mask_ = ~0U;
    bool flips_ = false;
    bool mixed_ = true;
    Pair pair_ = kPairs[0];
    bool command_taken_ = false;
    bool weight_taken_ = false;
    bool moving_taken_ = false;
};

// Every register of every PE; returns whether all are the same.
bool sweep(Bench& bench, std::uint64_t cycle) {
    for (std::uint32_t which = 0; which < kRegisters; ++which)
        for (std::uint32_t row = 0; row < kRows; ++row)
            for (std::uint32_t column = 0; column < kColumns; ++column) {
                bench.debug_register_i = static_cast<std::uint8_t>(which);
                bench.debug_row_i = static_cast<std::uint16_t>(row);
                bench.debug_column_i = static_cast<std::uint16_t>(column);
                bench.eval();
                if (bench.same_o) continue;
                std::printf("cycle %llu, register %u of PE (%u, %u) or a port: structural %08x, flat %08x\n",
                            static_cast<unsigned long long>(cycle), which, row, column,
                            bench.structural_value_o, bench.flat_value_o);
                return false;
            }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const char* full = std::getenv("SYSTOLE_FULL");
    const std::uint64_t factor = full != nullptr && std::string_view(full) == "1" ? 20 : 1;
    const std::uint64_t cycles = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000) * factor;
    VerilatedContext context;
    Bench bench(&context);
    Driver driver(bench);
    driver.reset();
    std::uint64_t results = 0;
    for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
        if (cycle % 500 == 0) driver.new_phase();
        driver.drive();
        results += bench.result_valid_o && bench.result_ready_i;
        driver.edge();
        if (!sweep(bench, cycle)) return 1;
    }
    std::printf("%ux%u: %llu cycles, %llu result columns, all registers and ports equal\n", kRows, kColumns,
                static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(results));
    // A bench that produced nothing has proven nothing.
    return results == 0 ? 1 : 0;
}
