// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_path.hpp>
#include <systole/app/crosscheck.hpp>
#include <systole/app/crosscheck_report.hpp>
#include <systole/app/crosscheck_rig.hpp>
#include <systole/app/crosscheck_work.hpp>
#include <systole/app/progress.hpp>
#include <systole/base/error.hpp>
#include <systole/cosim/lockstep_backend.hpp>
#include <systole/scoreboard/mismatch_text.hpp>
#include <systole/scoreboard/reference_check.hpp>
#include <systole/semantics/model_backend.hpp>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

namespace systole {
namespace {

// Found before the work, not after it.
void check_folder(std::string_view option, const std::string& file) {
    const auto folder = std::filesystem::path(file).parent_path();
    if (!folder.empty() && !std::filesystem::is_directory(folder))
        throw InputError(option, "a file in an existing folder", fmt::format("'{}'", file));
}

class Crosscheck {
  public:
    explicit Crosscheck(const CrosscheckOptions& options) : options_(options) {
        check_folder("--json", options.json);
        check_folder("--wave", options.wave);
        check_folder("--out", options.out);
        config_ = load_tensor_engine_config(
            options.config.empty() ? find_config("tensor_engine.yaml", "--config") : options.config);
        if (options.needs_rtl() && !options.rtl_library.empty())
            library_ = RtlLibrary::open(options.rtl_library);
        set_array();
        if (options.needs_rtl() && !library_)
            library_ =
                RtlLibrary::open(find_rtl_library(options.view, config_.engine.rows, config_.engine.columns));
        check_injection();
        work_ = make_crosscheck_work(options, config_);
    }

    int run() {
        CrosscheckRig rig("crosscheck", config_, [&](const PsumView& psum) { return make_backend(psum); });
        for (std::uint32_t column = 0; column < config_.engine.columns; ++column)
            rig.backend().set_random_state(
                column, Xorwow::from_seed(static_cast<std::uint32_t>(options_.seed), column).state());
        if (options_.injection) lockstep_->inject(*options_.injection);

        Progress progress(options_.progress, work_->unit(), work_->total());
        bool failed = false;
        try {
            rig.run([&]() -> CommandBatch {
                if (mismatches_ != 0 && !options_.keep_going) return {};
                const CommandBatch batch = work_->next(rig);
                progress.update(work_->done());
                return batch;
            });
        } catch (const sc_core::sc_report&) {
            // A hang or a refusal of the RTL ends the simulation; it was handed over as a mismatch before.
            if (mismatches_ == 0) throw;
            failed = true;
        }
        progress.finish();
        if (!failed && mismatches_ == 0) work_->finish();

        CrosscheckReport report = make_report(rig, progress.seconds());
        fmt::print("{}", report_text(report));
        if (!options_.json.empty()) write_json(report);
        (void)std::fflush(stdout);
        return report.mismatches == 0 && report.elements > 0 ? kExitGood : kExitFailed;
    }

  private:
    void set_array() {
        if (options_.array) {
            override_array(config_, options_.array->first, options_.array->second, "--array");
        } else if (library_) {
            override_array(config_, library_->info().rows, library_->info().columns, options_.rtl_library);
        }
        if (library_ && (library_->info().rows != config_.engine.rows ||
                         library_->info().columns != config_.engine.columns))
            throw InputError(options_.rtl_library,
                             fmt::format("an array of {}x{}", config_.engine.rows, config_.engine.columns),
                             fmt::format("{}x{}", library_->info().rows, library_->info().columns));
    }

    void check_injection() const {
        if (!options_.injection) return;
        const RtlInjection& injection = *options_.injection;
        if (injection.row >= config_.engine.rows || injection.column >= config_.engine.columns)
            throw InputError("--inject",
                             fmt::format("a row below {} and a column below {}", config_.engine.rows,
                                         config_.engine.columns),
                             fmt::format("{},{}", injection.row, injection.column));
    }

