// SPDX-License-Identifier: BSD-3-Clause
// What a map with a journal needs to know of its types.
#pragma once

#include <string>
#include <string_view>
#include <typeinfo>

namespace fmap {

class journal;

namespace detail {

class journal_book;
class journal_run;

/// How items and results become bytes.
struct journal_codec {
  const std::type_info *item = nullptr, *value = nullptr;
  void (*save_item)(std::string& out, const void* item) = nullptr;
  void (*save_value)(std::string& out, const void* value) = nullptr;
  /// Makes the value at `place`, or throws.
  void (*load_value)(std::string_view bytes, void* place) = nullptr;
};

template <class In, class Out>
struct journal_codec_for;

/// Null in files that do not include <fmap/journal.hpp>: they need not know how anything becomes bytes. Functions that
/// make maps have `Included` as a template parameter, so that they are different functions in different files.
template <bool Included, class In, class Out>
const journal_codec* journal_codec_of() {
  if constexpr (Included)
    return &journal_codec_for<In, Out>::codec;
  else
    return nullptr;
}

}  // namespace detail

}  // namespace fmap
