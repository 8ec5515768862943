// SPDX-License-Identifier: Apache-2.0
// The access checker against an exhaustive oracle: each semaphore wait of a kernel is dropped, or shrunk by
// one, and the mutant is run; the checker must report a race exactly when some pair of conflicting
// instructions is left without an order. The oracle looks at sets of bytes and at sets of completed
// instructions, and shares no code with the checker.
#include <systole/kernels/kernel_library.hpp>
#include <systole/memory/access_checker.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace systole {
namespace {

const NeuronCoreConfig& core_config() {
    static const NeuronCoreConfig config = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    return config;
}

const TensorEngineConfig& tensor_config() {
    static const TensorEngineConfig config = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    return config;
}

Program kernel(const char* name, const std::map<std::string, std::string>& parameters) {
    return build_kernel(name, parameters, kernel_machine(core_config(), tensor_config()));
}

// --- the oracle

using Byte = std::array<std::uint64_t, 3>;  // space, partition, byte

struct Node {
    std::size_t stream = 0;
    const Instruction* instruction = nullptr;
    std::set<Byte> reads{}, writes{};
};

void add_tile(std::set<Byte>& bytes, const Operand& operand, std::uint64_t partitions) {
    if (!operand.present) return;
    const auto& d = operand.pattern.dims;
    const std::int64_t size = dtype_bytes(operand.dtype);
    for (std::uint64_t p = 0; p < partitions; ++p)
        for (int i3 = 0; i3 < d[3].count; ++i3)
            for (int i2 = 0; i2 < d[2].count; ++i2)
                for (int i1 = 0; i1 < d[1].count; ++i1)
                    for (int i0 = 0; i0 < d[0].count; ++i0)
                        for (std::int64_t b = 0; b < size; ++b) {
                            const std::int64_t element =
                                std::int64_t{i0} * d[0].stride + std::int64_t{i1} * d[1].stride +
                                std::int64_t{i2} * d[2].stride + std::int64_t{i3} * d[3].stride;
                            bytes.insert({operand.in_psum() ? 1U : 0U, operand.partition() + p,
                                          static_cast<std::uint64_t>(operand.byte() + element * size + b)});
                        }
}

void add_dma(std::set<Byte>& bytes, std::uint64_t base, std::uint32_t run,
             const std::array<std::int32_t, 2>& strides, const std::array<std::uint32_t, 2>& counts) {
    const std::uint64_t core = core_config().map.core_base;
    for (std::uint32_t i1 = 0; i1 < counts[1]; ++i1)
        for (std::uint32_t i0 = 0; i0 < counts[0]; ++i0)
            for (std::uint32_t b = 0; b < run; ++b) {
                const std::uint64_t at = base + static_cast<std::uint64_t>(std::int64_t{strides[0]} * i0) +
                                         static_cast<std::uint64_t>(std::int64_t{strides[1]} * i1) + b;
                if (at >= core)
                    bytes.insert({0, (at - core) / kPartitionPitch, (at - core) % kPartitionPitch});
                else
                    bytes.insert({2, 0, at});
            }
}

Node node_of(std::size_t stream, const Instruction& i) {
    Node node{.stream = stream, .instruction = &i};
    const auto wide = [&](Field low, Field high) { return i[low] | std::uint64_t{i[high]} << 32; };
    switch (i.opcode()) {
        case Opcode::kDmaCopy:
            add_dma(node.reads, wide(Field::kSrcLo, Field::kSrcHi), i[Field::kSRun],
                    {i.signed_field(Field::kSSt1), i.signed_field(Field::kSSt2)},
                    {i[Field::kSN1], i[Field::kSN2]});
            add_dma(node.writes, wide(Field::kDstLo, Field::kDstHi), i[Field::kDRun],
                    {i.signed_field(Field::kDSt1), i.signed_field(Field::kDSt2)},
                    {i[Field::kDN1], i[Field::kDN2]});
            break;
        case Opcode::kLdw:
            add_tile(node.reads, i.a(), i.np());
            break;
        case Opcode::kMmul:
            add_tile(node.reads, i.a(), i.np());
            if (i[Field::kAcc] != 0) add_tile(node.reads, i.c(), i[Field::kMM1] + 1);
            add_tile(node.writes, i.c(), i[Field::kMM1] + 1);
            break;
        default:
            add_tile(node.reads, i.a(), i.np());
            add_tile(node.reads, i.b(), i.np());
            for (const auto& [kind, slot] :
                 {std::pair{Field::kS0k, Field::kS0}, std::pair{Field::kS1k, Field::kS1}})
                if (i[kind] == 2) add_tile(node.reads, operand_of_addr32(i[slot]), i.np());
            add_tile(node.writes, i.c(), i.np());
    }
    return node;
}

bool meet(const std::set<Byte>& a, const std::set<Byte>& b) {
    return std::any_of(a.begin(), a.end(), [&](const Byte& byte) { return b.contains(byte); });
}

// Whether some pair of conflicting instructions has no order, whatever the timing.
bool has_race(const Program& program) {
    std::vector<Node> nodes;
    for (std::size_t s = 0; s < kStreams; ++s)
        for (const Instruction& i : program.streams[s])
            if (i.opcode() != Opcode::kHalt) nodes.push_back(node_of(s, i));

    // Of each semaphore: the instructions that add to it, in the order of their completions, and the value
    // after each.
    std::map<std::uint32_t, std::vector<std::pair<std::size_t, std::uint32_t>>> signals;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
        const Instruction& i = *nodes[n].instruction;
        if (i[Field::kUpdOp] == 0) continue;
        auto& list = signals[i[Field::kUpdSem]];
        list.emplace_back(
            n, (list.empty() ? 0 : list.back().second) + (i[Field::kUpdOp] == 3 ? i[Field::kUpdImm] : 1));
    }
    // known[n]: complete when n is issued. Grown until nothing changes.
    std::vector<std::set<std::size_t>> known(nodes.size());
    const auto waited = [&](const Instruction& i, Field condition, Field semaphore, Field value) {
        std::set<std::size_t> done;
        if (i[condition] == 0) return done;
        for (const auto& [n, after] : signals[i[semaphore]]) {
            if (after > i[value]) break;  // nothing is known of an update that the value does not reach
            done.insert(n);
        }
        return done;
    };
    const auto completes_in_order = [&](std::size_t first, std::size_t then) {
        const Opcode a = nodes[first].instruction->opcode();
        const Opcode b = nodes[then].instruction->opcode();
        return first < then && nodes[first].stream == nodes[then].stream &&
               (a == Opcode::kDmaCopy) == (b == Opcode::kDmaCopy) && b != Opcode::kLdw;
    };
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t n = 0; n < nodes.size(); ++n) {
            const std::size_t size = known[n].size();
            if (n > 0 && nodes[n - 1].stream == nodes[n].stream)
                known[n].insert(known[n - 1].begin(), known[n - 1].end());
            const Instruction& i = *nodes[n].instruction;
            std::set<std::size_t> done = waited(i, Field::kW0Cond, Field::kW0Sem, Field::kW0Val);
            done.merge(waited(i, Field::kW1Cond, Field::kW1Sem, Field::kW1Val));
            for (const std::size_t d : done) {
                known[n].insert(d);
                known[n].insert(known[d].begin(), known[d].end());
                for (std::size_t e = 0; e < d; ++e)
                    if (completes_in_order(e, d)) known[n].insert(e);
            }
            changed = changed || known[n].size() != size;
        }
    }
    for (std::size_t a = 0; a < nodes.size(); ++a)
        for (std::size_t b = a + 1; b < nodes.size(); ++b) {
            const bool both_multiply = nodes[a].instruction->opcode() == Opcode::kMmul &&
                                       nodes[b].instruction->opcode() == Opcode::kMmul;
            const auto conflict = [&](const std::set<Byte>& x, const std::set<Byte>& y) {
                return !both_multiply && meet(x, y);
            };
            if (known[a].contains(b) || known[b].contains(a)) continue;
            if (conflict(nodes[a].writes, nodes[b].writes) || conflict(nodes[a].writes, nodes[b].reads) ||
                conflict(nodes[a].reads, nodes[b].writes))
                return true;
        }
    return false;
}