    std::unique_ptr<TensorBackend> make_backend(const PsumView& psum) {
        const auto handler = [this](const Mismatch& mismatch) {
            if (mismatches_++ == 0) first_mismatch_ = mismatch;
        };
        const auto model = [&] { return std::make_unique<ModelBackend>(config_.engine, psum); };
        if (options_.backend == BackendChoice::kLockstep) {
            auto backend = std::make_unique<LockstepBackend>(model(), library_, psum);
            backend->set_mismatch_handler(handler);
            lockstep_ = backend.get();
            statistics_ = &backend->statistics();
            rtl_ = &backend->rtl();
            return backend;
        }
        std::unique_ptr<TensorBackend> checked;
        if (options_.backend == BackendChoice::kRtl) {
            auto rtl = std::make_unique<RtlBackend>(library_, psum, config_.engine.clock_hz);
            rtl_ = rtl.get();
            checked = std::move(rtl);
        } else {
            checked = model();
        }
        auto backend = std::make_unique<ReferenceCheck>(std::move(checked), psum);
        backend->set_mismatch_handler(handler);
        statistics_ = &backend->statistics();
        return backend;
    }

    CrosscheckReport make_report(const CrosscheckRig& rig, double seconds) {
        CrosscheckReport report;
        const auto [expected, found] = sides();
        report.compared = fmt::format("{} = {}", expected, found);
        report.engine = fmt::format("{}x{}{}", config_.engine.rows, config_.engine.columns,
                                    library_ ? fmt::format(", RTL \"{}\"", library_->info().name) : "");
        report.work = work_->description();
        report.seed = options_.seed;
        report.cases = work_->cases();
        report.commands = statistics_->commands;
        report.multiplies = statistics_->multiplies;
        report.elements = statistics_->elements;
        report.bits = statistics_->bits;
        report.mismatches = mismatches_;
        report.model_cycles = rig.last_cycle();
        report.rtl_cycles = rtl_ == nullptr ? 0 : rtl_->last_completion();
        report.cycles_compared = options_.backend == BackendChoice::kLockstep;
        report.wall_seconds = seconds;
        report.notes = work_->notes();
        report.coverage = work_->coverage().by_pair();
        report.coverage_total = work_->coverage().total();
        if (first_mismatch_) report.mismatch = explain(*first_mismatch_);
        return report;
    }

    [[nodiscard]] std::pair<std::string, std::string> sides() const {
        switch (options_.backend) {
            case BackendChoice::kLockstep:
                return {"model", "rtl"};
            case BackendChoice::kModel:
                return {"reference", "model"};
            case BackendChoice::kRtl:
                break;
        }
        return {"reference", "rtl"};
    }

    std::string explain(const Mismatch& mismatch) const {
        const auto [expected, found] = sides();
        if (options_.backend != BackendChoice::kLockstep)
            return mismatch_text(mismatch, expected, found, std::nullopt, "");
        std::string trouble;
        std::optional<Explanation> explanation;
        if (!options_.wave.empty()) {
            try {
                explanation = explain_mismatch(library_with_waves(), mismatch, options_.wave);
            } catch (const RtlError& error) {
                trouble = fmt::format("  {:<16}none: {}\n", "waveform", error.what());
            }
        }
        const std::string wave = explanation ? options_.wave : "";
        try {
            if (!explanation) explanation = explain_mismatch(library_, mismatch);
        } catch (const RtlError& error) {
            trouble += fmt::format("  {:<16}none: {}\n", "explanation", error.what());
        }
        return mismatch_text(mismatch, expected, found, explanation, wave) + trouble;
    }

    // Ours come in two builds: waveform support slows every cycle, so it has a library of its own,
    // NAME_wave.so.
    [[nodiscard]] std::shared_ptr<const RtlLibrary> library_with_waves() const {
        std::filesystem::path sibling = library_->path();
        sibling.replace_filename(sibling.stem().string() + "_wave" + sibling.extension().string());
        return std::filesystem::exists(sibling) ? RtlLibrary::open(sibling) : library_;
    }

    void write_json(const CrosscheckReport& report) const {
        std::ofstream file(options_.json);
        file << report_json(report);
        file.close();
        if (!file) throw InputError(options_.json, "a file that can be written", "an error while writing");
    }

    const CrosscheckOptions& options_;
    TensorEngineConfig config_;
    std::shared_ptr<const RtlLibrary> library_;
    std::unique_ptr<CrosscheckWork> work_;
    // Parts of the backend, which the rig's engine owns.
    LockstepBackend* lockstep_ = nullptr;
    RtlBackend* rtl_ = nullptr;
    const LockstepStatistics* statistics_ = nullptr;
    std::optional<Mismatch> first_mismatch_;
    std::uint64_t mismatches_ = 0;
};

}  // namespace

int run_crosscheck(const CrosscheckOptions& options) { return Crosscheck(options).run(); }

}  // namespace systole
