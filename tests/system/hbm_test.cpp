// SPDX-License-Identifier: Apache-2.0
// `systole hbm`: what it prints for patterns and traces, and what it says about wrong input.
#include "system_test.hpp"

#include <cmath>
#include <regex>
#include <string>

namespace systole::system_test {
namespace {

class Hbm : public SystemTest {
  protected:
    static double number_before(const std::string& text, const std::string& what) {
        std::smatch match;
        if (!std::regex_search(text, match, std::regex("([0-9.]+)" + what))) return std::nan("");
        return std::stod(match[1]);
    }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
};

TEST_F(Hbm, StreamReachesThePins) {
    const std::string out =
        expect(0, "hbm --preset HBM3-6400 --pattern stream --reads 100 --outstanding 128 --channels 3");
    expect_contains(out, "3 channels, peak 153.60 GB/s");
    const double share = number_before(out, " % of peak\n  bound");
    const double bound = number_before(out, " % of peak\n  read latency");
    // 1 - (nRTP + nRP + nRFC + nRCDRD) / nREFI, give or take part of a refresh in the measured time.
    EXPECT_NEAR(bound, 89.97, 0.2);
    EXPECT_GT(share, bound * 0.985);
    EXPECT_LE(share, bound);
    for (const char* part :
         {"read latency  mean", "p50", "p95", "p99", "row hits", "refresh", "M requests/s"})
        expect_contains(out, part);
}

TEST_F(Hbm, ChaseHasTheLatencyOfOneRead) {
    const std::string out =
        expect(0, "hbm --preset HBM3-6400 --pattern chase --refresh none --requests 5000");
    // nRP + nRCDRD + nCL + nBL = 79 cycles of 0.625 ns.
    EXPECT_NEAR(number_before(out, ", p95"), 49.4, 0.05);
}

TEST_F(Hbm, SaysWhenTheQueueIsTooShort) {
    expect_contains(expect(0, "hbm --preset HBM3E-9600 --requests 1000"),
                    "64 read entries see too few bursts ahead for it, 86 are needed");
    const std::string out = expect(0, "hbm --preset HBM3E-9600 --refresh none --read-entries 128");
    EXPECT_GT(number_before(out, " % of peak"), 98.5);
}

TEST_F(Hbm, OpenLoopServesWhatIsOffered) {
    const std::string out = expect(0, "hbm --pattern random --rate 8 --requests 50000");
    EXPECT_NEAR(number_before(out, " GB/s, "), 8, 0.08);
    expect_contains(out, "8 GB/s offered per channel");
}

TEST_F(Hbm, RunsATraceAndWritesItsCommands) {
    // A closed bank, a row hit, a conflict, far apart; and another channel.
    write("trace",
          "# cycle R|W channel pc sid bg bank row column\n"
          "0 R 0 0 0 0 0 5 1\n\n1000 R 0 0 0 0 0 5 2   # hit\n2000 R 0 0 0 0 0 6 2\n2000 W 2 1 1 3 3 16383 "
          "31\n");
    const std::string out = expect(0, "hbm --refresh none --trace " + path("trace") + " --commands " +
                                          path("commands") + " --json " + path("json"));
    expect_contains(out, "3 channels");
    EXPECT_EQ(read_text(path("commands")),
              "0 ACT 0 0 0 0 0 5 0\n31 RD 0 0 0 0 0 5 1\n1000 RD 0 0 0 0 0 5 2\n"
              "2000 PRE 0 0 0 0 0 5 0\n2026 ACT 0 0 0 0 0 6 0\n2057 RD 0 0 0 0 0 6 2\n"
              "2000 ACT 2 1 1 3 3 16383 0\n2015 WR 2 1 1 3 3 16383 31\n");
    const std::string json = read_text(path("json"));
    expect_contains(json, "\"reads\": 3,\n  \"writes\": 1,");
    expect_contains(json, "\"requests\": 4,");
    // Latencies of 22, 53 and 79 cycles.
    EXPECT_NEAR(number_before(out, " ns, p50"), (22 + 53 + 79) / 3.0 * 0.625, 0.06);
}

TEST_F(Hbm, SameOptionsSameResult) {
    const auto json = [&](const std::string& name, const std::string& seed) {
        expect(0, "hbm --pattern random --reads 60 --requests 3000 --channels 2 --seed " + seed + " --json " +
                      path(name));
        return std::regex_replace(read_text(path(name)), std::regex("\"cpu_seconds\": [0-9.]+"), "");
    };
    const std::string first = json("a", "9");
    EXPECT_EQ(first, json("b", "9"));
    EXPECT_NE(first, json("c", "10"));
}

TEST_F(Hbm, RefusesWrongOptions) {
    expect_bad_input("hbm --preset HBM3-640",
                     {"--preset", "HBM2-2000, HBM3-6400, HBM3E-9600", "did you mean 'HBM3-6400'?"});
    expect_bad_input("hbm --pattern strem", {"--pattern", "stream, random, chase", "'strem'"});
    expect_bad_input("hbm --reads 101", {"--reads", "101"});
    expect_bad_input("hbm --channels 0", {"--channels"});
    expect_bad_input("hbm --rate 3 --outstanding 4", {"--outstanding", "excludes"});
    expect_bad_input("hbm --pattern chase --outstanding 4", {"--outstanding", "1 with --pattern chase"});
    expect_bad_input("hbm --refresh often", {"--refresh", "all_bank, per_bank, none"});
    expect_bad_input("hbm --trace " + path("none"), {"none", "no such file"});
    expect_bad_input("hbm --requests 10 --json " + path("no/such/folder"), {"no/such/folder"});
    write("preset.yaml", "name: {value: x, source: chosen, note: y}\n");
    expect_bad_input("hbm --preset " + path("preset.yaml"), {"preset.yaml:1", "geometry"});
}

TEST_F(Hbm, RefusesWrongTraceLinesByTheirNumber) {
    const auto refused = [&](const std::string& line, std::initializer_list<const char*> parts) {
        write("trace", "# first\n5 R 0 0 0 0 0 0 0\n" + line + "\n");
        const Result result = run("hbm --channels 2 --trace " + path("trace"));
        EXPECT_EQ(result.exit_code, 2) << line;
        expect_contains(result.error, "trace:3: expected ");
        for (const char* part : parts) expect_contains(result.error, part);
    };
    refused("4 R 0 0 0 0 0 0 0", {"a cycle, not before the line above, from 5", "'4'"});
    refused("x R 0 0 0 0 0 0 0", {"cycle", "'x'"});
    refused("6 Q 0 0 0 0 0 0 0", {"R or W", "'Q'"});
    refused("6 R 2 0 0 0 0 0 0", {"channel from 0 to 1", "'2'"});
    refused("6 R 0 2 0 0 0 0 0", {"pseudo-channel from 0 to 1"});
    refused("6 R 0 0 2 0 0 0 0", {"stack id from 0 to 1"});
    refused("6 R 0 0 0 4 0 0 0", {"bank group from 0 to 3"});
    refused("6 R 0 0 0 0 4 0 0", {"bank from 0 to 3"});
    refused("6 R 0 0 0 0 0 16384 0", {"row from 0 to 16383"});
    refused("6 R 0 0 0 0 0 0 32", {"column from 0 to 31"});
    refused("6 R 0 0 0 0 0 0", {"column", "the end of the line"});
    refused("6 R 0 0 0 0 0 0 0 0", {"nine fields", "'0' behind them"});
}

}  // namespace
}  // namespace systole::system_test
