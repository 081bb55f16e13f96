// SPDX-License-Identifier: BSD-3-Clause
// What the records of a journal say.

#include "src/journal/records.hpp"

#include <fmap/wire.hpp>

namespace fmap::journals {

void encode(std::string& to, const record& r, std::string_view outcome) {
  to.clear();
  wire::append(to, r);
  to += outcome;
}

decoded decode(std::string_view payload) {
  wire::reader r{payload};
  decoded result;
  result.what = r.take<record>();
  result.outcome = r.rest();
  return result;
}

}  // namespace fmap::journals
