// SPDX-License-Identifier: Apache-2.0
#include <systole/app/gemm_operand.hpp>
#include <systole/app/gemm_work.hpp>
#include <systole/base/error.hpp>
#include <systole/base/npy.hpp>
#include <systole/kernels/operand_packing.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t kMaxMatrixElements = 1ULL << 28;

void check_sizes(const GemmShape& shape) {
    const auto check = [](std::string_view name, std::uint64_t rows, std::uint64_t columns) {
        if (rows != 0 && columns > kMaxMatrixElements / rows)
            throw InputError("shape", fmt::format("matrices of at most {} elements", kMaxMatrixElements),
                             fmt::format("{} of {} x {}", name, rows, columns));
    };
    check("A", shape.m, shape.k);
    check("B", shape.k, shape.n);
    check("C", shape.m, shape.n);
}

DType gemm_psum(const CrosscheckOptions& options) { return options.psum_dtype.value_or(DType::kFp32); }

class GemmWork final : public CrosscheckWork {
  public:
    GemmWork(const CrosscheckOptions& options, const ProgramOptions& programs)
        : CrosscheckWork(programs), options_(options), programs_(programs), random_(options.seed) {
        if (options.from_files()) {
            read_files();
        } else {
            shape_ = *options.shape;
            check_sizes(shape_);
        }
        start_case();
        cases_wanted_ =
            options.elements != 0 ? 0 : std::max<std::uint64_t>(options.cases, 1) * programs.pairs.size();
        if (!options.out.empty()) prepare_output();
    }

    CommandBatch next(CrosscheckRig& rig) override {
        if (block_ > 0) take_results(rig);
        if (block_ == plan_.blocks.size()) {
            ++cases_;
            if (options_.elements != 0 ? elements_ >= options_.elements : cases_ >= cases_wanted_) return {};
            start_case();
        }
        if (block_ == 0 && !options_.from_files()) make_operands();
        const GemmBlock& block = plan_.blocks[block_++];
        for (const OperandTile& tile : block.tiles)
            pack_operand_tile(plan_.pair, tile, (tile.stationary ? a_ : b_).view(), programs_.machine.rows,
                              rig.sbuf(), rig.sbuf_stride_bytes());
        for (const PlacedCommand& placed : block.commands) {
            if (placed.command.op != TensorOp::kMultiply) continue;
            elements_ += std::uint64_t{placed.command.tile.columns} * placed.command.n;
            coverage_.record(placed.command, data_class_);
        }
        return block.commands;
    }

    void finish() override {
        if (!options_.out.empty()) write_npy(options_.out, output_);
    }

    [[nodiscard]] std::string description() const override {
        return fmt::format("GEMM {}x{}x{}, {}{}", shape_.m, shape_.k, shape_.n,
                           programs_.pairs.size() == 1
                               ? operand_pair_name(programs_.pairs[0])
                               : fmt::format("{} operand pairs", programs_.pairs.size()),
                           options_.from_files() ? ", from files" : "");
    }
    [[nodiscard]] std::string_view unit() const override { return "elements"; }
    [[nodiscard]] std::uint64_t total() const override {
        return options_.elements != 0 ? options_.elements : elements_per_case_ * cases_wanted_;
    }
    [[nodiscard]] std::uint64_t done() const override { return elements_; }

  private:
    void read_files() {
        const OperandPair& pair = programs_.pairs.front();
        a_ = read_gemm_operand(true, pair.stationary, options_.a, options_.scale_a);
        b_ = read_gemm_operand(false, pair.moving, options_.b, options_.scale_b);
        check_inner_size(a_, options_.a, b_, options_.b);
        shape_ = {a_.j, a_.k, b_.j};
        check_sizes(shape_);
        for (const auto& [operand, path] : {std::pair(&a_, &options_.a), std::pair(&b_, &options_.b)}) {
            if (operand->quantised)
                notes_.push_back(
                    fmt::format("{} was quantised to {} in groups of 32 along K (rule A)", *path,
                                operand_pair_name({pair.mode, operand->is_a ? pair.stationary : pair.moving,
                                                   operand->is_a ? pair.stationary : pair.moving})));
            if (operand->nan_scales != 0)
                notes_.push_back(
                    fmt::format("{} of {} scales of {} are NaN (0xFF): results that use them are NaN",
                                operand->nan_scales, operand->scales.size(), *path));
        }
    }

    // Pairs take turns from case to case, data classes from round to round.
    void start_case() {
        const std::size_t pair = cases_ % programs_.pairs.size();
        plan_ = plan_gemm(shape_, programs_.pairs[pair], gemm_psum(options_), programs_.machine);
        block_ = 0;
        elements_per_case_ = 0;
        for (const GemmBlock& block : plan_.blocks)
            for (const PlacedCommand& placed : block.commands)
                elements_per_case_ += std::uint64_t{placed.command.tile.columns} * placed.command.n;
        data_class_ =
            options_.from_files()
                ? DataClass::kNormal
                : programs_.data_classes[cases_ / programs_.pairs.size() % programs_.data_classes.size()];
    }

    void make_operands() {
        a_ = random_gemm_operand(true, plan_.pair, shape_.k, shape_.m, data_class_, random_);
        b_ = random_gemm_operand(false, plan_.pair, shape_.k, shape_.n, data_class_, random_);
    }

    void prepare_output() {
        const DType dtype = result_dtype(plan_.pair, gemm_psum(options_));
        if (dtype == DType::kFp32) output_.type = {'f', 4};
        if (dtype == DType::kBf16) output_.type = {'V', 2};
        if (dtype == DType::kU16) output_.type = {'u', 2};
        if (dtype == DType::kU32) output_.type = {'u', 4};
        output_.shape = {shape_.m, shape_.n};
        output_.data.resize(shape_.m * shape_.n * output_.type.item_bytes);
    }

    // Results of the block before are in PSUM.
    void take_results(const CrosscheckRig& rig) {
        if (options_.out.empty()) return;
        const GemmBlock& block = plan_.blocks[block_ - 1];
        const std::size_t bytes = output_.type.item_bytes;
        for (std::uint32_t m = 0; m < block.m_count; ++m)
            std::memcpy(&output_.data[((block.m_first + m) * shape_.n + block.n_first) * bytes],
                        rig.psum().base + m * rig.psum().partition_stride_bytes, block.n_count * bytes);
    }

    const CrosscheckOptions& options_;
    ProgramOptions programs_;
    GemmShape shape_;
    GemmPlan plan_;
    GemmOperand a_, b_;
    NpyArray output_;
    DataClass data_class_ = DataClass::kNormal;
    std::size_t block_ = 0;  // next one of the plan
    std::uint64_t cases_wanted_ = 0;
    std::uint64_t elements_ = 0;
    std::uint64_t elements_per_case_ = 0;
    SplitMix64 random_;
};

}  // namespace

std::unique_ptr<CrosscheckWork> make_gemm_work(const CrosscheckOptions& options,
                                               const ProgramOptions& programs) {
    // The goal of the coverage is what a plan over the whole array can reach.
    ProgramOptions reachable = programs;
    reachable.psum_dtypes = {gemm_psum(options)};
    reachable.stochastic = false;
    if (options.from_files()) reachable.data_classes = {DataClass::kNormal};
    return std::make_unique<GemmWork>(options, reachable);
}

}  // namespace systole
