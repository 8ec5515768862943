// SPDX-License-Identifier: Apache-2.0
// ModelBackend: the tensor engine as software. Times come from TensorTiming, results from the tile
// multiplication of tlm/numerics.
//
// Guarantees: the weights of a multiply are those of all loads submitted before it and of none after it; its
// operand is read in submit(), PSUM is read and written in complete(), and nowhere else. So results do not
// depend on when complete() is called. No allocation once the working set has been seen. Limits: a multiply's
// mode and stationary type are those its weights were loaded with (raw bits are reinterpreted otherwise). One
// thread.
#pragma once

#include <systole/numerics/tile_matmul.hpp>
#include <systole/semantics/tensor_backend.hpp>
#include <systole/semantics/weight_array.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace systole {

class ModelBackend final : public TensorBackend {
  public:
    /// `psum` outlives the backend; it has at least one partition per column of the array.
    ModelBackend(const TensorEngineParameters& parameters, const PsumView& psum,
                 SimdLevel level = default_simd_level());

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return parameters_; }
    [[nodiscard]] bool takes_operands() const override { return true; }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override;
    TensorTimes complete(std::uint64_t tag) override;
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override;
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override;
    void reset() override;

    /// Which arithmetic paths the multiplications took.
    [[nodiscard]] const TileScratch& scratch() const { return scratch_; }

  private:
    // Weights of one tile, ready to multiply. While `current`, they are what the array holds.
    struct Packed {
        explicit Packed(SimdLevel level) : weights(level) {}
        StationaryTile weights;
        PeTile place;
        std::uint32_t users = 0;  // multiplies in flight
        bool current = false;
        std::uint64_t last_use = 0;
    };
    struct InFlight {
        TensorCommand command;
        TensorTimes times;
        Packed* packed = nullptr;      // multiplies only
        MovingTile* moving = nullptr;  // multiplies only
    };

    void check(const TensorCommand& command) const;
    void load(const TensorCommand& command);
    Packed& weights_of(const TensorCommand& command);
    Packed& take_free();
    MovingTile& take_moving();
    void multiply(const InFlight& entry);

    TensorEngineParameters parameters_;
    PsumView psum_;
    SimdLevel level_;
    TensorTiming timing_;
    WeightArray array_;
    std::vector<std::unique_ptr<Packed>> packed_;
    std::uint64_t uses_ = 0;
    std::vector<std::unique_ptr<MovingTile>> moving_tiles_;  // all there are, in flight or free
    std::vector<MovingTile*> free_moving_tiles_;
    std::vector<InFlight> in_flight_;  // in order of submission
    std::vector<Xorwow> random_;
    TileScratch scratch_;
};

}  // namespace systole
