// SPDX-License-Identifier: BSD-3-Clause
// Which pool's work a thread is doing.
#pragma once

#include <utility>

namespace fmap::kernel {

class shared_mailbox;

/// The pool whose work this thread is doing, if any.
extern constinit thread_local shared_mailbox* working_for;

/// Says so for as long as it lives.
class working_in {
public:
  explicit working_in(shared_mailbox* box) : before_{std::exchange(working_for, box)} {}
  ~working_in() { working_for = before_; }
  working_in(const working_in&) = delete;
  working_in& operator=(const working_in&) = delete;

private:
  shared_mailbox* const before_;
};

/// While this lives its thread waits for something to end that is running already: if it is a worker, its pool may
/// have another one meanwhile. Such a wait is never refused: who waits like that may be a destructor.
class seeing_out {
public:
  seeing_out() noexcept;
  ~seeing_out();
  seeing_out(const seeing_out&) = delete;
  seeing_out& operator=(const seeing_out&) = delete;

private:
  shared_mailbox* const box_;
};

}  // namespace fmap::kernel
