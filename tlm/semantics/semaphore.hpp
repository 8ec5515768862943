// SPDX-License-Identifier: Apache-2.0
// Semaphores as instructions name them: updates and waits (isa.md 5, 7.3), and where updates go.
#pragma once

#include <array>
#include <cstdint>

namespace systole {

/// Update operations (isa.md 7.3, upd_op).
enum class SemaphoreOp : std::uint8_t {
    kNone = 0,
    kIncrement = 1,
    kDecrement = 2,
    kAdd = 3,
    kSubtract = 4,
    kWrite = 5,
    kEventSet = 6,
    kEventClear = 7,
};

struct SemaphoreUpdate {
    SemaphoreOp op = SemaphoreOp::kNone;
    std::uint8_t semaphore = 0;
    std::uint32_t value = 0;   ///< operand of add, subtract and write
    std::uint64_t source = 0;  ///< who updates, for observers: IssuedInstruction::id
};

/// Condition of a wait (isa.md 7.3, w0_cond) with register values filled in.
struct SemaphoreWait {
    enum class Condition : std::uint8_t { kNone = 0, kAtLeast = 1, kEqual = 2 };
    Condition condition = Condition::kNone;
    std::uint8_t semaphore = 0;
    std::uint32_t value = 0;
};
using SemaphoreWaits = std::array<SemaphoreWait, 2>;

/// What takes the updates of engines and DMA.
class SemaphoreSink {
  public:
    virtual ~SemaphoreSink() = default;
    /// Lets an update take effect at a time, now at the earliest.
    virtual void post(const SemaphoreUpdate& update, std::uint64_t at_ps) = 0;
};

}  // namespace systole
