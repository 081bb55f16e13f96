#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Nodes by an MPI launcher, one on each host: mpi.sh ./app run.join. It starts them and nothing else; when one of them dies
# mpirun ends the others, so prefer srun, or prterun --continuous, where there is one.
exec mpirun --map-by ppr:1:node "$1" "--fmap-node=@$2"
