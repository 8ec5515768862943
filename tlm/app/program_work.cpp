// SPDX-License-Identifier: Apache-2.0
#include <systole/app/program_work.hpp>

#include <fmt/format.h>

namespace systole {
namespace {

constexpr std::uint64_t kDefaultPrograms = 20;

}  // namespace

ProgramWork::ProgramWork(const CrosscheckOptions& options, const ProgramOptions& programs)
    : CrosscheckWork(programs),
      corner_(options.corner),
      elements_wanted_(options.elements),
      cases_wanted_(options.cases),
      generator_(programs),
      random_(options.seed) {
    if (corner_)
        for (std::size_t pair = 0; pair < programs.pairs.size(); ++pair)
            corner_total_ += generator_.corner_programs(pair);
    if (cases_wanted_ == 0) cases_wanted_ = corner_total_ + kDefaultPrograms;
}

CommandBatch ProgramWork::next(CrosscheckRig& rig) {
    const bool enough = elements_wanted_ != 0 ? elements_ >= elements_wanted_ && cases_ >= corner_total_
                                              : cases_ >= cases_wanted_;
    if (enough) return {};
    batch_.clear();
    for (const ProgramCommand& command : generate(rig)) {
        batch_.push_back(command.placed);
        if (command.placed.command.op != TensorOp::kMultiply) continue;
        elements_ += std::uint64_t{command.placed.command.tile.columns} * command.placed.command.n;
        coverage_.record(command.placed.command, command.data_class);
    }
    ++cases_;
    return batch_;
}

std::span<const ProgramCommand> ProgramWork::generate(CrosscheckRig& rig) {
    if (!corner_ || corner_pair_ == generator_.options().pairs.size())
        return generator_.random(rig.sbuf(), rig.sbuf_stride_bytes(), random_);
    const auto program =
        generator_.corner(corner_pair_, corner_program_, rig.sbuf(), rig.sbuf_stride_bytes(), random_);
    if (++corner_program_ == generator_.corner_programs(corner_pair_)) {
        corner_program_ = 0;
        ++corner_pair_;
    }
    return program;
}

std::string ProgramWork::description() const {
    const std::size_t pairs = generator_.options().pairs.size();
    return fmt::format("{} programs, {} operand pair{}", corner_ ? "corner and random" : "random", pairs,
                       pairs == 1 ? "" : "s");
}

}  // namespace systole
