// The report page's looks. Only zones/drill/report_html.cpp includes it.
#pragma once

#include <string_view>

namespace demarc::zones::drill {

inline constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --panel: #f6f8fa; --home: #2da44e; --abroad: #d4a017; --held: #cf222e; --exception: #8250df;
  --down: #7d4e57; --none: #8c959f; --good: #1a7f37; --bad: #cf222e; --inbar: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --soft: #9198a1;
  --line: #3d444d; --panel: #151b23; --home: #2ea043; --abroad: #bf8700; --held: #da3633;
  --exception: #8957e5; --down: #8d5a64; --none: #656c76; --good: #3fb950; --bad: #f85149; } }
@media print { :root { color-scheme: light; --page: #ffffff; --ink: #000000; --soft: #444444;
  --line: #bbbbbb; --panel: #ffffff; --good: #1a7f37; --bad: #cf222e; }
  body { max-width: none; } .wide { overflow: visible; } svg.timeline { min-width: 0; }
  tr, svg, .legend { break-inside: avoid; } h2 { break-after: avoid; } table { font-size: 9px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
p { margin: .4rem 0; } ul { margin: .3rem 0; padding-left: 1.3rem; } li { overflow-wrap: anywhere; }
.badge { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; color: #fff;
  font-size: .95rem; vertical-align: middle; background: var(--bad); }
.badge.passed { background: var(--good); }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .55rem;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } td.time { white-space: nowrap; }
td .fact { display: block; overflow-wrap: anywhere; } .name { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .8rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
code { font: .82rem/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .82rem; color: var(--soft); }
.legend span::before { content: ""; display: inline-block; width: .8rem; height: .8rem;
  margin-right: .35rem; border-radius: 2px; vertical-align: -1px; background: var(--c); }
svg.timeline { display: block; width: 100%; min-width: 52rem; height: auto; margin-top: .6rem;
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
svg text { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .lane { font-weight: 600; } svg .words { fill: var(--soft); }
svg .inbar { fill: var(--inbar); }
svg .halo { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; }
svg .bar rect { rx: 2px; } svg .bar.home rect { fill: var(--home); }
svg .bar.abroad rect { fill: var(--abroad); } svg .bar.held rect { fill: var(--held); }
svg .bar.exception rect { fill: var(--exception); } svg .bar.down rect { fill: var(--down); }
svg .bar.none rect { fill: var(--none); }
svg .mark line { stroke: var(--line); } svg .mark circle { fill: var(--soft); }
svg .mark.failure circle, svg .mark.refusal circle, svg .mark.held circle { fill: var(--held); }
svg .mark.recovery circle, svg .mark.return circle { fill: var(--home); }
svg .mark.token circle, svg .mark.crossing circle { fill: var(--exception); }
svg .bracket path { fill: none; stroke: var(--good); stroke-width: 1.6; }
svg .bracket.missed path { stroke: var(--bad); }
svg .bracket path.caches { stroke-dasharray: 3 2; }
svg .axis { stroke: var(--soft); } svg .through { stroke-dasharray: 2 3; stroke: var(--soft); }
svg .through.failure { stroke: var(--held); } svg .through.recovery { stroke: var(--home); }
)css";

}  // namespace demarc::zones::drill
