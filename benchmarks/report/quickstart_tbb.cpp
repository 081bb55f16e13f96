// SPDX-License-Identifier: BSD-3-Clause
// What examples/quickstart.cpp does, on oneTBB's headers: for the time that takes to compile.
#include <cmath>
#include <iostream>

#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/parallel_pipeline.h>

int main() {
  oneapi::tbb::concurrent_bounded_queue<double> results;
  int next = 0;
  oneapi::tbb::parallel_pipeline(
      8, oneapi::tbb::make_filter<void, int>(oneapi::tbb::filter_mode::serial_in_order,
                                             [&](oneapi::tbb::flow_control& control) {
                                               if (next == 10) control.stop();
                                               return next++;
                                             })
             & oneapi::tbb::make_filter<int, double>(oneapi::tbb::filter_mode::parallel,
                                                     [](int x) { return std::sqrt(x); })
             & oneapi::tbb::make_filter<double, void>(oneapi::tbb::filter_mode::serial_out_of_order,
                                                      [&](double y) { results.push(y); }));
  double y = 0;
  while (results.try_pop(y)) std::cout << y << '\n';
}
