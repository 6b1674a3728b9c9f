import { formatSize } from "../format/size.ts";

const fullWidth = 50;
const leastWidth = 10;

/**
 * Docker's progress: `[====>     ]  1.2MB/31MB`, with a bar of 50, or less on a narrow terminal, or none on a very
 * narrow one. Without a total only what has been done.
 * @param room - characters it may take
 */
export function progressBar(done: number, total: number | undefined, room: number): string {
  const current = formatSize(done, 4).padStart(8);
  if (total === undefined || total <= 0 || done > total) return current;
  const numbers = `${current}/${formatSize(total, 4)}`;
  // The bar has brackets, an arrow's head and a space; 17 is the most that numbers take, so that it keeps its width.
  const width = Math.min(fullWidth, room - Math.max(numbers.length, 17) - 4);
  if (width < leastWidth) return numbers;
  const filled = Math.floor((done / total) * width);
  return `[${"=".repeat(filled)}>${" ".repeat(width - filled)}] ${numbers}`;
}
