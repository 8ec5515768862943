// SPDX-License-Identifier: Apache-2.0
#include <systole/config/address_map.hpp>
#include <systole/config/chip_checks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <set>
#include <utility>

namespace systole {
namespace {

class Checker {
  public:
    explicit Checker(ChipDescription& description) : d_(description), c_(description.config) {}

    void run() {
        check_memories();
        check_tensor_engine();
        check_hbm();
        check_counts();
        check_dma();
        check_address_layout();
        check_address_fields();
        check_overlaps();
    }

  private:
    using Keys = std::initializer_list<std::string_view>;

    [[nodiscard]] bool known(std::string_view key) const {
        return find_node(d_.tree, key) != nullptr && !d_.errors.faulty(key);
    }

    // The fault is the first key's; all keys are what the condition is about.
    void require(bool holds, Keys keys, const std::string& expected, std::uint64_t found) {
        if (holds) return;
        for (const std::string_view key : keys)
            if (!known(key)) return;
        add(*keys.begin(), expected, std::to_string(found));
    }

    void add(std::string_view key, const std::string& expected, const std::string& found) {
        d_.errors.add(find_node(d_.tree, key)->origin, key, expected, found);
    }

    void require_power_of_two(std::string_view key, std::uint64_t value) {
        require(std::has_single_bit(value), {key}, "a power of two", value);
    }

    void check_memories() {
        const PartitionParameters& m = c_.tensor.memory;
        require_power_of_two("memory.partition_pitch_bytes", m.pitch_bytes);
        require(m.sbuf_bytes <= m.pitch_bytes,
                {"memory.sbuf_bytes_per_partition", "memory.partition_pitch_bytes"},
                fmt::format("at most memory.partition_pitch_bytes, {}", m.pitch_bytes), m.sbuf_bytes);
        require(m.psum_bytes <= m.pitch_bytes,
                {"memory.psum_bytes_per_partition", "memory.partition_pitch_bytes"},
                fmt::format("at most memory.partition_pitch_bytes, {}", m.pitch_bytes), m.psum_bytes);
        const std::uint64_t sbuf_end = std::uint64_t{m.partitions} * m.pitch_bytes;
        require(m.psum_offset >= sbuf_end,
                {"memory.psum_offset", "memory.partitions", "memory.partition_pitch_bytes"},
                fmt::format("at least {}, the end of SBUF", sbuf_end), m.psum_offset);
        const std::uint32_t bank = std::max(c_.core.map.psum_bank_bytes, 1U);
        require(m.psum_bytes % bank == 0, {"psum.bank_bytes", "memory.psum_bytes_per_partition"},
                fmt::format("a divisor of memory.psum_bytes_per_partition, {}", m.psum_bytes), bank);
    }

    void check_tensor_engine() {
        const TensorEngineParameters& e = c_.tensor.engine;
        const PartitionParameters& m = c_.tensor.memory;
        const TensorLimits& l = c_.tensor.limits;
        const std::string size = fmt::format("a multiple of 4 from 4 to memory.partitions, {}", m.partitions);
        require(m.array_size_legal(e.rows), {"tensor_engine.rows", "memory.partitions"}, size, e.rows);
        require(m.array_size_legal(e.columns), {"tensor_engine.columns", "memory.partitions"}, size,
                e.columns);
        const TensorThrottleParameters& t = c_.tensor.throttle;
        require(t.start_level <= t.levels, {"throttle.start_level", "throttle.levels"},
                fmt::format("at most throttle.levels, {}", t.levels), t.start_level);
        require(e.weight_lanes <= e.columns, {"tensor_engine.weight_lanes", "tensor_engine.columns"},
                fmt::format("at most tensor_engine.columns, {}", e.columns), e.weight_lanes);
        require(std::uint64_t{l.max_n_32_bit} * 4 <= m.psum_bytes,
                {"tensor_engine.max_n_32_bit", "memory.psum_bytes_per_partition"},
                fmt::format("at most {} values of 32 bits, a PSUM partition", m.psum_bytes / 4),
                l.max_n_32_bit);
        require(std::uint64_t{l.max_n_16_bit} * 2 <= m.psum_bytes,
                {"tensor_engine.max_n_16_bit", "memory.psum_bytes_per_partition"},
                fmt::format("at most {} values of 16 bits, a PSUM partition", m.psum_bytes / 2),
                l.max_n_16_bit);
        const std::uint32_t bank_values = c_.core.map.psum_bank_bytes / 4;
        require(
            c_.features.psum_bank_crossing || l.max_n_32_bit <= bank_values,
            {"tensor_engine.max_n_32_bit", "features.psum_bank_crossing", "psum.bank_bytes"},
            fmt::format("at most {} values of 32 bits, one PSUM bank, without features.psum_bank_crossing",
                        bank_values),
            l.max_n_32_bit);
    }

