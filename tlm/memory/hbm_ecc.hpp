// SPDX-License-Identifier: Apache-2.0
// HbmEcc: errors injected into a stack, what becomes of them, and who hears of it.
//
// The unit is a burst. A correctable error is corrected when its burst is read, and gone (scrubbed) unless it
// is stuck. An uncorrectable error poisons what is read of its burst; it is gone when the whole burst is
// written, unless it is stuck. Limits: errors arise by injection only; the code bits themselves are not
// modelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace systole {

enum class HbmErrorKind : std::uint8_t { kCorrectable, kUncorrectable };

/// An error that a read or a partial write has met.
struct HbmErrorRecord {
    std::uint64_t time_ps = 0;
    std::uint32_t stack = 0;
    std::uint64_t address = 0;  ///< of the burst, in the stack
    HbmErrorKind kind = HbmErrorKind::kCorrectable;
};

class HbmErrorSink {
  public:
    virtual ~HbmErrorSink() = default;
    virtual void hbm_error(const HbmErrorRecord& record) = 0;
};

class HbmEcc {
  public:
    HbmEcc(std::uint32_t stack, std::uint32_t burst_bytes, std::uint8_t poison_byte)
        : stack_(stack), burst_bytes_(burst_bytes), poison_byte_(poison_byte) {}

    /// Who hears of errors from now on; nullptr for nobody.
    void set_sink(HbmErrorSink* sink) { sink_ = sink; }

    /// Puts an error into the burst of an address; the worse of two in one burst stays.
    void inject(std::uint64_t address, HbmErrorKind kind, bool stuck);

    /// What a read of a range meets; true when it is poisoned. Records every error.
    bool read(std::uint64_t address, std::uint64_t bytes, std::uint64_t time_ps);
    /// Poisons in `data`, as read from `address`, the bursts with uncorrectable errors.
    void poison(std::uint64_t address, std::span<std::byte> data) const;
    /// A write of part of a burst reads the rest of it. Call before the bytes change.
    void write(std::uint64_t address, std::uint64_t bytes, std::uint64_t time_ps);

    [[nodiscard]] bool clean() const { return errors_.empty(); }
    /// Whether a burst of the range has an error.
    [[nodiscard]] bool clean(std::uint64_t address, std::uint64_t bytes) const;

    [[nodiscard]] const std::vector<HbmErrorRecord>& records() const { return records_; }
    [[nodiscard]] std::uint64_t corrected() const { return corrected_; }
    [[nodiscard]] std::uint64_t uncorrected() const { return uncorrected_; }

  private:
    struct Error {
        HbmErrorKind kind = HbmErrorKind::kCorrectable;
        bool stuck = false;
    };
    using Errors = std::map<std::uint64_t, Error>;  // by burst number

    [[nodiscard]] std::uint64_t burst_of(std::uint64_t address) const { return address / burst_bytes_; }
    Errors::iterator meet(Errors::iterator error, std::uint64_t time_ps);

    std::uint32_t stack_;
    std::uint32_t burst_bytes_;
    std::uint8_t poison_byte_;
    HbmErrorSink* sink_ = nullptr;
    Errors errors_;
    std::vector<HbmErrorRecord> records_;
    std::uint64_t corrected_ = 0;
    std::uint64_t uncorrected_ = 0;
};

}  // namespace systole
