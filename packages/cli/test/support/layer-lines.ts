const layerLine = /^[0-9a-f]{12}: /;

/** What a pull or a push printed, by lines. Those of one image's layers, which come as they are done, are sorted. */
export function linesOf(text: string): string[] {
  const lines: string[] = [];
  let layers: string[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (layerLine.test(line)) layers.push(line);
    else {
      lines.push(...layers.sort(), line);
      layers = [];
    }
  }
  return [...lines, ...layers.sort()];
}
