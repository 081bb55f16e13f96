// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a std::string_view, std::span or std::reference_wrapper only refers
#include <string_view>

#include <fmap/wire.hpp>

int main() { return fmap::wire::encode(std::string_view{}).empty() ? 1 : 0; }
