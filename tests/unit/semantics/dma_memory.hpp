// SPDX-License-Identifier: Apache-2.0
// Memory for tests of DMA: one flat memory, an SBUF of 128 partitions, and a PSUM that DMA does not reach;
// and transfers by their patterns.
#pragma once

#include <systole/base/random.hpp>
#include <systole/semantics/dma_transfer.hpp>

#include <cstring>
#include <vector>

namespace systole {

constexpr std::uint64_t kMemory = 0x1000;
constexpr std::uint64_t kMemoryBytes = 1U << 17;
constexpr std::uint64_t kSbuf = 0x10000000;
constexpr std::uint64_t kPitch = kPartitionPitch;
constexpr std::uint64_t kRowBytes = 0x1000;  // of SBUF per partition
constexpr std::uint32_t kPartitions = 128;
constexpr std::uint64_t kPsum = kSbuf + kPsumBase;
constexpr std::uint32_t kEngines = 16;

class DmaMemory : public AddressSpace {
  public:
    DmaMemory() : flat(kMemoryBytes), sbuf(kPartitions * kRowBytes) {}

    std::byte* resolve(std::uint64_t address, std::uint64_t bytes) override {
        if (address >= kMemory && address + bytes <= kMemory + kMemoryBytes)
            return flat.data() + (address - kMemory);
        if (address < kSbuf || address >= kSbuf + kPartitions * kPitch) return nullptr;
        const std::uint64_t byte = (address - kSbuf) % kPitch;
        if (byte + bytes > kRowBytes) return nullptr;
        return sbuf.data() + (address - kSbuf) / kPitch * kRowBytes + byte;
    }
    [[nodiscard]] bool forbidden(std::uint64_t address) const override { return address >= kPsum; }
    [[nodiscard]] std::int32_t sbuf_partition(std::uint64_t address) const override {
        if (address < kSbuf || address >= kSbuf + kPartitions * kPitch) return -1;
        return static_cast<std::int32_t>((address - kSbuf) / kPitch);
    }
    [[nodiscard]] std::uint64_t core_address(std::uint32_t flat_address) const override {
        return kSbuf + flat_address;
    }

    void fill(std::uint64_t seed) {
        SplitMix64 random(seed);
        for (std::vector<std::byte>* bytes : {&flat, &sbuf})
            for (std::byte& b : *bytes) b = static_cast<std::byte>(random());
    }
    template <typename T>
    void put(std::uint64_t address, T value) {
        std::memcpy(resolve(address, sizeof value), &value, sizeof value);
    }
    template <typename T>
    [[nodiscard]] T get(std::uint64_t address) {
        T value{};
        std::memcpy(&value, resolve(address, sizeof value), sizeof value);
        return value;
    }
    bool operator==(const DmaMemory& other) const { return flat == other.flat && sbuf == other.sbuf; }

    std::vector<std::byte> flat, sbuf;
};

/// A side of a transfer with up to two dimensions.
struct Shape {
    std::uint64_t base = 0;
    std::uint32_t run = 0;
    std::int32_t stride1 = 0, stride2 = 0;
    std::uint32_t n1 = 1, n2 = 1;
};

inline Instruction transfer(const Shape& from, const Shape& to, Opcode opcode = Opcode::kDmaCopy) {
    Instruction i(opcode);
    i.set(Field::kSrcLo, static_cast<std::uint32_t>(from.base));
    i.set(Field::kSrcHi, static_cast<std::uint32_t>(from.base >> 32));
    i.set(Field::kSRun, from.run);
    i.set(Field::kSSt1, static_cast<std::uint32_t>(from.stride1));
    i.set(Field::kSSt2, static_cast<std::uint32_t>(from.stride2));
    i.set(Field::kSN1, from.n1);
    i.set(Field::kSN2, from.n2);
    i.set(Field::kDstLo, static_cast<std::uint32_t>(to.base));
    i.set(Field::kDstHi, static_cast<std::uint32_t>(to.base >> 32));
    i.set(Field::kDRun, to.run);
    i.set(Field::kDSt1, static_cast<std::uint32_t>(to.stride1));
    i.set(Field::kDSt2, static_cast<std::uint32_t>(to.stride2));
    i.set(Field::kDN1, to.n1);
    i.set(Field::kDN2, to.n2);
    return i;
}

inline void set_types(Instruction& i, DType from, DType to) {
    i.set(Field::kSdt, static_cast<std::uint32_t>(from));
    i.set(Field::kDdt, static_cast<std::uint32_t>(to));
}

constexpr std::uint8_t kDmaxBit = 1U << 4;  // of Instruction::ext
constexpr std::uint8_t kDmasBit = 1U << 5;
constexpr DmaTrigger kGpsimdTrigger{.stream = Stream::kGpsimd};

/// Rows by a tile of indices of `rows` partitions at partition `partition`, byte `byte`.
struct Index {
    std::uint32_t rows = 1;
    std::uint32_t pitch = 0;  // bytes between rows of the indexed tensor
    std::uint32_t limit = 0;  // legal rows
    bool source = true;
    std::uint32_t partition = 0;
    std::uint32_t byte = 0;
    DType dtype = DType::kU32;

    [[nodiscard]] std::uint64_t place(std::uint32_t r) const {
        return kSbuf + (partition + r % rows) * kPitch + byte + std::uint64_t{r / rows} * 4;
    }
    void apply(Instruction& i) const {
        Operand tile;
        tile.dtype = dtype;
        tile.pattern.address = partition * kPartitionPitch + byte;
        i.ext |= kDmaxBit;
        i.set(Field::kIxAddr, addr32_of(tile));
        i.set(source ? Field::kIxSrc : Field::kIxDst, 1);
        i.set(Field::kNpartM1, rows - 1);
        i.set(Field::kRowPitch, pitch);
        i.set(Field::kRowLim, limit);
    }
};

}  // namespace systole
