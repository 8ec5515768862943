// SPDX-License-Identifier: Apache-2.0
// TimingBackend: the tensor engine without arithmetic. Times are those of ModelBackend, command by command;
// operands are not looked at and PSUM is not touched (architecture.md 3, `data: off`).
#pragma once

#include <systole/semantics/tensor_backend.hpp>

#include <deque>
#include <vector>

namespace systole {

class TimingBackend final : public TensorBackend {
  public:
    explicit TimingBackend(const TensorEngineParameters& parameters);

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return parameters_; }
    [[nodiscard]] bool uses_data() const override { return false; }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override;
    TensorTimes complete(std::uint64_t tag) override;
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override;
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override;
    void reset() override;

  private:
    struct InFlight {
        std::uint64_t tag = 0;
        TensorTimes times;
    };

    TensorEngineParameters parameters_;
    TensorTiming timing_;
    std::deque<InFlight> in_flight_;  // in order of submission
    std::vector<Xorwow> random_;      // as programs set them
};

}  // namespace systole
