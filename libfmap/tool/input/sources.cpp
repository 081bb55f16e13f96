// SPDX-License-Identifier: BSD-3-Clause
// Sources of items.
#include "tool/input/sources.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tool/input/columns.hpp"

namespace fmap::tool {

namespace {

/// `number`: of its line.
record record_of(std::string text, const format& f, std::uint64_t number) {
  record r;
  if (text.find('\0') != std::string::npos) r.problem = "it holds a NUL byte";
  if (f.json && r.problem.empty()) {
    try {
      r.values.push_back(std::make_shared<const json_value>(json_from(text)));
    } catch (const std::invalid_argument& e) {
      r.problem = "line " + std::to_string(number) + " is no JSON: " + e.what();
    }
  }
  if (f.columns)
    r.columns = split_columns(text, *f.columns);
  else if (f.columns_at)
    r.columns = f.columns_at->split(text);
  else
    r.columns.push_back(std::move(text));
  return r;
}

record record_of(csv_record read) {
  record r{std::move(read.fields), std::move(read.problem)};
  for (const std::string& field : r.columns)
    if (r.problem.empty() && field.find('\0') != std::string::npos)
      r.problem = "it holds a NUL byte";
  return r;
}

class words final : public source {
public:
  words(std::vector<std::string> items, const format& f) : items_{std::move(items)}, format_{f} {}

  std::optional<record> next() override {
    if (at_ == items_.size()) return std::nullopt;
    std::string text = std::move(items_[at_++]);
    if (!format_.csv) return record_of(std::move(text), format_, at_);
    csv_reader reader{*format_.csv};
    reader.feed(text);
    reader.finish();
    auto read = reader.next();
    return read ? record_of(std::move(*read)) : record{{std::string{}}, {}};
  }

  std::optional<std::uint64_t> size() const override {
    if (format_.skip_empty) return std::nullopt;
    return items_.size();
  }

private:
  std::vector<std::string> items_;
  format format_;
  std::size_t at_ = 0;
};

/// What a reader (`splitter` or `csv_reader`) makes of a stream.
template <class Reader>
class stream final : public source {
public:
  stream(std::unique_ptr<blocks> from, Reader reader, const format& f, const flag& stop)
      : from_{std::move(from)}, reader_{std::move(reader)}, format_{f}, stop_{stop} {}

  std::optional<record> next() override {
    for (;;) {
      if (peeked_) return std::exchange(peeked_, std::nullopt);
      if (stop_.raised()) return std::nullopt;
      if (auto r = read()) return r;
      if (from_ == nullptr) return std::nullopt;
      auto bytes = from_->next(stop_);
      if (stop_.raised()) return std::nullopt;
      take(std::move(bytes));
    }
  }

  bool ready(std::chrono::milliseconds patience) override {
    for (;;) {
      if (!peeked_) peeked_ = read();
      if (peeked_ || from_ == nullptr) return true;
      if (!from_->ready(patience)) return false;
      take(from_->take());
    }
  }

private:
  std::optional<record> read() {
    auto r = reader_.next();
    if (!r) return std::nullopt;
    if constexpr (std::is_same_v<Reader, csv_reader>)
      return record_of(std::move(*r));
    else
      return record_of(std::move(*r), format_, ++lines_);
  }

  void take(std::optional<std::string> bytes) {
    if (bytes) {
      reader_.feed(*bytes);
    } else {
      from_.reset();
      reader_.finish();
    }
  }

  std::unique_ptr<blocks> from_;
  Reader reader_;
  format format_;
  const flag& stop_;
  std::optional<record> peeked_;
  std::uint64_t lines_ = 0;
};

/// Blocks for the standard input of commands.
class record_stream final : public source {
public:
  record_stream(std::unique_ptr<blocks> from, const record_format& f, bool header, const flag& stop)
      : from_{std::move(from)}, reader_{f}, needs_header_{header}, stop_{stop} {}

