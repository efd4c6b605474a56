// demarc: the operator's command. Everything is in tools/cli.h.
#include <malloc.h>

#include "tools/cli.h"

int main(int argc, char** argv) {
  mallopt(M_TRIM_THRESHOLD, 1 << 20);  // for reading records, as in tools/demarcd_main.cpp
  return demarc::tools::run_cli(argc, argv);
}