// --- the checker

using Judge = std::function<int(const std::vector<AccessReport>&)>;

// Runs a program under the checker in a child process (SystemC elaborates once), with only the first `inputs`
// inputs written by the host. Returns what `judge` makes of the reports, a number below kBroken.
constexpr int kBroken = 100;
int run_checked(const Program& program, std::size_t inputs, const Judge& judge) {
    const pid_t child = fork();
    if (child == 0) {
        const auto make_backend = [](const PsumView& psum) {
            return std::make_unique<ModelBackend>(tensor_config().engine, psum);
        };
        const auto run =
            std::make_unique<CoreRun>(core_config(), tensor_config(), make_backend, program_image(program));
        const auto checker =
            std::make_unique<AccessChecker>(run->core().address_space(), core_config().dma.engines);
        for (const ImageTensor& tensor : program.tensors)
            if (tensor.kind == TensorKind::kConstant || (tensor.kind == TensorKind::kInput && inputs-- > 0))
                checker->host_wrote(tensor.address, tensor.bytes);
        run->observe(*checker);
        run->simulate();
        _exit(run->complaints().empty() ? judge(checker->reports()) : kBroken);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < kBroken) << "the program ran to its end";
    return WEXITSTATUS(status);
}

constexpr std::size_t kAllInputs = 1000;

