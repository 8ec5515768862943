// SPDX-License-Identifier: Apache-2.0
// The element-wise and reducing instructions once more, one element at a time on single numbers: the opponent
// of execute() in its differential test. Shares no code with it beyond the scalar conversions of
// tlm/numerics, which have an oracle of their own.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

#include <cstddef>
#include <vector>

namespace systole {

/// Executes on the memory in place.
class ReferenceLane {
  public:
    ReferenceLane(std::vector<std::byte>& sbuf, std::size_t sbuf_bytes, std::vector<std::byte>& psum,
                  std::size_t psum_bytes, EngineState& state)
        : sbuf_(sbuf), sbuf_bytes_(sbuf_bytes), psum_(psum), psum_bytes_(psum_bytes), state_(state) {}

    void run(const Instruction& i);

  private:
    [[nodiscard]] std::size_t place(const Operand& o, std::uint32_t p, std::uint64_t index) const;
    [[nodiscard]] std::uint32_t bits(const Operand& o, std::uint32_t p, std::uint64_t index) const;
    [[nodiscard]] float number(const Operand& o, std::uint32_t p, std::uint64_t index) const;
    [[nodiscard]] float slot(const Instruction& i, Field kind, Field value, std::uint32_t p) const;
    [[nodiscard]] std::uint32_t slot_bits(const Instruction& i, Field kind, Field value,
                                          std::uint32_t p) const;
    void accumulate(const Instruction& i, AluOp op, std::uint32_t p, const std::vector<float>& y,
                    float loaded);
    std::uint32_t encoded(const Instruction& i, std::uint32_t p, float value);
    std::vector<std::uint32_t> row(const Instruction& i, std::uint32_t p);

    std::vector<std::byte>& sbuf_;
    std::size_t sbuf_bytes_;
    std::vector<std::byte>& psum_;
    std::size_t psum_bytes_;
    EngineState& state_;
};

}  // namespace systole