  std::optional<record> next() override {
    while (!stop_.raised()) {
      if (needs_header_) {
        if (auto first = reader_.first_record()) {
          header_ = std::move(*first);
          needs_header_ = false;
        }
      }
      if (!needs_header_)
        if (auto block = reader_.next())
          return record{{}, {}, std::make_shared<const std::string>(header_ + *block)};
      if (from_ == nullptr) return std::nullopt;
      auto bytes = from_->next(stop_);
      if (bytes) {
        reader_.feed(*bytes);
      } else {
        from_.reset();
        reader_.finish();
      }
    }
    return std::nullopt;
  }

private:
  std::unique_ptr<blocks> from_;
  record_blocks reader_;
  bool needs_header_;
  std::string header_;
  const flag& stop_;
};

void append(record& to, const record& more) {
  to.columns.insert(to.columns.end(), more.columns.begin(), more.columns.end());
  to.values.insert(to.values.end(), more.values.begin(), more.values.end());
  if (to.problem.empty()) to.problem = more.problem;
}

}  // namespace

source_ptr words_source(std::vector<std::string> items, const format& f) {
  return std::make_unique<words>(std::move(items), f);
}

source_ptr stream_source(std::unique_ptr<blocks> from, const format& f, const flag& stop) {
  if (f.csv)
    return std::make_unique<stream<csv_reader>>(std::move(from), csv_reader{*f.csv}, f, stop);
  return std::make_unique<stream<splitter>>(std::move(from), splitter{f.delimiter}, f, stop);
}

source_ptr block_source(std::unique_ptr<blocks> from, const record_format& f, bool header,
                        const flag& stop) {
  return std::make_unique<record_stream>(std::move(from), f, header, stop);
}

combinations::combinations(std::vector<linked_sources> groups, const format& f)
    : groups_{std::move(groups)}, format_{f}, total_{1} {
  for (const linked_sources& group : groups_) {
    std::uint64_t shortest = UINT64_MAX;
    for (const source_ptr& s : group) {
      const auto size = s->size();
      if (!size) {
        total_.reset();
        return;
      }
      const std::uint64_t titles = format_.header && *size > 0 ? 1 : 0;
      shortest = std::min(shortest, *size - titles);
    }
    total_ = *total_ * shortest;
  }
}

std::optional<record> combinations::next_record(source& s) {
  for (;;) {
    auto r = s.next();
    if (!r || !format_.skip_empty || !r->problem.empty()) return r;
    if (r->columns.size() > 1 || !r->columns.front().empty()) return r;
  }
}

void combinations::prepare() {
  prepared_ = true;
  if (format_.header) {
    names all;
    for (const linked_sources& group : groups_)
      for (const source_ptr& s : group)
        if (auto titles = next_record(*s))
          all.insert(all.end(), titles->columns.begin(), titles->columns.end());
    titles_ = std::make_shared<const names>(std::move(all));
  }
  const auto keep = [&](source& s) {
    std::vector<row> rows;
    while (auto r = next_record(s)) rows.push_back(std::move(*r));
    return rows;
  };
  linked_sources& first = groups_.front();
  for (std::size_t s = 1; s < first.size(); ++s) linked_to_first_.push_back(keep(*first[s]));
  for (std::size_t g = 1; g < groups_.size(); ++g) {
    std::vector<row> rows = keep(*groups_[g].front());
    for (std::size_t s = 1; s < groups_[g].size(); ++s) {
      const std::vector<row> linked = keep(*groups_[g][s]);
      rows.resize(std::min(rows.size(), linked.size()));
      for (std::size_t r = 0; r < rows.size(); ++r) append(rows[r], linked[r]);
    }
    over_ = over_ || rows.empty();
    kept_.push_back(std::move(rows));
  }
  at_.assign(kept_.size(), 0);
}

std::optional<combinations::row> combinations::next_of_first() {
  for (const auto& linked : linked_to_first_)
    if (first_index_ == linked.size()) return std::nullopt;
  auto r = next_record(*groups_.front().front());
  if (!r) return std::nullopt;
  for (const auto& linked : linked_to_first_) append(*r, linked[first_index_]);
  ++first_index_;
  return r;
}

bool combinations::ready(std::chrono::milliseconds patience) {
  if (!prepared_ || over_) return true;
  for (std::size_t g = 0; first_ && g < at_.size(); ++g)
    if (at_[g] + 1 < kept_[g].size()) return true;  // the first stays for another combination
  for (const auto& linked : linked_to_first_)
    if (first_index_ == linked.size()) return true;
  return groups_.front().front()->ready(patience);
}

std::optional<item> combinations::next() {
  if (!prepared_) prepare();
  if (over_) return std::nullopt;
  if (first_) {
    std::size_t turning = at_.size();
    while (turning > 0 && ++at_[turning - 1] == kept_[turning - 1].size()) at_[--turning] = 0;
    if (turning == 0) first_.reset();
  }
  if (!first_) first_ = next_of_first();
  if (!first_) {
    over_ = true;
    return std::nullopt;
  }
  row all = kept_.empty() ? std::move(*first_) : *first_;
  for (std::size_t g = 0; g < kept_.size(); ++g) append(all, kept_[g][at_[g]]);
  item next{++number_, std::move(all.columns), titles_, std::move(all.problem)};
  next.block = std::move(all.block);
  next.values = std::move(all.values);
  return next;
}

}  // namespace fmap::tool