bool checker_reports_race(const Program& program) {
    return run_checked(program, kAllInputs, [](const std::vector<AccessReport>& reports) {
               return std::any_of(reports.begin(), reports.end(), [](const AccessReport& report) {
                   return report.kind != AccessReport::Kind::kNeverWritten;
               });
           }) == 1;
}

struct Case {
    const char* name;
    std::map<std::string, std::string> parameters;
};

class Mutants : public testing::TestWithParam<Case> {};

TEST_P(Mutants, AreJudgedAsTheOracleDoes) {
    const Program program = kernel(GetParam().name, GetParam().parameters);
    ASSERT_FALSE(has_race(program));
    ASSERT_FALSE(checker_reports_race(program));
    int races = 0, mutants = 0;
    for (std::size_t s = 0; s < kStreams; ++s)
        for (std::size_t i = 0; i < program.streams[s].size(); ++i)
            for (const auto& [condition, value] :
                 {std::pair{Field::kW0Cond, Field::kW0Val}, std::pair{Field::kW1Cond, Field::kW1Val}})
                for (const bool drop : {true, false}) {
                    if (program.streams[s][i][condition] == 0) continue;
                    Program mutant = program;
                    Instruction& changed = mutant.streams[s][i];
                    if (drop) {
                        for (const Field field : {condition, value}) changed.set(field, 0);
                        changed.set(condition == Field::kW0Cond ? Field::kW0Sem : Field::kW1Sem, 0);
                    } else {
                        changed.set(value, changed[value] - 1);
                    }
                    const bool race = has_race(mutant);
                    EXPECT_EQ(checker_reports_race(mutant), race)
                        << "stream " << s << " instruction " << i
                        << (drop ? " without the wait" : " waiting for one less");
                    ++mutants;
                    races += race ? 1 : 0;
                }
    RecordProperty("mutants", mutants);
    RecordProperty("races", races);
    EXPECT_GT(races, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, Mutants,
    testing::Values(Case{"add", {{"rows", "130"}, {"columns", "2"}}},
                    Case{"matmul", {{"m", "130"}, {"k", "130"}, {"n", "6"}}},
                    Case{"softmax", {{"rows", "130"}, {"columns", "3"}}},
                    Case{"attention", {{"sequence", "130"}, {"head", "4"}, {"causal", "1"}}}),
    [](const testing::TestParamInfo<Case>& kernel_case) { return std::string(kernel_case.param.name); });

TEST(AccessChecker, UnwrittenInputsAreReported) {
    const Program program = kernel("add", {{"rows", "4"}, {"columns", "4"}});
    EXPECT_EQ(run_checked(program, kAllInputs,
                          [](const auto& reports) { return static_cast<int>(reports.size()); }),
              0);
    // Only a is there, not b.
    EXPECT_EQ(
        run_checked(program, 1,
                    [](const std::vector<AccessReport>& reports) {
                        return reports.size() == 1 && reports[0].kind == AccessReport::Kind::kNeverWritten &&
                                       describe(reports[0]).find("sync pc 1 DMA_COPY") != std::string::npos
                                   ? 1
                                   : 2;
                    }),
        1);
}

}  // namespace
}  // namespace systole

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

// SystemC's library wants this function.
[[gnu::visibility("default")]] int sc_main(int, char**) { return 1; }
