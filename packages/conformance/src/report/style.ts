/** Of the HTML report. What is shown is chosen without a script: by which radio button is checked. */
export const style = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2024, #e6e8ea);
  --dim: light-dark(#5b636b, #9ba3ab);
  --page: light-dark(#ffffff, #15181b);
  --raised: light-dark(#f3f5f7, #1f2327);
  --line: light-dark(#d9dee3, #343a40);
  --passed: light-dark(#1a7f47, #4cc38a);
  --failed: light-dark(#c62a2f, #ff7a7d);
  --skipped: light-dark(#8b949c, #6f7881);
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0.25rem 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.1rem; }
h2::first-letter { text-transform: uppercase; }
header p { margin: 0; color: var(--dim); }
header .verdict { display: inline-block; padding: 0 0.6rem; border-radius: 1rem; font-weight: 600; color: var(--page); }
.verdict.passed { background: var(--passed); }
.verdict.failed { background: var(--failed); }
.totals { margin: 1.5rem 0; }
.bar-row { display: grid; grid-template-columns: 12rem 1fr 16rem; gap: 1rem; align-items: center; padding: 0.2rem 0;
  color: inherit; text-decoration: none; }
.bar-row:hover .name { text-decoration: underline; }
.bar-row .name::first-letter { text-transform: uppercase; }
.bar { display: flex; gap: 2px; height: 0.8rem; border-radius: 0.2rem; overflow: hidden; background: var(--raised); }
.bar i { min-width: 4px; }
.bar .passed { background: var(--passed); }
.bar .failed { background: var(--failed); }
.bar .skipped { background: var(--skipped); }
.count { color: var(--dim); font-variant-numeric: tabular-nums; text-align: right; }
.show { display: flex; flex-wrap: wrap; gap: 1.25rem; position: sticky; top: 0; margin: 0; padding: 0.6rem 0;
  border: 0; border-bottom: 1px solid var(--line); background: var(--page); }
.show legend { float: left; padding: 0; color: var(--dim); }
.show input { accent-color: currentColor; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: 0.3rem 0; border-bottom: 1px solid var(--line); }
.group { scroll-margin-top: 3rem; }
.line { display: flex; gap: 0.75rem; align-items: baseline; }
.status { flex: 0 0 4.2rem; font-size: 0.85rem; font-weight: 600; }
.title { flex: 1; min-width: 0; }
.title::first-letter { text-transform: uppercase; }
li.passed .status { color: var(--passed); }
li.failed .status { color: var(--failed); }
li.skipped .status, .took, .reason, code { color: var(--dim); }
code { font-size: 0.85em; overflow-wrap: anywhere; }
.took { font-size: 0.85rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.reason { margin: 0 0 0 4.95rem; font-size: 0.9rem; }
pre { margin: 0.4rem 0 0.4rem 4.95rem; padding: 0.6rem 0.8rem; border-radius: 0.3rem; background: var(--raised);
  font-size: 0.85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
li.failed > pre { border-left: 3px solid var(--failed); }
details { margin-left: 4.95rem; color: var(--dim); font-size: 0.9rem; }
details pre { margin-left: 0; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: 12rem 1fr; gap: 0.15rem 1rem; margin: 0; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; }
body:has(#show-failed:checked) li:not(.failed), body:has(#show-failed:checked) .group:not(:has(li.failed)),
body:has(#show-skipped:checked) li:not(.skipped), body:has(#show-skipped:checked) .group:not(:has(li.skipped)),
body:has(#show-passed:checked) li:not(.passed), body:has(#show-passed:checked) .group:not(:has(li.passed)) { display: none; }
@media (max-width: 45rem) {
  .bar-row { grid-template-columns: 1fr; gap: 0.1rem; padding: 0.4rem 0; }
  .count { text-align: left; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 0.4rem; }
  .reason, pre, details { margin-left: 0; }
}
`;
