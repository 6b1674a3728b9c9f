/** Of the page of results. Its colours and proportions are those of the conformance report. */
export const style = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2024, #e6e8ea);
  --dim: light-dark(#5b636b, #9ba3ab);
  --page: light-dark(#ffffff, #15181b);
  --raised: light-dark(#f3f5f7, #1f2327);
  --line: light-dark(#d9dee3, #343a40);
  --accent: light-dark(#0072b2, #56a8e6);
  --warning: light-dark(#8a5a00, #f0b93a);
  --hue-0: light-dark(#0072b2, #56a8e6);
  --hue-1: light-dark(#d55e00, #ff8a4c);
  --hue-2: light-dark(#00845f, #2fc49a);
  --hue-3: light-dark(#b5478d, #e79bc4);
  --hue-4: light-dark(#5b4bb7, #a79bf5);
  --hue-5: light-dark(#a87700, #f0c53a);
  --hue-6: light-dark(#6b6f76, #b4bac2);
  --hue-7: light-dark(#8c1c3f, #e0698c);
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 80rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0.25rem 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 3rem 0 0.25rem; padding-top: 0.75rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.75rem 0 0.5rem; font-size: 1rem; color: var(--dim); font-weight: 600; }
h4 { margin: 0; font-size: 0.95rem; }
h4::first-letter { text-transform: uppercase; }
a { color: var(--accent); }
header p { margin: 0; color: var(--dim); }
header .advice { margin: 1.25rem 0; padding: 0.9rem 1.1rem; border-left: 4px solid var(--accent); border-radius: 0.3rem;
  background: var(--raised); color: var(--text); font-size: 1.05rem; }
.about { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 2.5rem; }
.about h3 { margin-top: 0.75rem; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: 0.15rem 1rem; margin: 0; font-size: 0.9rem; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 200; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-top: 1.5rem;
  padding: 0.6rem 0; border-bottom: 1px solid var(--line); background: var(--page); }
section { scroll-margin-top: 3rem; }
section > p { margin: 0; max-width: 60rem; color: var(--dim); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1rem;
  align-items: start; }
.cases { grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); }
figure { min-width: 0; margin: 0; padding: 0.9rem 1rem; border: 1px solid var(--line); border-radius: 0.5rem; }
figcaption p { margin: 0 0 0.4rem; color: var(--dim); font-size: 0.85rem; }
.plot { min-width: 0; overflow: hidden; }
.uplot { width: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; margin: 0.4rem 0 0; padding: 0; list-style: none;
  font-size: 0.85rem; }
.swatch { flex: none; display: inline-block; width: 1.6em; margin-right: 0.4em; border-top: 3px solid; vertical-align: 0.25em; }
.variant-1 { border-top-style: dashed; }
.variant-2 { border-top-style: dotted; }
.variant-3 { border-top-style: double; }
.tooltip { position: absolute; top: 0; z-index: 100; padding: 0.3rem 0.5rem; border: 1px solid var(--line);
  border-radius: 0.3rem; background: var(--page); font-size: 0.8rem; font-variant-numeric: tabular-nums;
  white-space: pre; pointer-events: none; }
.disturbed { margin: 0.4rem 0 0; color: var(--warning); font-size: 0.85rem; }
details { margin-top: 0.4rem; font-size: 0.85rem; }
summary { color: var(--dim); cursor: pointer; }
.scrolled { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 0.9rem 0.15rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--dim); font-weight: 600; }
.left { text-align: left; }
.wide { white-space: normal; }
.subjects { width: 100%; font-size: 0.9rem; }
.subjects td { vertical-align: top; }
.subjects details { margin: 0; }
.others { margin: 0.4rem 0 0; font-size: 0.85rem; }
.subjects ul { margin: 0; padding-left: 1.1rem; color: var(--dim); }
.problems { margin: 0; padding-left: 1.2rem; font-size: 0.9rem; }
.problems li { overflow-wrap: anywhere; }
@media (max-width: 45rem) {
  body { padding: 1.25rem 0.75rem 3rem; }
  .about { grid-template-columns: minmax(0, 1fr); }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.4rem; }
  figure { padding: 0.7rem; }
  nav { position: static; }
}
@media print {
  :root { color-scheme: light; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  nav, details { display: none; }
  .figures, .cases { grid-template-columns: 1fr 1fr; }
  figure { break-inside: avoid; }
  .uplot .u-wrap { width: 100% !important; height: auto !important; }
  .uplot canvas { height: auto; }
  h2, h3 { break-after: avoid; }
}
`;
