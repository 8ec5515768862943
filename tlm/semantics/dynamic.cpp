// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/dynamic.hpp>

#include <array>

namespace systole {
namespace {

constexpr std::uint32_t kDynKind = 2;
constexpr std::uint32_t kValid = 0x80;
constexpr std::uint32_t kRegisterMask = 0x3F;
constexpr std::uint32_t kSelectSource = 1;
constexpr std::uint32_t kSelectDestination = 3;

bool is_dma(const Instruction& instruction) {
    return instruction.opcode() >= Opcode::kDmaCopy && instruction.opcode() <= Opcode::kDmaCompute;
}

class Resolver {
  public:
    Resolver(const CoreRegisters& registers, Instruction& instruction)
        : registers_(registers), instruction_(instruction) {}

    [[nodiscard]] const Fault& fault() const { return fault_; }

    void selected() {
        const std::uint32_t select = instruction_[Field::kDynSel];
        if (select == 0) return;
        const std::uint32_t value = registers_[instruction_[Field::kDynReg] & kRegisterMask];
        if (!is_dma(instruction_)) {
            operand_offset(static_cast<OperandName>(select - 1), value);
        } else if (select == kSelectSource) {
            dma_offset(Field::kSrcLo, Field::kSrcHi, value);
        } else if (select == kSelectDestination) {
            dma_offset(Field::kDstLo, Field::kDstHi, value);
        } else {
            fail(Exception::kIllegalEncoding, "a DMA's dynamic offset belongs to source or destination");
        }
        instruction_.set(Field::kDynSel, 0);
        instruction_.set(Field::kDynReg, 0);
    }

    void extension() {
        if (!instruction_.has_ext(kDynKind)) return;
        constexpr std::array kOffsets{Field::kDyoA, Field::kDyoB, Field::kDyoC};
        constexpr std::array kCounts{Field::kDycA, Field::kDycB, Field::kDycC};
        for (std::size_t n = 0; n < kOffsets.size(); ++n) {
            const auto name = static_cast<OperandName>(n);
            if (const auto* value = named(kOffsets[n])) operand_offset(name, *value);
            if (const auto* value = named(kCounts[n])) operand_count(name, *value);
        }
        if (const auto* value = named(Field::kDyoS0)) {
            Operand slot = operand_of_addr32(instruction_[Field::kS0]);
            add_offset(slot, *value);
            instruction_.set(Field::kS0, addr32_of(slot));
        }
        if (const auto* value = named(Field::kDycNp)) {
            if (*value < 1 || *value > kLanes)
                return fail(Exception::kIllegalEncoding, "a dynamic np is 1 to 128");
            instruction_.set(Field::kNpartM1, *value - 1);
        }
        if (const auto* value = named(Field::kDydSrc)) dma_offset(Field::kSrcLo, Field::kSrcHi, *value);
        if (const auto* value = named(Field::kDydDst)) dma_offset(Field::kDstLo, Field::kDstHi, *value);
        if (const auto* value = named(Field::kDydSn1)) dma_count(Field::kSN1, *value);
        if (const auto* value = named(Field::kDydDn1)) dma_count(Field::kDN1, *value);
        instruction_.ext = static_cast<std::uint8_t>(instruction_.ext & ~(1U << kDynKind));
    }

  private:
    void fail(Exception code, const char* rule) {
        if (!fault_) fault_ = {code, rule};
    }

    [[nodiscard]] const std::uint32_t* named(Field field) const {
        const std::uint32_t byte = instruction_[field];
        return (byte & kValid) != 0 ? &registers_[byte & kRegisterMask] : nullptr;
    }

    void add_offset(Operand& operand, std::uint32_t value) {
        const std::int64_t byte = std::int64_t{operand.byte()} + static_cast<std::int32_t>(value);
        if (byte < 0 || byte >= kPartitionPitch)
            return fail(Exception::kApOob, "a dynamic offset stays inside the partition");
        operand.pattern.address += value;
    }

    void operand_offset(OperandName name, std::uint32_t value) {
        add_offset(instruction_.operand(name), value);
    }

    void operand_count(OperandName name, std::uint32_t value) {
        if (value < 1 || value > 0xFFFF)
            return fail(Exception::kIllegalEncoding, "a dynamic count is 1 to 65535");
        instruction_.operand(name).pattern.dims[0].count = static_cast<std::uint16_t>(value);
    }

    void dma_offset(Field low, Field high, std::uint32_t value) {
        const std::uint64_t address = std::uint64_t{instruction_[high]} << 32 | instruction_[low];
        const auto offset = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(value)});
        instruction_.set(low, static_cast<std::uint32_t>(address + offset));
        instruction_.set(high, static_cast<std::uint32_t>((address + offset) >> 32));
    }

    void dma_count(Field field, std::uint32_t value) {
        if (value < 1 || value > 0xFFFF)
            return fail(Exception::kIllegalEncoding, "a dynamic count is 1 to 65535");
        instruction_.set(field, value);
    }

    const CoreRegisters& registers_;
    Instruction& instruction_;
    Fault fault_;
};

}  // namespace

bool has_dynamic(const Instruction& instruction) {
    return instruction[Field::kDynSel] != 0 || instruction.has_ext(kDynKind);
}

Fault resolve_dynamic(const Instruction& instruction, const CoreRegisters& registers, Instruction& resolved) {
    resolved = instruction;
    Resolver resolver(registers, resolved);
    resolver.selected();
    resolver.extension();
    return resolver.fault();
}

}  // namespace systole
