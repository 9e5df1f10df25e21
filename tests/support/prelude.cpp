// Nothing: prelude.hpp needs a target to be compiled for.
