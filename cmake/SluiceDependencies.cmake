# Every package sluice stands on, as one imported target each. Debian 12's versions are the floor.
include(SluicePackages)
sluice_find_packages()