    void check_hbm() {
        const HbmStackParameters& h = c_.hbm;
        require_power_of_two("hbm.channels", h.channels);
        require_power_of_two("hbm.interleave_bytes", h.interleave_bytes);
        require(h.channel_bytes % std::max(h.interleave_bytes, 1U) == 0,
                {"hbm.channel_bytes", "hbm.interleave_bytes"},
                fmt::format("a multiple of hbm.interleave_bytes, {}", h.interleave_bytes), h.channel_bytes);
        require(h.channels * h.channel_bytes == h.stack_bytes,
                {"hbm.stack_bytes", "hbm.channels", "hbm.channel_bytes"},
                fmt::format("hbm.channels x hbm.channel_bytes, {}", h.channels * h.channel_bytes),
                h.stack_bytes);
        require(h.stacks * h.stack_bytes_per_s == h.total_bytes_per_s,
                {"hbm.total_bytes_per_s", "hbm.stacks", "hbm.stack_bytes_per_s"},
                fmt::format("hbm.stacks x hbm.stack_bytes_per_s, {}", h.stacks * h.stack_bytes_per_s),
                h.total_bytes_per_s);
    }

    void check_counts() {
        const ChipParameters& c = c_.chip;
        const auto divides = [&](std::string_view key, std::uint32_t part, std::string_view whole_key,
                                 std::uint32_t whole) {
            require(whole % std::max(part, 1U) == 0, {key, whole_key},
                    fmt::format("a divisor of {}, {}", whole_key, whole), part);
        };
        divides("chip.dies", c.dies, "chip.cores", c.cores);
        divides("chip.cores_per_logical_core", c.cores_per_logical_core, "chip.cores", c.cores);
        divides("hbm.stacks", c_.hbm.stacks, "chip.cores", c.cores);
        divides("chip.dies", c.dies, "hbm.stacks", c_.hbm.stacks);
        require(c.dma_engines == c.cores * c_.core.dma.engines,
                {"chip.dma_engines", "chip.cores", "dma.engines"},
                fmt::format("chip.cores x dma.engines, {}", c.cores * c_.core.dma.engines), c.dma_engines);
        require(c_.collectives.mesh_max_bytes <= c_.collectives.halving_max_bytes,
                {"collectives.mesh_max_bytes", "collectives.halving_max_bytes"},
                fmt::format("at most collectives.halving_max_bytes, {}", c_.collectives.halving_max_bytes),
                c_.collectives.mesh_max_bytes);
    }

    void check_dma() {
        const DmaQueueParameters& q = c_.dma_queue;
        require(c_.core.dma.engine_bytes_per_s <= q.bus_bytes_per_s,
                {"dma.engine_bytes_per_s", "dma_queue.bus_bytes_per_s"},
                fmt::format("at most dma_queue.bus_bytes_per_s, {}", q.bus_bytes_per_s),
                c_.core.dma.engine_bytes_per_s);
        require_power_of_two("dma_queue.ring_entries", q.ring_entries);
        require_power_of_two("dma_queue.packet_static_bytes", q.packet_static_bytes);
        require_power_of_two("dma_queue.packet_collective_bytes", q.packet_collective_bytes);
        const std::string in_ring = fmt::format("at most dma_queue.ring_entries, {}", q.ring_entries);
        require(q.submit_entries <= q.ring_entries, {"dma_queue.submit_entries", "dma_queue.ring_entries"},
                in_ring, q.submit_entries);
        require(q.prefetch_entries <= q.ring_entries,
                {"dma_queue.prefetch_entries", "dma_queue.ring_entries"}, in_ring, q.prefetch_entries);
        require(q.arbitration == DmaArbitration::kStrict || q.service_classes == 1,
                {"dma_queue.service_classes", "dma_queue.arbitration"}, "1 with round_robin arbitration",
                q.service_classes);
    }

