// SPDX-License-Identifier: BSD-3-Clause
// What the records of a journal say.

#include "src/journal/records.hpp"

#include <fmap/wire.hpp>

namespace fmap::journals {

std::string encode(const record& r, std::string_view outcome) {
  std::string result = wire::encode(r);
  result += outcome;
  return result;
}

decoded decode(std::string_view payload) {
  wire::reader r{payload};
  decoded result;
  result.what = r.take<record>();
  result.outcome = r.rest();
  return result;
}

}  // namespace fmap::journals
