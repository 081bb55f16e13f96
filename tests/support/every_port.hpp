// SPDX-License-Identifier: BSD-3-Clause
// A visitor of a shared mailbox that may do what each kind of them may.
#pragma once

#include "src/kernel/guest_port.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/kernel/sink_port.hpp"
#include "src/kernel/source_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/kernel/worker_port.hpp"

namespace testing {

struct every_port : fmap::kernel::source_port,
                    fmap::kernel::worker_port,
                    fmap::kernel::sink_port,
                    fmap::kernel::remote_port,
                    fmap::kernel::guest_port,
                    fmap::kernel::supervisor_port,
                    fmap::kernel::pool_port {
  explicit every_port(fmap::kernel::shared_mailbox& box)
      : source_port{box}, worker_port{box}, sink_port{box}, remote_port{box}, guest_port{box},
        supervisor_port{box}, pool_port{box} {}

  using guest_port::push;
  using pool_port::push;
  using source_port::give_back;
};

}  // namespace testing
