// SPDX-License-Identifier: Apache-2.0
// The tensor engine as a plain scalar machine for tests: weights are taken at once, in program order, and
// products come from the scalar reference. No timing.
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/semantics/tensor_backend.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

namespace systole::test {

inline std::uint32_t psum_address(const TensorCommand& command, std::uint32_t j) {
    return command.psum_base_bytes + j * static_cast<std::uint32_t>(command.psum_step_bytes);
}

inline PsumOptions psum_options(const TensorCommand& command) {
    return {.dtype = command.psum_dtype, .accumulate = command.accumulate, .rounding = command.rounding};
}

/// Weights of an array and what multiplies make of them.
class ReferenceArray {
  public:
    ReferenceArray(std::uint32_t rows, std::uint32_t columns) : columns_(columns), weights_(rows * columns) {}

    void load(const TensorCommand& command) {
        const std::size_t bytes = dtype_bytes(command.stationary_dtype);
        const PeTile& tile = command.tile;
        for (std::uint32_t k = 0; k < tile.row_tile; ++k)
            for (std::uint32_t m = 0; m < tile.columns; ++m) {
                Weight& weight = weights_[(tile.row_start + k) * columns_ + tile.column_start + m];
                weight = Weight{};
                if (k >= tile.rows) continue;
                for (std::size_t half = 0; half < halves(command.mode); ++half)
                    std::memcpy(&weight.bits.at(half),
                                command.operand.data + k * command.operand.row_stride_bytes +
                                    (half * tile.columns + m) * bytes,
                                bytes);
                if (command.mode == TensorMode::kMx)
                    weight.scale = command.operand.scale[k / 8 * command.operand.scale_stride_bytes + m];
            }
    }

    /// Results before PSUM; (m, j) at m * n + j.
    [[nodiscard]] std::vector<std::uint32_t> multiply(const TensorCommand& command) const {
        const std::size_t bytes = dtype_bytes(command.stationary_dtype);
        const PeTile& tile = command.tile;
        const std::size_t row_bytes = tile.columns * halves(command.mode) * bytes;
        std::vector<std::byte> data(row_bytes * tile.rows);
        std::vector<std::uint8_t> scale(std::size_t{tile.rows + 7U} / 8 * tile.columns);
        for (std::uint32_t k = 0; k < tile.rows; ++k)
            for (std::uint32_t m = 0; m < tile.columns; ++m) {
                const Weight& weight = weights_[(tile.row_start + k) * columns_ + tile.column_start + m];
                for (std::size_t half = 0; half < halves(command.mode); ++half)
                    std::memcpy(data.data() + k * row_bytes + (half * tile.columns + m) * bytes,
                                &weight.bits.at(half), bytes);
                scale[std::size_t{k} / 8 * tile.columns + m] = weight.scale;
            }
        const TensorProduct product{.mode = command.mode,
                                    .stationary_dtype = command.stationary_dtype,
                                    .moving_dtype = command.moving_dtype,
                                    .rows = tile.rows,
                                    .row_tile = tile.row_tile,
                                    .columns = tile.columns,
                                    .n = command.n,
                                    .stationary = {.data = data.data(),
                                                   .row_stride_bytes = row_bytes,
                                                   .scale = scale.data(),
                                                   .scale_stride_bytes = tile.columns},
                                    .moving = command.operand};
        std::vector<std::uint32_t> results(std::size_t{tile.columns} * command.n);
        reference_multiply(product, results.data(), command.n);
        return results;
    }

  private:
    struct Weight {
        std::array<std::uint32_t, 2> bits{};
        std::uint8_t scale = 127;
    };
    static std::size_t halves(TensorMode mode) { return mode == TensorMode::kDoubleRow ? 2 : 1; }

    std::uint32_t columns_;
    std::vector<Weight> weights_;
};

/// The scalar machine as a backend: TensorTiming and ReferenceArray.
class ReferenceBackend final : public TensorBackend {
  public:
    ReferenceBackend(const TensorEngineParameters& parameters, const PsumView& psum)
        : parameters_(parameters),
          psum_(psum),
          timing_(parameters),
          array_(parameters.rows, parameters.columns),
          random_(parameters.columns) {}

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return parameters_; }

    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override {
        Pending pending{command, timing_.submit(command, offered), {}};
        if (command.op == TensorOp::kLoadWeights)
            array_.load(command);
        else
            pending.results = array_.multiply(command);
        const TensorTimes times = pending.times;
        pending_.emplace(command.tag, std::move(pending));
        return times;
    }

    TensorTimes complete(std::uint64_t tag) override {
        auto node = pending_.extract(tag);
        const Pending& done = node.mapped();
        const TensorCommand& command = done.command;
        if (command.op == TensorOp::kMultiply)
            for (std::uint32_t m = 0; m < command.tile.columns; ++m) {
                const std::uint32_t partition = command.tile.column_start + m;
                reference_psum_update_row(
                    psum_options(command),
                    std::span(done.results).subspan(std::size_t{m} * command.n, command.n),
                    psum_.base + partition * psum_.partition_stride_bytes + command.psum_base_bytes,
                    command.psum_step_bytes, random_[partition]);
            }
        return done.times;
    }

    void set_random_state(std::uint32_t column, const Xorwow::State& state) override {
        random_.at(column) = Xorwow(state);
    }
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override {
        return random_.at(column).state();
    }
    void reset() override {
        timing_.reset();
        array_ = ReferenceArray(parameters_.rows, parameters_.columns);
        pending_.clear();
    }

  private:
    struct Pending {
        TensorCommand command;
        TensorTimes times;
        std::vector<std::uint32_t> results;
    };

    TensorEngineParameters parameters_;
    PsumView psum_;
    TensorTiming timing_;
    ReferenceArray array_;
    std::vector<Xorwow> random_;
    std::map<std::uint64_t, Pending> pending_;
};

}  // namespace systole::test
