/** Of the report. The two kinds of bars and lines are told apart by their lightness too, for those who do not see the colours. */
export const STYLE = `
:root{--paper:#fff;--ink:#1e293b;--soft:#64748b;--line:#e2e8f0;--own:#c2410c;--own-2:#ea580c;--own-3:#9a3412;--peer:#94a3b8;--peer-2:#475569;--pass:#166534;--fail:#b91c1c}
@media (prefers-color-scheme:dark){:root{--paper:#0f172a;--ink:#e2e8f0;--soft:#94a3b8;--line:#334155;--own:#fb923c;--own-2:#fdba74;--own-3:#ea580c;--peer:#64748b;--peer-2:#cbd5e1;--pass:#4ade80;--fail:#f87171}}
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;background:var(--paper);color:var(--ink)}
h1{margin-bottom:.2em}
h2+p::first-letter{text-transform:uppercase}
h2{margin:2.2em 0 .3em;padding-top:.8em;border-top:1px solid var(--line)}
header p{margin:.2em 0}
code{font-size:14px}
.note{white-space:pre-line}.note,small{color:var(--soft);font-size:13px}
small{margin-left:1em;font-weight:400}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{padding:.3em .8em .3em 0;text-align:left;font-variant-numeric:tabular-nums;vertical-align:top}
thead th{color:var(--soft);font-weight:500;border-bottom:1px solid var(--line)}
td:last-child,th:last-child{padding-right:0}
.number{text-align:right;white-space:nowrap}
.scroll{overflow-x:auto}
.pass,.fail{font-weight:600;text-align:right}
.pass{color:var(--pass)}
.fail{color:var(--fail)}
figure{margin:1.4em 0}
figcaption{font-weight:600;margin-bottom:.2em}
.bars th{width:11em;font-weight:400}
.bars .bar{width:auto}
.bars .number{width:6em}
.bars thead td{color:var(--soft);padding-top:0;padding-bottom:0}
.bars .own{font-weight:600}
.bars .own th{font-weight:600}
.bar i{display:block;height:1.1em;margin-top:.2em;border-radius:2px;background:var(--peer)}
.own .bar i{background:var(--own)}
svg{max-width:100%;height:auto}
`
