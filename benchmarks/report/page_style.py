"""How a page looks: one column, tables that scroll, light or dark as the reader has it."""

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1b1d21; --paper: #ffffff; --faint: #c9ccd2; --soft: #5b606a; --shade: #f4f5f7;
  --alarm: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e8eb; --paper: #15171b; --faint: #3c4048; --soft: #a2a8b3; --shade: #1e2127;
    --alarm: #ff8a80;
  }
}
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.headline { font-size: 1.1rem; font-weight: 600; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; border-bottom: 1px solid var(--faint); }
h3 { font-size: 1rem; margin: 1.5rem 0 0.4rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; }
li { overflow-wrap: anywhere; }
.warnings { margin: 1.2rem 0 0; padding: 0.1rem 1rem 0.8rem; background: var(--shade);
  border-left: 4px solid var(--alarm); }
.warnings h3 { margin-top: 0.7rem; color: var(--alarm); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.87rem; }
th, td { padding: 0.25rem 0.5rem; text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--faint);
  vertical-align: bottom; white-space: normal; }
td { border-bottom: 1px solid var(--faint); }
th.name, td.name { text-align: left; }
tbody tr:hover { background: var(--shade); }
.note, figcaption { color: var(--soft); font-size: 0.87rem; }
figure { margin: 0; max-width: 62rem; }
figure svg { display: block; width: 100%; min-width: 36rem; height: auto; }
details { margin-top: 1.5rem; }
summary { cursor: pointer; font-weight: 600; }
@media print { .wide { overflow: visible; } main { max-width: none; } }
"""
