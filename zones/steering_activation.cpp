// Steering's part for what must hold, beside the signatures, when a crossing is made: measured lag,
// the advisor's word.
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {

void Steering::on(Step& /*step*/, const LagMeasured& /*event*/) {}

void Steering::on(Step& /*step*/, const AdviceGiven& /*event*/) {}

}  // namespace demarc::zones
