// SPDX-License-Identifier: BSD-3-Clause
// The squares of examples/quickstart.cpp on oneTBB's headers, for the time that takes to compile.
#include <iostream>

#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/parallel_pipeline.h>

long square(long x) { return x * x; }

int main() {
  using namespace oneapi::tbb;
  concurrent_bounded_queue<long> squares;
  long next = 1;
  parallel_pipeline(5, make_filter<void, long>(filter_mode::serial_in_order,
                                               [&](flow_control& control) {
                                                 if (next > 5) control.stop();
                                                 return next++;
                                               })
                           & make_filter<long, long>(filter_mode::parallel, &square)
                           & make_filter<long, void>(filter_mode::serial_in_order,
                                                     [&](long s) { squares.push(s); }));
  for (long s = 0; squares.try_pop(s);) std::cout << s << '\n';
}
