// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/core_records.hpp>

namespace systole {

HostStatus host_status(Exception exception) {
    switch (exception) {
        case Exception::kNone:
            return HostStatus::kOk;
        case Exception::kApOob:
        case Exception::kDmaOob:
            return HostStatus::kOutOfBound;
        case Exception::kNumNan:
            return HostStatus::kNan;
        case Exception::kSramParity:
            return HostStatus::kCoreParity;
        case Exception::kHbmUncorrectable:
            return HostStatus::kHbmUncorrectable;
        case Exception::kHbmRepairable:
            return HostStatus::kHbmRepairable;
        default:
            return HostStatus::kUnrecoverable;
    }
}

void CoreCounters::count(Exception exception) {
    switch (exception) {
        case Exception::kNone:
            return;
        case Exception::kSemOverflow:
            ++sw_semaphore;
            return;
        case Exception::kSemDouble:
            ++sw_event;
            return;
        case Exception::kPsumCollision:
            ++sw_psum_collision;
            return;
        case Exception::kNumNan:
            ++numerical;
            return;
        case Exception::kIllegalOpcode:
        case Exception::kIllegalEncoding:
        case Exception::kIllegalEngine:
        case Exception::kIllegalDtype:
        case Exception::kIllegalSpace:
            ++sw_sequencer_fatal;
            return;
        case Exception::kSramParity:
            ++nc_ue;
            return;
        case Exception::kHbmUncorrectable:
        case Exception::kHbmRepairable:
            ++hbm_ue;
            return;
        default:
            ++generic;
    }
}

}  // namespace systole
