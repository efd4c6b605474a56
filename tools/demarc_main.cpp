// demarc: the operator's command. Everything is in tools/cli.h.
#include "tools/cli.h"

int main(int argc, char** argv) { return demarc::tools::run_cli(argc, argv); }
