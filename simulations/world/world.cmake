add_floor(simulations_world
  HEADERS world/sim_loop.h world/seeded_random.h world/sim_disk.h
  SOURCES world/sim_loop.cc world/seeded_random.cc world/sim_disk.cc
  DEPS storage::model storage::runtime)
