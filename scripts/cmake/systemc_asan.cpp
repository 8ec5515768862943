// SPDX-License-Identifier: Apache-2.0
// Tells AddressSanitizer where the main stack is when SystemC 2.3.4 switches back to it.
//
// The kernel announces its coroutine switches, but names the stack of the main coroutine as 0 bytes at
// address 0. From the first switch on AddressSanitizer then cannot clear what an exception leaves behind on
// the main stack, and takes the next use of that memory for an overflow. The definition here comes before the
// run-time library's own in the lookup of a dynamically linked program; it must be in the program itself.
#include <pthread.h>

#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>

namespace {

struct Stack {
    void* bottom = nullptr;
    std::size_t size = 0;
};

Stack thread_stack() {
    Stack stack;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0 ||
        pthread_attr_getstack(&attributes, &stack.bottom, &stack.size) != 0)
        std::abort();
    pthread_attr_destroy(&attributes);
    return stack;
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void __sanitizer_start_switch_fiber(void** save, const void* bottom,
                                                                   std::size_t size) {
    using StartSwitch = void (*)(void**, const void*, std::size_t);
    static const auto start_switch =
        reinterpret_cast<StartSwitch>(dlsym(RTLD_NEXT, "__sanitizer_start_switch_fiber"));
    if (size != 0) return start_switch(save, bottom, size);
    thread_local const Stack main_stack = thread_stack();
    start_switch(save, main_stack.bottom, main_stack.size);
}

}  // extern "C"