    void check_address_layout() {
        const AddressMapParameters& m = c_.map;
        require(m.hbm.pitch_bytes >= c_.hbm.stack_bytes, {"address_map.hbm_pitch_bytes", "hbm.stack_bytes"},
                fmt::format("at least hbm.stack_bytes, {}", c_.hbm.stack_bytes), m.hbm.pitch_bytes);
        const std::uint64_t semaphores = std::uint64_t{c_.core.semaphores.count} * 4;
        require(m.semaphore_window_bytes >= semaphores,
                {"address_map.semaphore_window_bytes", "semaphores.count"},
                fmt::format("at least {}, 4 bytes for each semaphore", semaphores), m.semaphore_window_bytes);
        const std::uint64_t queues = c_.core.dma.queues * m.doorbell_queue_bytes;
        require(m.doorbell_engine_bytes >= queues,
                {"address_map.doorbell_engine_bytes", "address_map.doorbell_queue_bytes", "dma.queues"},
                fmt::format("at least {}, the doorbells of each queue", queues), m.doorbell_engine_bytes);
        for (const AddressWindow& window : address_windows(c_)) {
            if (window.owner != 0 || window.base < m.core.base ||
                std::string_view(address_owner_name(window.region)) != "core")
                continue;
            const std::uint64_t end = window.end() - m.core.base;
            require(end <= m.core.pitch_bytes, {window.key, "address_map.core_pitch_bytes"},
                    fmt::format("the end of {} inside the core's window of {:#x} bytes",
                                address_region_name(window.region), m.core.pitch_bytes),
                    end);
        }
    }

    // Rack, server, chip and the bit that marks them: apart from each other and above all windows.
    void check_address_fields() {
        const AddressMapParameters& m = c_.map;
        constexpr std::string_view kRack = "address_map.rack_shift";
        constexpr std::string_view kServer = "address_map.server_shift";
        constexpr std::string_view kChip = "address_map.chip_shift";
        const auto apart = [&](std::string_view key, const AddressField& field, std::string_view above,
                               std::uint32_t limit) {
            require(field.shift + field.bits <= limit, {key, above},
                    fmt::format("its {} bits below {} ({})", field.bits, above, limit), field.shift);
        };
        apart(kRack, m.rack, "address_map.remote_bit", m.remote_bit);
        apart(kServer, m.server, kRack, m.rack.shift);
        apart(kChip, m.chip, kServer, m.server.shift);
        if (!known(kChip)) return;
        for (const AddressWindow& window : address_windows(c_))
            if (window.end() > 1ULL << m.chip.shift) {
                require(
                    false, {window.key, kChip},
                    fmt::format("{} below bit {}, where the chip's number is", window.name(), m.chip.shift),
                    window.end());
                return;
            }
    }

    void check_overlaps() {
        if (!d_.windows_known()) return;
        std::set<std::pair<std::string_view, std::string_view>> reported;  // one message for a kind of pair
        const std::vector<AddressWindow> windows = address_windows(c_);
        const AddressWindow* last = nullptr;  // of those before, the one that ends last
        for (const AddressWindow& window : windows) {
            if (last != nullptr && window.base < last->end() &&
                reported.emplace(window.key, last->key).second)
                add(window.key, fmt::format("{} apart from {}", window.name(), last->name()),
                    fmt::format("it at {:#x}, and the other from {:#x} to {:#x}", window.base, last->base,
                                last->end()));
            if (last == nullptr || window.end() > last->end()) last = &window;
        }
    }

    ChipDescription& d_;
    const ChipConfig& c_;
};

}  // namespace

void check_chip_description(ChipDescription& description) { Checker(description).run(); }

}  // namespace systole
