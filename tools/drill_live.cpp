#include "tools/drill_live.h"
namespace demarc::tools {
Result<zones::drill::Report, std::string> run_live(LiveRequest) { return std::unexpected("x"); }
}  // namespace demarc::tools
