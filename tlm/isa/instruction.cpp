// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/instruction.hpp>

namespace systole {

Operand operand_of_addr32(std::uint32_t addr32) {
    Operand operand;
    operand.present = true;
    operand.dtype = static_cast<DType>(addr32 >> 27);
    operand.pattern.address = addr32 & 0x07FFFFFFU;
    return operand;
}

std::uint32_t addr32_of(const Operand& operand) {
    return (operand.pattern.address & 0x07FFFFFFU) | static_cast<std::uint32_t>(operand.dtype) << 27;
}

}  // namespace systole
