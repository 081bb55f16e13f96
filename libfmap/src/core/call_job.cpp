// SPDX-License-Identifier: BSD-3-Clause
// The tasks of a process pool, in a worker process.

#include <fmap/detail/travelling_task.hpp>
#include <fmap/errors.hpp>

namespace fmap::detail {

namespace {

using call_ptr = std::unique_ptr<remote_call>;

struct call_it {
  std::string operator()(call_ptr call) const {
    std::string result;
    wire::writer w{result};
    call->invoke(w);
    return result;
  }
};

class call_job final : public function_job<call_ptr, call_it>, public remote_job {
public:
  call_job() : function_job{call_it{}} {}

  std::string_view key() const override { return remote_task_job::name; }
  void save_function(wire::writer&) const override {}
  bool save_item(wire::writer&, chunk&, std::uint32_t) override { return false; }
  void load_value(wire::reader&, chunk&, std::uint32_t) override {}

  void load_item(wire::reader& r, chunk& c, std::uint32_t i) override {
    const std::string_view key = r.view();
    const auto make = registry<call_factory>::find(key);
    if (make == nullptr)
      throw error{"fmap: a worker process does not know the function " + std::string{key}};
    ::new (c.at(i)) call_ptr(make(r));
    c.state(i).store(slot_state::item, std::memory_order_release);
  }

  void save_value(wire::writer& w, chunk& c, std::uint32_t i) override {
    w.apply(*static_cast<const std::string*>(c.value(i)));
  }
};

}  // namespace

made_job make_call_job(wire::reader&) {
  auto work = std::make_shared<call_job>();
  return {work, work.get()};
}

}  // namespace fmap::detail
