// Steering's part for drills: begun, ended, reported.
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {

void Steering::on(Step& /*step*/, const DrillBegun& /*event*/) {}

void Steering::on(Step& /*step*/, const DrillEnded& /*event*/) {}

void Steering::on(Step& /*step*/, const DrillReported& /*event*/) {}

}  // namespace demarc::zones
